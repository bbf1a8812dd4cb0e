"""Reading journeys: by those who may follow one, by those who prove its clocks, by those who count a month's."""

from collections.abc import Callable
from typing import Any

from nkk.contracts import views
from nkk.desk import Calendars, viewing
from nkk.messaging.rpc import rpc
from nkk.sop.calendar import write_calendar
from nkk.sop.clock import day_of
from nkk.sop.refusals import UnknownTicket
from nkk.sop.steps import Role, Stands
from nkk.trust.actor import Actor, requires
from nkk.validation import load
from services.notification import figures, schemas
from services.notification.counting import counted
from services.notification.domain import Journey

READERS = (Role.REPORTER, Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM)
COUNTERS = (Role.ADMIN, Role.MAIN_TEAM, Role.OPERATOR)


class Follows:
    """Everything that is read of journeys. No text of a complaint is here."""

    uow: Any
    calendars: Calendars
    wrote: Callable[[Journey, Actor], bool]

    @rpc
    @requires(*READERS)
    def timeline(self, actor: Actor, ticket: str) -> views.Timeline:
        """The journey of a complaint, for those who may follow it."""
        with viewing(self.uow, actor, ticket, "timeline") as work:
            journey = work.journeys.get(ticket)
            if not journey.shown_to(actor.role, self.wrote(journey, actor), actor.group):
                raise UnknownTicket
        return schemas.timeline(journey, actor, self.calendars.get, work.now)

    @rpc
    @requires(Role.REPORTER)
    def standings(self, actor: Actor, tickets: list[str]) -> dict[str, Stands]:
        """Where those of `tickets` that are the caller's own stand."""
        with self.uow.reading() as work:
            journeys = work.journeys.of(tickets)
        return {journey.ticket: journey.stands() for journey in journeys if self.wrote(journey, actor)}

    @rpc
    @requires(Role.ADMIN)
    def record(self, actor: Actor, ticket: str) -> views.Records:
        """The facts of one journey and the calendars its clocks run by: all that is needed to count them anew."""
        with viewing(self.uow, actor, ticket, "clocks") as work:
            journey = work.journeys.get(ticket)
        return self._records([journey])

    @rpc
    @requires(Role.ADMIN)
    def open_by_category(self, actor: Actor) -> dict[str, int]:
        """Return how many complaints are not closed, by `category` and by `category/sub-category`: what an admin needs
        to know who removes one, and no more."""
        with self.uow.reading() as work:
            return work.journeys.open_by_category()

    @rpc
    @requires(*COUNTERS)
    def month(self, actor: Actor, month: str, closed: bool, cursor: str | None = None) -> views.Records:
        """The facts of journeys that were under way in `month`, a page at a time: those `closed` since it began, or
        those not closed to this day."""
        first, end = load(schemas.Month, {"month": month})["month"]
        with self.uow.reading() as work:
            tickets, following = (
                work.journeys.closed_since(first, end, cursor) if closed else work.journeys.open_before(end, cursor)
            )
            journeys = work.journeys.of(tickets)
        return {**self._records(journeys), "next": following}

    @rpc
    def figures(self) -> dict[str, Any]:
        """How much came, was answered and closed and in what time: for anybody, of many complaints and never of one."""
        with self.uow.reading() as work:
            today = day_of(work.now)
            year, month = counted(work.connection, *figures.beginnings(work.now), today)
        return figures.shown(year, month, today)

    def _records(self, journeys: list[Journey]) -> views.Records:
        versions = set().union(*(journey.calendars for journey in journeys))
        return {
            "journeys": [schemas.record(journey) for journey in journeys],
            "calendars": {str(version): write_calendar(self.calendars.get(version)) for version in versions},
        }
