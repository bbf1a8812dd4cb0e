"""What opd_response hears and can be told."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from nkk.contracts import Event
from nkk.contracts.events import ComplaintForwarded, ResponseReturned, ResponseSubmitted
from nkk.desk import read_wanted, viewing
from nkk.desk.stage import HearsCalendars
from nkk.messaging.consumer import handles
from nkk.messaging.rpc import rpc
from nkk.messaging.stage import UnitOfWorkProvider
from nkk.sop import steps
from nkk.sop.clock import Calendar
from nkk.sop.report import written
from nkk.sop.steps import Role
from nkk.sop.timed import started
from nkk.trust.actor import Actor, requires
from nkk.validation import load
from services.opd_response import schemas
from services.opd_response.domain import Case
from services.opd_response.storage import OpdResponseWork


class OpdResponseService(HearsCalendars):
    """Step 4: the desks of the agencies' helper teams. A team sees and answers its own agency's complaints only."""

    name = "opd_response"
    by_day = True
    uow = UnitOfWorkProvider(OpdResponseWork)

    @handles(ComplaintForwarded, together=True)
    def on_complaint_forwarded(self, event: Event[ComplaintForwarded]) -> None:
        """Step 3 ended: a complaint comes to be answered."""
        calendar = self.calendars.named_by(event.data)
        with self.uow.handling(event) as work:
            work.cases.add(_case(event, calendar))

    @handles(ResponseReturned, together=True)
    def on_response_returned(self, event: Event[ResponseReturned]) -> None:
        """Step 5 sent a response back: it is to be answered again."""
        data, calendar = event.data, self.calendars.get(event.data.calendar)
        with self.uow.handling(event) as work:
            case = work.cases.get(data.ticket, data.opd, for_update=True)
            case.take_back(data.round, data.note, event.time, calendar)
            work.cases.save(case)

    @rpc
    @requires(Role.OPD_TEAM)
    def worklist(
        self, actor: Actor, cursor: str | None = None, limit: int | None = None, wanted: dict | None = None
    ) -> dict[str, Any]:
        """Complaints awaiting the team's response, oldest due first."""
        with self.uow.reading() as work:
            items, following = work.cases.open(actor.group, cursor, limit, read_wanted(wanted, _now()))
        return {"items": [self.shown(schemas.Listed(), case) for case in items], "next": following}

    @rpc
    @requires(Role.ADMIN)
    def open_by_opd(self, actor: Actor) -> dict[str, int]:
        """How many complaints await the response of each agency: what an admin needs to know who takes one off the
        roster, and no more."""
        with self.uow.reading() as work:
            return work.cases.open_by_opd()

    @rpc
    @requires(Role.OPD_TEAM)
    def case(self, actor: Actor, ticket: str) -> dict[str, Any]:
        """One complaint, whole."""
        with viewing(self.uow, actor, ticket, "case") as work:
            case = work.cases.get(ticket, actor.group)
        return self.shown(schemas.CaseView(), case)

    @rpc
    @requires(Role.OPD_TEAM)
    def respond(self, actor: Actor, ticket: str, text: str) -> dict[str, Any]:
        """Step 4: answer a complaint; again, after a return."""
        form = load(schemas.Response, {"text": text})
        now, calendar = _now(), self.calendars.current()
        with self.uow.begin() as work:
            case = work.cases.get(ticket, actor.group, for_update=True)
            work.sound_if_late(case, now)
            case.respond(form["text"], now)
            work.cases.save(case)
            work.emit(
                ResponseSubmitted(
                    ticket=ticket,
                    opd=case.opd,
                    round=case.round,
                    text=case.response,
                    calendar=calendar.version,
                    by=actor.id,
                ),
                at=now,
            )
        return {"ticket": ticket, "stands": case.stands()}

    @rpc
    @requires(Role.OPD_TEAM)
    def claim(self, actor: Actor, ticket: str, take_over: bool = False) -> dict[str, Any]:
        """The caller is on it; in a colleague's place only with `take_over`."""
        return self._claiming(ticket, actor, lambda case, now: case.claim(actor.id, now, take_over is True))

    @rpc
    @requires(Role.OPD_TEAM)
    def release(self, actor: Actor, ticket: str) -> dict[str, Any]:
        """The caller is not on it any more."""
        return self._claiming(ticket, actor, lambda case, now: case.release(actor.id, now))

    def _claiming(self, ticket: str, actor: Actor, act: Callable[[Case, datetime], None]) -> dict[str, Any]:
        now = _now()
        with self.uow.begin() as work:
            case = work.cases.get(ticket, actor.group, for_update=True)
            act(case, now)
            work.cases.save(case)
        return {"ticket": ticket, "claim": case.claim_at(now)}


def _now() -> datetime:
    return datetime.now(UTC)


def _case(event: Event[ComplaintForwarded], calendar: Calendar) -> Case:
    data = event.data
    return Case(
        ticket=data.ticket,
        opd=data.opd,
        note=data.note,
        service_due_at=data.service_due_at,
        service_calendar=data.service_calendar,
        **written(data),
        **started(steps.RESPOND, event.time, calendar),
    )
