"""The query plans of PostgreSQL for the statements behind the reads, each as the stage's own repository sends it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from bench.filling import New
from bench.site import OPD, Site
from nkk.messaging.relay import Relay
from nkk.store.database import Database
from nkk.store.work import Work
from nkk.trust.actor import Actor
from services.intake.storage import IntakeWork
from services.notification.storage import NotificationWork
from services.opd_response.storage import OpdResponseWork
from services.triage.storage import TriageWork

LIMIT = 50
OPERATOR, MAIN_TEAM = Actor("plans-1", "operator"), Actor("plans-2", "main_team")
OPD_TEAM = Actor("plans-3", "opd_team", OPD)

WORKS: dict[str, type[Work]] = {
    "intake": IntakeWork,
    "triage": TriageWork,
    "opd_response": OpdResponseWork,
    "notification": NotificationWork,
}


def plans(site: Site, known: New) -> list[dict[str, str]]:
    """Return {"what", "stage", "statement", "plan"} of every statement; `known` is a complaint to read."""
    found = []
    for what, stage, ask in _asked(known):
        database = Database(site.stack.database_url(stage), size=1)
        try:
            with _noted(database) as statements, database.reading() as connection:
                ask(WORKS[stage](connection, stage))
            found += [{"what": what, "stage": stage} | each for each in _explained(database, statements)]
        finally:
            database.dispose()
    return found + _relayed(site)


def _asked(known: New) -> list[tuple[str, str, Callable[[Any], Any]]]:
    return [
        ("the operator's first worklist", "intake", lambda work: work.complaints.open(None, LIMIT, actor=OPERATOR)),
        ("a complaint as it was written", "intake", lambda work: work.complaints.get(known.ticket, OPERATOR)),
        ("a reporter's own list", "intake", lambda work: work.complaints.of_reporter(known.reporter_id, None, LIMIT)),
        ("Tim Utama's worklist", "triage", lambda work: work.cases.open(None, LIMIT, actor=MAIN_TEAM)),
        ("a case, for Tim Utama", "triage", lambda work: work.cases.get(known.ticket, MAIN_TEAM)),
        ("an OPD's worklist", "opd_response", lambda work: work.cases.open(None, LIMIT, actor=OPD_TEAM)),
        ("a case, for an OPD", "opd_response", lambda work: work.cases.get(known.ticket, OPD_TEAM)),
        ("the operator's second worklist", "notification", lambda work: work.answers.open(None, LIMIT, actor=OPERATOR)),
        ("where a complaint stands", "notification", lambda work: work.answers.find(known.ticket, OPERATOR)),
        ("a timeline", "notification", lambda work: work.journeys.get(known.ticket)),
    ]


def _relayed(site: Site) -> list[dict[str, str]]:
    """Return the relay's statements at each wake-up. Nothing is unsent, so it publishes nothing."""
    database = Database(site.stack.database_url("intake"), size=1)
    try:
        with _noted(database) as statements:
            Relay(database, IntakeWork.OUTBOX, "intake", "").relay_batch(None)  # type: ignore[arg-type]
        return [
            {"what": "what the relay has to publish", "stage": "intake"} | each
            for each in _explained(database, statements)
        ]
    finally:
        database.dispose()


@contextmanager
def _noted(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Yield a list of the (statement, parameters) that are sent to `database` meanwhile."""
    noted: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            noted.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield noted
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def _explained(database: Database, statements: list[tuple[str, Any]]) -> Iterator[dict[str, str]]:
    with database.reading() as connection:
        for statement, parameters in statements:
            rows = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {statement}", parameters)
            yield {"statement": statement, "plan": "\n".join(row[0] for row in rows)}
