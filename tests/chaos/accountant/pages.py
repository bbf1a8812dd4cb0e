"""The pages: what the databases of an installation contain, read without its services."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Connection as SqlConnection
from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from nkk.contracts import STAGES
from nkk.sop.journey import TURNS
from tests.chaos.accountant.breach import Breach

OUTBOX = "SELECT id, event_id, type, subject, body, created_at, sent_at FROM outbox ORDER BY id"

NOTING = ("intake", "triage", "opd_response")
"""The stages whose desks write notes."""

ASKED = "question, rests_until, done_at"
"""The columns of a desk that say whether it waits for its reporter."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """One row of a stage's outbox, in the order of `id`, with times as the database writes them."""

    stage: str
    id: int
    event_id: str
    type: str
    subject: str
    body: str
    created_at: str
    sent_at: str | None

    @cached_property
    def data(self) -> dict[str, Any]:
        """The data of the event."""
        return json.loads(self.body)["data"]

    @property
    def round(self) -> int:
        """The number of the OPD's response that the event is about; 0 for none."""
        return self.data.get("round", 0)


@dataclass(frozen=True)
class Pages:
    """All pages of the books at one moment.

    `foreign` subjects are left out, because a test published or removed something about them. Those published `by_hand`
    have no complaint at intake.
    """

    told: tuple[Told, ...]
    heard: Counter[tuple[str, str]]
    tables: Mapping[str, list[Row]]
    foreign: frozenset[str] = frozenset()
    by_hand: frozenset[str] = frozenset()

    @cached_property
    def journeys(self) -> dict[str, list[Told]]:
        """Return the published facts of each complaint, in the order of its stages."""
        found = defaultdict(list)
        for event in self.told:
            if event.type in TURNS:
                found[event.subject].append(event)
        return found

    def about(self, ticket: str) -> list[Told]:
        """Return all published events about a complaint."""
        return self._by_subject.get(ticket, [])

    def of(self, ticket: str, type_: str) -> list[Told]:
        """Return the published events of one type about a complaint."""
        return [event for event in self.about(ticket) if event.type == type_]

    @cached_property
    def _by_subject(self) -> dict[str, list[Told]]:
        found = defaultdict(list)
        for event in self.told:
            found[event.subject].append(event)
        return found

    def rows(self, table: str, ticket: str) -> list[Row]:
        """Return the rows of `table` about `ticket`."""
        return self._by_ticket[table].get(ticket, [])

    def tickets(self, table: str) -> Iterable[str]:
        """Return every ticket in `table`."""
        return self._by_ticket[table].keys()

    @cached_property
    def _by_ticket(self) -> dict[str, dict[str, list[Row]]]:
        found: dict[str, dict[str, list[Row]]] = {}
        for table, rows in self.tables.items():
            found[table] = defaultdict(list)
            for row in rows:
                if row["ticket"] is not None and row["ticket"] not in self.foreign:
                    found[table][row["ticket"]].append(row)
        return found


TABLES = {
    "complaints": ("intake", f"SELECT ticket, handed_over_by, files, ended, {ASKED} FROM complaints"),
    "submissions": ("intake", "SELECT ticket, idempotency_key FROM submissions"),
    "triage cases": ("triage", f"SELECT ticket, state, round, files, response_files, ended, {ASKED} FROM cases"),
    "OPD cases": (
        "opd_response",
        f"SELECT ticket, forwarding, state, round, files, response_files, ended, {ASKED} FROM cases",
    ),
    "questions": (
        "notification",
        "SELECT ticket, id, number, step, forwarding, round, state, lapses_at, ended_at, files FROM questions",
    ),
    "answers": ("notification", "SELECT ticket, state, path, ended, rating, earlier FROM answers"),
    "journeys": ("notification", "SELECT ticket, path, closed_at, ended, kept FROM journeys"),
    "entries": ("notification", "SELECT ticket, event_id, type, round FROM entries"),
    **{
        f"{stage} openings": (stage, "SELECT ticket, role, detail FROM record WHERE act = 'file_opened'")
        for stage in STAGES
    },
    **{f"{stage} notes": (stage, "SELECT ticket, text FROM notes") for stage in NOTING},
    **{f"{stage} recusals": (stage, "SELECT ticket, whom FROM recusals") for stage in STAGES},
    "messages": ("notification", "SELECT ticket, id, kind, sent_at, given_up_at FROM messages"),
}
"""The stage of each table, and the query for what the accountant reads."""


@dataclass
class Books:
    """The books behind `urls`, the database of each stage.

    A test adds to `foreign` and `by_hand` what it did itself (see Pages).
    """

    urls: Mapping[str, str]
    foreign: set[str] = field(default_factory=set)
    by_hand: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._engines = {stage: _engine(self.urls[stage]) for stage in STAGES}

    def rows(self, stage: str, query: str, **values: Any) -> list[tuple]:
        """Return the rows that `query` finds in the database of `stage`."""
        with self._engines[stage].connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def count(self, stage: str, query: str, **values: Any) -> int:
        """Return the number of rows that `query` finds."""
        return len(self.rows(stage, query, **values))

    def inbox(self, stage: str, subject: str, type_: str) -> int:
        """Return how often `stage` consumed the events of this type about `subject`, whichever stage published them."""
        ids = [
            row[0]
            for teller in STAGES
            for row in self.rows(
                teller,
                "SELECT event_id FROM outbox WHERE subject = :subject AND type = :type",
                subject=subject,
                type=type_,
            )
        ]
        return sum(self.count(stage, "SELECT 1 FROM inbox WHERE event_id = :id", id=event_id) for event_id in ids)

    def read(self) -> Pages:
        """Read everything as it is now."""
        with ExitStack() as opened:
            # One connection to each database and no transaction, so that each query sees the current state.
            at = {
                stage: opened.enter_context(engine.connect()).execution_options(isolation_level="AUTOCOMMIT")
                for stage, engine in self._engines.items()
            }
            # Consumers are read before publishers: an event published meanwhile is then missing from neither, or only
            # from the consumers.
            heard = Counter(
                (stage, row[0]) for stage in STAGES for row in at[stage].execute(text("SELECT event_id FROM inbox"))
            )
            tables = {
                name: [dict(row) for row in at[stage].execute(text(query)).mappings()]
                for name, (stage, query) in TABLES.items()
            }
            told = tuple(
                event for stage in STAGES for event in _told(stage, at[stage]) if event.subject not in self.foreign
            )
        return Pages(told, heard, tables, frozenset(self.foreign), frozenset(self.by_hand))

    def check(self, accepted: Iterable[str] = ()) -> None:
        """Check that every event was consumed once and took effect once, and that every ticket of `accepted` exists.

        Raises AssertionError that names the breaches. Events may still be in transit.
        """
        # Imported here, because both import this module.
        from tests.chaos.accountant import effects, events

        pages = self.read()
        found = [*events.breaches(pages), *effects.breaches(pages)]
        found += [
            Breach("accepted", ticket, "nothing is told of it") for ticket in accepted if ticket not in pages.journeys
        ]
        assert not found, "\n".join(map(str, found))


def _told(stage: str, connection: SqlConnection) -> list[Told]:
    return [
        Told(stage, *row[:5], str(row[5]), None if row[6] is None else str(row[6]))
        for row in connection.execute(text(OUTBOX))
    ]


def _engine(url: str) -> Engine:
    # No pool, because the server may be restarted.
    parts = make_url(url)
    return create_engine(
        parts if parts.drivername == "sqlite" else parts.set(drivername="postgresql+psycopg2"), poolclass=NullPool
    )
