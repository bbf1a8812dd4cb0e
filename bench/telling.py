"""Events for a stage to publish, written into its outbox as by its own commands, for the relay to publish."""

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
    """Return `count` events of complaints handed over just now."""
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
    """Return `count` events of complaints forwarded to an OPD just now."""
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
    """Write `events` into the outbox of `stage` in one transaction. Its relay publishes them within a second."""
    database = Database(site.stack.database_url(stage), size=1)
    try:
        with UnitOfWork(database, WORKS[stage], stage).begin() as work:
            work.emit(*events)
    finally:
        database.dispose()
