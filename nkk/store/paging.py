"""Keyset paging: a page begins after the last key of the previous one, at the same cost for any number of rows."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, literal, tuple_

from nkk.sop import faults
from nkk.sop.refusals import InvalidInput
from nkk.store.database import UtcDateTime

LIMIT = 50
MAX_LIMIT = 200


def page(
    connection: Connection,
    query: Select,
    keys: Sequence[ColumnElement],
    cursor: str | None,
    limit: int | None,
    read: Callable[[Any], Any],
    descending: bool = False,
) -> tuple[list[Any], str | None]:
    """Return one page of `query`, its rows converted by `read`, and the next cursor or None.

    Rows are ordered by `keys`, which must be unique together. `limit` is LIMIT where it is None. Raises InvalidInput
    where the cursor is malformed or the limit is not between 1 and MAX_LIMIT.
    """
    limit = LIMIT if limit is None else limit
    if not isinstance(limit, int) or not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput.of(limit=faults.OUT_OF_RANGE(least=1, most=MAX_LIMIT))
    if cursor:
        bounds = [literal(value, type_=key.type) for key, value in zip(keys, _decode(cursor, keys), strict=True)]
        query = query.where(tuple_(*keys) < tuple_(*bounds) if descending else tuple_(*keys) > tuple_(*bounds))
    query = query.order_by(*(key.desc() if descending else key for key in keys)).limit(limit + 1)
    rows = connection.execute(query).all()
    more = len(rows) > limit
    rows = rows[:limit]
    return [read(row) for row in rows], _encode(rows[-1], keys) if more else None


def _encode(row: Any, keys: Sequence[ColumnElement]) -> str:
    values = [getattr(row, key.key) for key in keys]  # type: ignore[arg-type]
    values = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _decode(cursor: str, keys: Sequence[ColumnElement]) -> list[Any]:
    try:
        values = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return [_read(key, value) for key, value in zip(keys, values, strict=True)]
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise InvalidInput.of(cursor=faults.NO_CURSOR()) from None


def _read(key: ColumnElement, value: Any) -> Any:
    if isinstance(key.type, UtcDateTime):
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError(value)
        return instant.astimezone(UTC)
    if not isinstance(value, str) or b"\x00" in value.encode():
        raise ValueError(value)
    return value
