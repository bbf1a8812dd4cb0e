"""The clock's columns of a stage's table, and the telling of what runs out."""

from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from sqlalchemy import Column, Connection, Index, Integer, Table, select

from nkk.contracts.events import StepDueSoon, StepOverdue
from nkk.desk.calendars import KeptCalendars
from nkk.sop.timed import Alarm, Timed
from nkk.store.database import UtcDateTime
from nkk.store.work import Work

_EVENTS: dict[Alarm, type[StepDueSoon] | type[StepOverdue]] = {Alarm.DUE_SOON: StepDueSoon, Alarm.OVERDUE: StepOverdue}


def clock_columns() -> list[Column[Any]]:
    """The columns of a `Timed`."""
    return [
        Column("came_at", UtcDateTime, nullable=False),
        Column("due_at", UtcDateTime, nullable=False),
        Column("calendar", Integer, nullable=False, server_default="0"),
        Column("done_at", UtcDateTime),
        Column("tell_at", UtcDateTime),
    ]


def alarm_index(table: Table) -> Index:
    """What finds the alarms to be told, however many rows have none."""
    has_alarm = table.c.tell_at.is_not(None)
    return Index(f"ix_{table.name}_alarm", table.c.tell_at, sqlite_where=has_alarm, postgresql_where=has_alarm)


def to_tell(connection: Connection, table: Table, now: datetime, limit: int) -> list[Any]:
    """Rows with an alarm to be told, this transaction's alone: what another instance is telling is passed over."""
    query = select(table).where(table.c.tell_at < now).order_by(table.c.tell_at).limit(limit)
    return list(connection.execute(query.with_for_update(skip_locked=True)).all())


class ClockedWork(Work):
    """One transaction of a stage that keeps clocks. `clocked` is the repository of what stands at its steps."""

    CALENDARS: ClassVar[Table]

    clocked: Any

    @cached_property
    def calendars(self) -> KeptCalendars:
        return KeptCalendars(self.connection, self.CALENDARS)

    def sound(self, timed: Timed, now: datetime) -> StepDueSoon | StepOverdue | None:
        """Tell what is to be told of a clock by `now`, and remember it; `timed` is then to be saved."""
        alarm = timed.alarm(now)
        if alarm is None:
            return None
        step = timed.step
        event = _EVENTS[alarm](
            ticket=timed.ticket,
            step=step.number,
            role=step.role,
            opd=timed.team_opd,
            round=timed.about_round,
            came_at=timed.came_at,
            due_at=timed.due_at,
            calendar=timed.calendar,
        )
        self.emit(event, at=now)
        return event

    def sound_if_late(self, timed: Timed, now: datetime) -> None:
        """For whoever is about to end a step: where it is late and the timer has not come to it yet, it is told now."""
        if now > timed.due_at:
            self.sound(timed, now)
