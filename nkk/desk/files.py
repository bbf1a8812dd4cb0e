"""The files of a case in a stage's database: their descriptors beside the case, and the ids that are taken.

An upload can be attached once: the stage that attaches it has its id in the table `attached`.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, ClassVar

from sqlalchemy import Column, Dialect, MetaData, String, Table, Text, select
from sqlalchemy.types import TypeDecorator

from nkk.sop.files import ID_LENGTH, File, FileAttachedBefore
from nkk.store.database import insert_if_absent
from nkk.store.work import Work


class Files(TypeDecorator[tuple[File, ...]]):
    """A column of files, written as JSON."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[File] = File) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: tuple[File, ...] | None, dialect: Dialect) -> str:
        return json.dumps([asdict(file) for file in value or ()])

    def process_result_value(self, value: Any | None, dialect: Dialect) -> tuple[File, ...]:
        return tuple(self.kind(**file) for file in json.loads(value or "[]"))


def files_column(name: str = "files", kind: type[File] = File) -> Column[Any]:
    """Return a column of files; instances of the version before, which do not know it, leave it empty."""
    return Column(name, Files(kind), nullable=False, server_default="[]")


def attached_table(metadata: MetaData) -> Table:
    """Declare the table of the uploads that this stage attached."""
    return Table(
        "attached",
        metadata,
        Column("id", String(ID_LENGTH), primary_key=True),
        Column("ticket", String(20), nullable=False),
    )


class AttachingWork(Work):
    """One transaction of a stage that attaches files."""

    ATTACHED: ClassVar[Table]

    def attach(self, ticket: str, files: Iterable[File]) -> None:
        """Take the files' uploads for `ticket`. Raises FileAttachedBefore where one is attached already."""
        for place, file in enumerate(files):
            if not insert_if_absent(self.connection, self.ATTACHED, {"id": file.id, "ticket": ticket}):
                raise FileAttachedBefore({"file": place})

    def attached(self, ids: list[str]) -> list[str]:
        """Return those of `ids` that are attached."""
        found = self.connection.execute(select(self.ATTACHED.c.id).where(self.ATTACHED.c.id.in_(ids)))
        return sorted(found.scalars())

    def tickets_with(self, ids: list[str]) -> list[str]:
        """Return the tickets that have any of `ids` attached."""
        found = self.connection.execute(select(self.ATTACHED.c.ticket).where(self.ATTACHED.c.id.in_(ids)).distinct())
        return list(found.scalars())

    def attached_after(self, id: str, most: int = 1000) -> list[str]:
        """Return the first `most` ids of what is attached that are behind `id`, in the database's order."""
        ids = self.ATTACHED.c.id
        return list(self.connection.execute(select(ids).where(ids > id).order_by(ids).limit(most)).scalars())
