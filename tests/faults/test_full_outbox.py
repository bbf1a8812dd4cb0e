"""After a long outage of the broker: everything told meanwhile is published, in order, by all instances together."""

from collections import defaultdict
from datetime import UTC, datetime

from nkk.contracts import EventData
from nkk.contracts.events import ComplaintHandedOver, ReporterRegistered
from nkk.sop.ticket import new_ticket
from nkk.store.database import Database
from nkk.store.work import UnitOfWork
from services.intake.storage import IntakeWork
from tests.builders import REPORT
from tests.faults.trial import Trial, recording
from tests.installations import Installation, eventually

NOW = datetime.now(UTC)
TICKETS = [new_ticket(2026) for _ in range(25)]
REPORTERS = [f"reporter-{number}" for number in range(25)]
CHANGES = 18


def backlog(installation: Installation) -> list[EventData]:
    """500 events, which are three batches of a relay, several about each ticket and each reporter, taking turns."""
    times = {"submitted_at": NOW, "service_due_at": NOW}
    rounds: list[list[EventData]] = [
        [installation.submitted(ticket, reporter) for ticket, reporter in zip(TICKETS, REPORTERS, strict=True)],
        [
            ComplaintHandedOver(
                ticket=ticket, reporter_kind="public", confidential=False, by="staff-1", **REPORT, **times
            )
            for ticket in TICKETS
        ],
        *(
            [
                ReporterRegistered(reporter_id=reporter, reporter_kind="public", sealed_contact=f"contact {change}")
                for reporter in REPORTERS
            ]
            for change in range(CHANGES)
        ),
    ]
    return [event for events in rounds for event in events]


def tell(trial: Trial, events: list[EventData]) -> None:
    """Put `events` into the outbox of intake, which is down."""
    database = Database(trial.installation.stack.database_url("intake"), size=1)
    work = UnitOfWork(database, IntakeWork, "intake")
    # A round at a time, because of two changes at one moment the first is kept.
    for first in range(0, len(events), len(TICKETS)):
        with work.begin() as transaction:
            transaction.emit(*events[first : first + len(TICKETS)])
    database.dispose()


def test_a_full_outbox_is_drained_in_order_by_two_instances(trial: Trial) -> None:
    trial.settled()
    # Nobody entered these: intake tells of them all the same.
    trial.books.by_hand.update(TICKETS)
    for instance in ("intake-1", "intake-2"):
        trial.installation.take_down(instance)
    already = set(trial.books.rows("intake", "SELECT event_id FROM outbox"))
    tell(trial, backlog(trial.installation))
    told = defaultdict(list)
    for event_id, subject in trial.books.rows("intake", "SELECT event_id, subject FROM outbox ORDER BY id"):
        if (event_id,) not in already:
            told[subject].append(event_id)
    assert sum(map(len, told.values())) == 500

    with recording(trial.installation.uri) as published:
        for instance in ("intake-1", "intake-2"):
            trial.installation.bring_up(instance)
        eventually(lambda: not trial.books.rows("intake", "SELECT id FROM outbox WHERE sent_at IS NULL"))
    heard = defaultdict(list)
    for event in published:
        heard[event["subject"]].append(event["id"])
    assert heard == told

    eventually(lambda: trial.books.check() is None, patience=90)
    keyed = trial.installation.keyed

    def last_contacts() -> set[str]:
        kept = dict(trial.books.rows("notification", "SELECT reporter, sealed_contact FROM keyed_contacts"))
        return {kept.get(keyed.reporter(reporter), "") for reporter in REPORTERS}

    eventually(lambda: last_contacts() == {f"contact {CHANGES - 1}"})
