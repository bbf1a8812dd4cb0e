"""The books of an installation, read past its services: whether what was told was heard, once, and had its effect."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from nkk.contracts import EVENTS, STAGES
from nkk.sop.journey import TURNS
from nkk.stack.run import Stack

CONSUMERS = {event.TYPE: event.CONSUMERS for event in EVENTS}
SUBMITTED = "complaint.submitted.v1"
HANDED_OVER = "complaint.handed_over.v1"
TO_ANSWER = ("complaint.classified_as_information.v1", "response.approved.v1")
ANSWERED = "answer.sent.v1"


class Books:
    """What the databases of `stack` hold.

    Subjects added to `foreign` are left out: a test told something about them that no stage did, or took it away.
    """

    def __init__(self, stack: Stack) -> None:
        self._engines = {stage: _engine(stack.database_url(stage)) for stage in STAGES}
        self.foreign: set[str] = set()

    def rows(self, stage: str, query: str, **values: Any) -> list[tuple]:
        """What `query` finds in the database of `stage`."""
        with self._engines[stage].connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def count(self, stage: str, query: str, **values: Any) -> int:
        """How many rows `query` finds."""
        return len(self.rows(stage, query, **values))

    def inbox(self, stage: str, subject: str, type_: str) -> int:
        """How often `stage` noted the events of this type about `subject`, whoever told them."""
        ids = [row[0] for teller in STAGES for row in self.rows(
            teller, "SELECT event_id FROM outbox WHERE subject = :subject AND type = :type", subject=subject,
            type=type_)]
        return sum(self.count(stage, "SELECT 1 FROM inbox WHERE event_id = :id", id=event_id) for event_id in ids)

    def check(self, accepted: Iterable[str] = ()) -> None:
        """Every event told was sent and heard exactly once, and each table holds what follows from them, once.

        Every ticket of `accepted` is there. Raises AssertionError; events may still be on their way.
        """
        told = [row for stage in STAGES for row in self.rows(
            stage, "SELECT event_id, type, subject, sent_at FROM outbox ORDER BY id") if row[2] not in self.foreign]
        assert not [row for row in told if row[3] is None], "events not sent yet"
        heard = Counter((stage, row[0]) for stage in STAGES for row in self.rows(stage, "SELECT event_id FROM inbox"))
        due = Counter((stage, row[0]) for row in told for stage in CONSUMERS[row[1]])
        assert not due - heard, "events told and not heard"

        def subjects(*types: str) -> Counter[str]:
            return Counter(row[2] for row in told if row[1] in types)

        assert set(accepted) <= set(subjects(SUBMITTED))
        assert self._column("intake", "SELECT ticket FROM complaints") <= subjects(SUBMITTED)
        assert max(subjects(SUBMITTED).values(), default=1) == max(subjects(HANDED_OVER).values(), default=1) == 1
        assert self._column("triage", "SELECT ticket FROM cases") == subjects(HANDED_OVER)
        assert self._column("notification", "SELECT ticket FROM answers") == subjects(*TO_ANSWER)
        for kind, type_ in (("received", SUBMITTED), ("answered", ANSWERED)):
            assert self._column("notification", f"SELECT ticket FROM messages WHERE kind = '{kind}'") == subjects(type_)
        entries = Counter(self.rows("notification", "SELECT ticket, type FROM entries"))
        journeys = Counter((row[2], row[1]) for row in told if row[1] in TURNS)
        assert {entry: n for entry, n in entries.items() if entry[0] not in self.foreign} == journeys

    def _column(self, stage: str, query: str) -> Counter[str]:
        return Counter(row[0] for row in self.rows(stage, query) if row[0] not in self.foreign)


def _engine(url: str) -> Engine:
    # No pool: a test may restart the server.
    parts = make_url(url)
    return create_engine(parts if parts.drivername == "sqlite" else parts.set(drivername="postgresql+psycopg2"),
                         poolclass=NullPool)
