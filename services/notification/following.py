"""RPC methods that read journeys: for those who may follow one, for proving its clocks, and for monthly reports."""

from collections.abc import Callable
from datetime import datetime
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
from services.notification import figures, ratings, schemas, shown
from services.notification.counting import counted, rated
from services.notification.journeys import Journey

READERS = (Role.REPORTER, Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM)
COUNTERS = (Role.ADMIN, Role.MAIN_TEAM, Role.OPERATOR)


class Follows:
    """The part of notification that reads journeys. It never returns the text of a complaint."""

    uow: Any
    calendars: Calendars
    wrote: Callable[[Journey, Actor], bool]

    @rpc
    @requires(*READERS)
    def timeline(self, actor: Actor, ticket: str) -> views.Timeline:
        """Return the journey of a complaint as the caller may see it. Raises UnknownTicket where they may not."""
        with viewing(self.uow, actor, ticket, "timeline") as work:
            journey = work.journeys.get(ticket, actor)
            if not journey.shown_to(actor.role, self.wrote(journey, actor), actor.group):
                raise UnknownTicket
            told = journey.told_to(actor.role, actor.group, work.now, self.calendars.get)
            additions = work.journeys.additions(ticket)
        if told.until is not None:
            additions = [addition for addition in additions if addition.at <= told.until]
        return shown.timeline(told, actor, self.calendars.get, work.now, additions)

    @rpc
    @requires(Role.REPORTER)
    def standings(self, actor: Actor, tickets: list[str]) -> dict[str, views.StandsInList]:
        """Return the states of those complaints among `tickets` that are the caller's own."""
        with self.uow.reading() as work:
            journeys = work.journeys.of(tickets)
        return {
            journey.ticket: shown.in_list(self._neutral(journey, work.now), self.calendars.get, work.now)
            for journey in journeys
            if self.wrote(journey, actor)
        }

    @rpc
    @requires(Role.WEBSITE)
    def entered(self, actor: Actor, tickets: list[str]) -> dict[str, Stands]:
        """Return the states of those complaints among `tickets` that the calling website sent in.

        It learns the day after that its reporter received the answer, as the teams in BY_DAY do.
        """
        with self.uow.reading() as work:
            journeys = work.journeys.of(tickets)
        return {
            journey.ticket: self._neutral(journey, work.now).by_day(work.now).stands()
            for journey in journeys
            if journey.website == actor.id
        }

    @rpc
    @requires(Role.ADMIN)
    def record(self, actor: Actor, ticket: str) -> views.Records:
        """Return the facts of one journey and the calendars of its clocks, from which the clocks can be recounted."""
        with viewing(self.uow, actor, ticket, "clocks") as work:
            journey = work.journeys.get(ticket)
        return self._records([journey])

    @rpc
    @requires(Role.ADMIN)
    def open_by_category(self, actor: Actor) -> dict[str, int]:
        """Return the numbers of open complaints, by `category` and by `category/sub-category`.

        An admin needs them before removing a category, and is shown nothing else of these complaints.
        """
        with self.uow.reading() as work:
            return work.journeys.open_by_category()

    @rpc
    @requires(*COUNTERS)
    def month(self, actor: Actor, month: str, closed: bool, cursor: str | None = None) -> views.Records:
        """Return a page of the facts of journeys under way in `month`.

        With `closed` they are those closed since the month began, else those that are still open. Those that the caller
        may not see are left out: a list with one case fewer than its count would tell that there is one. The first page
        of the open ones also has what is told of the month's ratings, up to the beginning of today.
        """
        first, end = load(schemas.Month, {"month": month})["month"]
        with self.uow.reading() as work:
            tickets, following = (
                work.journeys.closed_since(first, end, cursor) if closed else work.journeys.open_before(end, cursor)
            )
            journeys = work.journeys.of(tickets, actor)
            until = min(end, day_of(work.now))
            by_month = None if closed or cursor else rated(work.connection, [first, end], until)
        page: views.Records = {**self._records(journeys), "next": following}
        if by_month is not None:
            page["ratings"] = ratings.told(by_month[0], lasts=until < end)
        return page

    @rpc
    def figures(self) -> dict[str, Any]:
        """Return the public figures: numbers of complaints and durations, without anything about a single complaint."""
        with self.uow.reading() as work:
            today = day_of(work.now)
            months = figures.beginnings(work.now)
            found = counted(work.connection, months, today)
            by_month = rated(work.connection, months, today)
        return ratings.added(figures.shown(*found, today), by_month)

    def _neutral(self, journey: Journey, now: datetime) -> Journey:
        return journey.neutral(now, self.calendars.get)

    def _records(self, journeys: list[Journey]) -> views.Records:
        versions = set().union(*(journey.calendars for journey in journeys))
        return {
            "journeys": [shown.record(journey) for journey in journeys],
            "calendars": {str(version): write_calendar(self.calendars.get(version)) for version in versions},
        }
