"""Events that a stage is to tell, written into its outbox as its own commands would: the relay does the rest."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from bench.site import FORM, OPD, Site
from nkk.contracts.events import ComplaintForwarded, ComplaintHandedOver
from nkk.sop.ticket import new_ticket
from nkk.store.database import Database
from nkk.store.work import Publishable, UnitOfWork, Work
from services.intake.storage import IntakeWork
from services.triage.storage import TriageWork

WORKS: dict[str, type[Work]] = {"intake": IntakeWork, "triage": TriageWork}
_WRITTEN = {
    name: FORM[name]
    for name in (
        "category",
        "sub_category",
        "subject_line",
        "text",
        "place",
        "happened_on",
        "accused_position",
        "accused_opd",
    )
} | {"accused_name": None}


def handed_over(count: int) -> list[ComplaintHandedOver]:
    """`count` complaints handed over just now."""
    now = datetime.now(UTC)
    return [
        ComplaintHandedOver(
            ticket=new_ticket(now.year),
            reporter_kind="public",
            claimed_kind="complaint",
            confidential=False,
            submitted_at=now,
            service_due_at=now + timedelta(days=3),
            by="operator",
            **_WRITTEN,
        )
        for _ in range(count)
    ]


def forwarded(count: int) -> list[ComplaintForwarded]:
    """`count` complaints forwarded to an OPD just now."""
    now = datetime.now(UTC)
    return [
        ComplaintForwarded(
            ticket=new_ticket(now.year),
            opd=OPD,
            note=None,
            service_due_at=now + timedelta(days=3),
            by="main",
            **_WRITTEN,
        )
        for _ in range(count)
    ]


def tell(site: Site, stage: str, events: Iterable[Publishable]) -> None:
    """Have `stage` tell `events`: in its outbox at once, published when its relay looks next, within a second."""
    database = Database(site.stack.database_url(stage), size=1)
    try:
        with UnitOfWork(database, WORKS[stage], stage).begin() as work:
            work.emit(*events)
    finally:
        database.dispose()
