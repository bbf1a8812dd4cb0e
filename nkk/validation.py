"""Validation of input against a schema, with one form of refusal."""

from datetime import datetime
from functools import cache
from typing import Any

from marshmallow import Schema, ValidationError

from nkk.sop.clock import read_instant
from nkk.sop.refusals import InvalidInput


@cache
def _made(schema: type[Schema]) -> Schema:
    return schema()


def load(schema: type[Schema], data: Any) -> dict[str, Any]:
    """Return `data` validated by `schema`. Raises InvalidInput with the faults of each invalid field."""
    try:
        return _made(schema).load(data)
    except ValidationError as error:
        raise InvalidInput({"fields": error.messages_dict}) from None


def instant(text: Any) -> datetime:
    """Parse `text` as an aware instant. Raises InvalidInput where it is not one."""
    try:
        return read_instant(text)
    except ValueError:
        raise InvalidInput(code="no-instant") from None
