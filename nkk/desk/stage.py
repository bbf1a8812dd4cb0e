"""What the Nameko classes that keep clocks are made of."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from marshmallow import Schema
from nameko.extensions import DependencyProvider
from nameko.timer import timer

from nkk.contracts import Event
from nkk.contracts.events import CalendarChanged
from nkk.desk.calendars import Calendars
from nkk.messaging.consumer import handles
from nkk.messaging.stage import Stage, UnitOfWorkProvider

TELL_SECONDS = 10
BATCH = 100


class CalendarsProvider(DependencyProvider):
    """Gives each worker the stage's `Calendars`."""

    def start(self) -> None:
        uow = next(provider.uow for provider in self.container.dependencies if isinstance(provider, UnitOfWorkProvider))
        self._calendars = Calendars(uow)

    def get_dependency(self, worker_ctx: Any) -> Calendars:
        return self._calendars


class TellsAlarms(Stage):
    """A stage with clocks: each alarm is told once, by whichever instance comes to it first."""

    calendars: Any = CalendarsProvider()
    by_day: ClassVar[bool] = False
    """Whether this stage's desk is told by the day what its reporters did."""

    @timer(interval=TELL_SECONDS)
    def tell_alarms(self) -> None:
        """Tell of clocks that are near their end, or past it."""
        while self._tell_some(_now()) == BATCH:
            pass

    def shown(self, schema: Schema, case: Any) -> dict[str, Any]:
        """`case` as `schema` shows it, with what is left of its clocks and who is on it."""
        now = _now()
        left = self.calendars.left(case, case.service_due_at, case.service_calendar, now, self.by_day)
        return schema.dump(case) | left | {"claim": case.claim_at(now)}

    def _tell_some(self, now: datetime) -> int:
        # Told and remembered in one transaction: an instance that dies has told nothing, or everything.
        with self.uow.begin() as work:
            found = work.clocked.to_tell(now, BATCH)
            for timed in found:
                work.sound(timed, now)
                work.clocked.save(timed)
        return len(found)


class HearsCalendars(TellsAlarms):
    """A stage that is told of the calendar, which is another's to keep."""

    @handles(CalendarChanged)
    def on_calendar_changed(self, event: Event[CalendarChanged]) -> None:
        """The calendar has a new version."""
        with self.uow.handling(event) as work:
            work.calendars.keep(event.data.version, event.data.content, event.time, event.data.by)


def _now() -> datetime:
    return datetime.now(UTC)
