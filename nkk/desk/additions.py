"""The additions to a report in a stage's database: beside the case, as its files are."""

import json
from typing import Any

from sqlalchemy import Column, Dialect, Text
from sqlalchemy.types import TypeDecorator

from nkk.sop.additions import Addition, described, told


class Additions(TypeDecorator[tuple[Addition, ...]]):
    """A column of additions, written as JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[Addition, ...] | None, dialect: Dialect) -> str:
        return json.dumps(told(value or ()))

    def process_result_value(self, value: Any | None, dialect: Dialect) -> tuple[Addition, ...]:
        return described(json.loads(value or "[]"))


def additions_column() -> Column[Any]:
    """Return the column of additions; instances of the version before, which do not know it, leave it empty."""
    return Column("additions", Additions(), nullable=False, server_default="[]")
