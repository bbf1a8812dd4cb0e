"""The access log of cases: the stage's table `record`, with a row for each view, in the transaction that reads it.

The table is append-only, and a view that cannot be recorded does not happen. A reporter's own views are not recorded: a
row with an account and a ticket would reveal who wrote the report.
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
"""The act of reading a case or having a document made of it; `of` in the detail says which part."""

IDENTITY_SHOWN = "identity_shown"
"""The act of viewing the reporter's identity."""

FILE_OPENED = "file_opened"
"""The act of opening a file, or its preview; `file` in the detail is its number, `of` says which of the two."""

CODE_RENEWED = "code_renewed"
"""The act of giving a report that staff entered a new access code, which ended the code before."""

LETTER_DROPPED = "letter_dropped"
"""The act of deleting a letter that was not sent; `letter` in the detail is its id."""


def record_table(metadata: MetaData) -> Table:
    """Declare the record in a stage's metadata; `act` names the act, `detail` (JSON) never holds texts or persons."""
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
        # Never reuse an id, even that of a deleted last row.
        sqlite_autoincrement=True,
    )


class RecordedWork(Work):
    """One transaction of a stage that keeps a record."""

    RECORD: ClassVar[Table]

    def record(self, actor: Actor, act: str, ticket: str | None, **detail: str) -> None:
        """Record in this transaction that `actor` did `act`; `detail` holds only fixed words and ids."""
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
    """Open the repositories for `actor` to view the part `of` of a case, and record the view.

    A reporter's view is not recorded, nor is one that ends with an exception, because it shows nothing.
    """
    return uow.reading() if actor.role == Role.REPORTER else _recorded(uow, actor, VIEWED, ticket, of=of)


def opening(uow: Any, actor: Actor, ticket: str, number: str, of: str) -> AbstractContextManager[Any]:
    """Open the repositories for `actor` to open a file, or its preview (`of`), and record it as `viewing` does."""
    if actor.role == Role.REPORTER:
        return uow.reading()
    return _recorded(uow, actor, FILE_OPENED, ticket, file=number, of=of)


@contextmanager
def _recorded(uow: Any, actor: Actor, act: str, ticket: str, **detail: str) -> Iterator[Any]:
    with uow.begin() as work:
        yield work
        work.record(actor, act, ticket, **detail)
