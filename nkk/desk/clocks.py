"""The clock's columns in a stage's table, and the publishing of alarms."""

from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from sqlalchemy import Column, Connection, Index, Integer, String, Table, select

from nkk.contracts.events import StepDueSoon, StepOverdue
from nkk.desk.calendars import KeptCalendars
from nkk.sop.timed import Alarm, Timed
from nkk.store.database import UtcDateTime
from nkk.store.work import Work

_EVENTS: dict[Alarm, type[StepDueSoon] | type[StepOverdue]] = {Alarm.DUE_SOON: StepDueSoon, Alarm.OVERDUE: StepOverdue}


def clock_columns() -> list[Column[Any]]:
    """Return the columns of a `Timed`."""
    return [
        Column("came_at", UtcDateTime, nullable=False),
        Column("due_at", UtcDateTime, nullable=False),
        Column("calendar", Integer, nullable=False, server_default="0"),
        Column("done_at", UtcDateTime),
        Column("tell_at", UtcDateTime),
        Column("rests_since", UtcDateTime),
        Column("rests_until", UtcDateTime),
        Column("due_before", UtcDateTime),
        Column("tell_before", UtcDateTime),
    ]


def question_columns() -> list[Column[Any]]:
    """Return the columns of an `Askable`: its last question, and the one that lapsed."""
    return [
        Column("question", String(200)),
        Column("lapsed", String(200)),
    ]


def alarm_index(table: Table) -> Index:
    """Declare the partial index of rows with an alarm to come."""
    has_alarm = table.c.tell_at.is_not(None)
    return Index(f"ix_{table.name}_alarm", table.c.tell_at, sqlite_where=has_alarm, postgresql_where=has_alarm)


def due_alarms(connection: Connection, table: Table, now: datetime, limit: int) -> list[Any]:
    """Return rows with an alarm to raise, locked; rows that another instance has locked are skipped."""
    query = select(table).where(table.c.tell_at < now).order_by(table.c.tell_at).limit(limit)
    return list(connection.execute(query.with_for_update(skip_locked=True)).all())


class ClockedWork(Work):
    """One transaction of a stage that keeps clocks. `clocked` is the repository of the cases at its steps."""

    CALENDARS: ClassVar[Table]

    clocked: Any

    @cached_property
    def calendars(self) -> KeptCalendars:
        return KeptCalendars(self.connection, self.CALENDARS)

    def raise_alarm(self, timed: Timed, now: datetime) -> StepDueSoon | StepOverdue | None:
        """Publish the alarm that is due at `now`, if any, and return it. The caller must then save `timed`."""
        alarm = timed.alarm(now)
        if alarm is None:
            return None
        step = timed.step
        event = _EVENTS[alarm](
            ticket=timed.ticket,
            step=step.number,
            forwarding=timed.about_forwarding,
            role=step.role,
            opd=timed.team_opd,
            round=timed.about_round,
            came_at=timed.came_at,
            due_at=timed.due_at,
            calendar=timed.calendar,
        )
        self.emit(event, at=now)
        return event

    def raise_if_overdue(self, timed: Timed, now: datetime) -> None:
        """Publish the overdue alarm before a late step ends, where the timer has not done so yet."""
        if now > timed.due_at and not timed.rests(now):
            self.raise_alarm(timed, now)
