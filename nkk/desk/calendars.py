"""The versions of the calendar in a stage's database: one immutable row each."""

import json
import time
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, Text, func, select

from nkk.contracts import views
from nkk.sop.calendar import read_calendar
from nkk.sop.clock import OFFICE_HOURS, Calendar, write_instant
from nkk.sop.steps import RECEIVE
from nkk.sop.timed import Timed
from nkk.store.database import UtcDateTime, insert_if_absent

FRESH_SECONDS = 1.0
"""How long the number of the newest version is cached."""


class CalendarNotReceivedError(Exception):
    """An event names a calendar version that this stage has not consumed yet; a retry will succeed once it has."""


def calendars_table(metadata: MetaData) -> Table:
    """Declare the table of versions in a stage's metadata; version 0 is built in and never stored."""
    return Table(
        "calendars",
        metadata,
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("content", Text, nullable=False),
        Column("changed_at", UtcDateTime, nullable=False),
        Column("changed_by", String(64), nullable=False),
    )


class KeptCalendars:
    """The stored versions, within one transaction."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection = connection
        self._table = table

    def keep(self, version: int, content: dict[str, Any], at: datetime, by: str) -> bool:
        """Store a version unless it exists, and return whether it was stored."""
        row = {
            "version": version,
            "content": json.dumps(content, ensure_ascii=False),
            "changed_at": at,
            "changed_by": by,
        }
        return insert_if_absent(self._connection, self._table, row)

    def newest(self) -> int:
        """Return the highest stored version; 0 where there is none."""
        return self._connection.execute(select(func.coalesce(func.max(self._table.c.version), 0))).scalar_one()

    def current(self) -> Calendar:
        """Return the newest calendar, as this transaction sees it."""
        return self.get(self.newest())

    def get(self, version: int) -> Calendar:
        """Return a version that is stored, or the built-in one."""
        row = self.row(version)
        return OFFICE_HOURS if row is None else read_calendar(row["content"], row["version"])

    def row(self, version: int) -> Any:
        """Return the row of a version, with its content parsed from JSON; None where it is not stored."""
        row = self._connection.execute(select(self._table).where(self._table.c.version == version)).first()
        return row and {**row._mapping, "content": json.loads(row.content)}

    def rows(self, below: int, limit: int) -> list[Any]:
        """Return at most `limit` versions under `below`, newest first, without their contents."""
        table = self._table
        query = select(table.c.version, table.c.changed_at, table.c.changed_by).where(table.c.version < below)
        return list(self._connection.execute(query.order_by(table.c.version.desc()).limit(limit)))


class Calendars:
    """A cache of the calendar versions that a stage has consumed."""

    def __init__(self, uow: Any) -> None:
        self._uow = uow
        self._known = {0: OFFICE_HOURS}
        self._newest = (float("-inf"), 0)

    def current(self) -> Calendar:
        """Return the calendar for clocks that start now. Not for use within a transaction: it takes a connection."""
        looked, version = self._newest
        if time.monotonic() - looked > FRESH_SECONDS:
            with self._uow.reading() as work:
                version = work.calendars.newest()
            self._newest = (time.monotonic(), version)
        return self.get(version)

    def get(self, version: int) -> Calendar:
        """Return a version. Raises CalendarNotReceivedError. Not for use in a transaction: may take a connection."""
        if version not in self._known:
            with self._uow.reading() as work:
                row = work.calendars.row(version)
            if row is None:
                raise CalendarNotReceivedError(f"calendar version {version}")
            self._known[version] = read_calendar(row["content"], version)
        return self._known[version]

    def named_by(self, data: Any) -> Calendar:
        """Return the calendar for the clock that an event's `data` starts.

        Raises CalendarNotReceivedError where this calendar, or that of the whole service, has not been consumed yet.
        """
        if data.service_calendar is not None:
            self.get(data.service_calendar)
        return self.get(data.calendar)

    def forget_newest(self) -> None:
        """Drop the cached number of the newest version, because there is a newer one."""
        self._newest = (float("-inf"), 0)

    def left(
        self, timed: Timed, service_due_at: datetime, service_calendar: int | None, now: datetime, by_day: bool = False
    ) -> views.Left:
        """Return the office minutes left to the step and to the whole service, and whether the step is or was late.

        Minutes are negative when overdue, and None when the step is done or, for the service, the answer sent. Outside
        office hours a late step may still have 0 minutes, and none pass while its desk waits for the reporter. Each is
        counted by its own calendar version; the service by the step's where its own is unknown. With `by_day` the
        service is counted from the start of today to that of the due day, because exact minutes would reveal when the
        report was written.
        """
        counted_to = timed.counted_to(now)
        late = counted_to > timed.due_at
        if timed.done_at is not None:
            return {"left_minutes": None, "service_left_minutes": None, "late": late}
        service = self.get(timed.calendar if service_calendar is None else service_calendar)
        count = service.days_left if by_day else service.minutes_left
        return {
            "left_minutes": self.get(timed.calendar).minutes_left(counted_to, timed.due_at),
            "late": late,
            "waiting_since": write_instant(timed.waiting_since) if timed.waiting_since else None,
            "service_left_minutes": None if timed.step == RECEIVE else count(now, service_due_at),
        }
