"""Input checked by a schema, refused in one form."""

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
    """`data` checked by `schema`. Raises InvalidInput with the fields at fault and what to do about each."""
    try:
        return _made(schema).load(data)
    except ValidationError as error:
        raise InvalidInput({"fields": error.messages_dict}) from None


def instant(text: Any) -> datetime:
    """The aware instant that `text` writes. Raises InvalidInput."""
    try:
        return read_instant(text)
    except ValueError:
        raise InvalidInput(code="no-instant") from None
