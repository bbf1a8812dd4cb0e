"""The responses of several OPDs to one matter in a stage's database: beside the case, as its files are."""

import json
from typing import Any

from sqlalchemy import Column, Dialect, Text
from sqlalchemy.types import TypeDecorator

from nkk.sop.gathered import Gathered, described, told


class Responses(TypeDecorator[tuple[Gathered, ...]]):
    """A column of gathered responses, written as JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[Gathered, ...] | None, dialect: Dialect) -> str:
        return json.dumps(told(value or ()), ensure_ascii=False)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> tuple[Gathered, ...]:
        return described(json.loads(value or "[]"))


def gathered_column() -> Column[Any]:
    """Return the column of gathered responses; instances of the version before leave it empty."""
    return Column("gathered", Responses(), nullable=False, server_default="[]")
