"""Who looked at a case: the stage's table `record`, a row for each look, in the transaction that shows it.

Rows are added and never changed; a look that cannot be recorded does not happen. A reporter's own looks are not
recorded: a row that names an account beside a ticket would say who wrote what.
"""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

from nkk.sop.steps import Role
from nkk.store.database import UtcDateTime
from nkk.store.work import Work
from nkk.trust.actor import Actor

VIEWED = "viewed"
"""Somebody read a case, or had a document made of it: `of` in the detail says which part."""

IDENTITY_SHOWN = "identity_shown"
"""Somebody was shown who reported."""

LETTER_DROPPED = "letter_dropped"
"""Somebody on duty took a letter out for good: `letter` in the detail is its id."""


def record_table(metadata: MetaData) -> Table:
    """Declare the record in a stage's metadata: `act` names what was done, `detail` (JSON) no text and no person."""
    return Table(
        "record",
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("at", UtcDateTime, nullable=False),
        Column("actor", String(64), nullable=False),
        Column("role", String(20), nullable=False),
        Column("act", String(40), nullable=False),
        Column("ticket", String(20)),
        Column("detail", Text, nullable=False),
        Index("ix_record_ticket", "ticket"),
        # An id is given once, also where the last row were taken away.
        sqlite_autoincrement=True,
    )


class RecordedWork(Work):
    """One transaction of a stage that keeps a record."""

    RECORD: ClassVar[Table]

    def record(self, actor: Actor, act: str, ticket: str | None, **detail: str) -> None:
        """Have it recorded with this transaction that `actor` did `act`; `detail` is of fixed words and ids alone."""
        self.inserts.add(
            self.RECORD,
            {
                "at": self.now,
                "actor": actor.id,
                "role": actor.role,
                "act": act,
                "ticket": ticket,
                "detail": json.dumps(detail),
            },
        )


def viewing(uow: Any, actor: Actor, ticket: str, of: str) -> AbstractContextManager[Any]:
    """The repositories for `actor`, who looks at `of` of a case; recorded unless they are a reporter. What is raised
    within shows nothing, and is not recorded."""
    return uow.reading() if actor.role == Role.REPORTER else _recorded(uow, actor, ticket, of)


@contextmanager
def _recorded(uow: Any, actor: Actor, ticket: str, of: str) -> Iterator[Any]:
    with uow.begin() as work:
        yield work
        work.record(actor, VIEWED, ticket, of=of)
