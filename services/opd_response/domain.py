"""Step 4 of the procedure: an agency's helper team receives a complaint and responds to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from nkk.sop import additions, steps
from nkk.sop.acts import Act, possible
from nkk.sop.additions import Addition
from nkk.sop.clock import Calendar, write_instant
from nkk.sop.endings import ABANDONED
from nkk.sop.files import File, described, joined, numbered
from nkk.sop.journey import more_time_counts
from nkk.sop.questions import Askable
from nkk.sop.refusals import AlreadyDone, NotYourStep
from nkk.sop.report import Report
from nkk.sop.steps import Role, Stands, Step
from nkk.sop.timed import NEAR, moved


class State(StrEnum):
    """The state of a case at a helper team's desk."""

    AWAITING_RESPONSE = "awaiting_response"
    RESPONDED = "responded"
    DECLINED = "declined"
    RECALLED = "recalled"


class AlreadyResponded(AlreadyDone):
    """Step 4 has already been done, and Tim Utama has not returned the response."""


class AlreadyAsked(AlreadyDone):
    """The team has asked for more time for this forwarding before."""


class RespondedBefore(NotYourStep):
    """This team, or another agency's, responded to the report before, so that it is not closed without an answer."""


class NoLongerHere(NotYourStep):
    """The complaint is no longer with this team: it declined it, or Tim Utama took it back."""


@dataclass
class Case(Report, Askable):
    """A complaint at the desk of one agency's helper team. It never holds the reporter's identity.

    `forwarding` is the number of the classification that brought it here. `overtaken` says that the team's last act
    came after Tim Utama had taken the complaint back, so that it changed nothing. `asked_for` is the number of the
    response for which the team asked for more time, or 0 where that response was given and another one is awaited; the
    step is due at `due_first`, or at `due_later` with the time that it got at `granted_at`. `goes_on_from` is the
    number with which the complaint last went on after an ending, which may be consumed later.
    """

    opd: str
    note: str | None
    service_due_at: datetime
    service_calendar: int | None = None
    state: str = State.AWAITING_RESPONSE
    since: datetime | None = None
    round: int = 0
    response: str | None = None
    return_note: str | None = None
    files: tuple[File, ...] = ()
    response_files: tuple[File, ...] = ()
    additions: tuple[Addition, ...] = ()
    forwarding: int = 1
    overtaken: bool = False
    goes_on_from: int = 0
    declined_why: str | None = None
    better_opd: str | None = None
    recalled_why: str | None = None
    asked_for: int | None = None
    asked_days: int = 0
    asked_why: str | None = None
    granted_days: int | None = None
    granted_note: str | None = None
    granted_at: datetime | None = None
    due_first: datetime | None = None
    due_later: datetime | None = None
    first_before: datetime | None = None
    later_before: datetime | None = None

    DUES = (*Askable.DUES, ("due_first", "first_before"), ("due_later", "later_before"))

    def __post_init__(self) -> None:
        self.since = self.since or self.came_at

    @property
    def step(self) -> Step:
        return steps.RESPOND

    @property
    def every_file(self) -> tuple[File, ...]:
        """The files of the complaint and of all responses."""
        return self.files + self.response_files

    @property
    def about_round(self) -> int:
        return self.round + 1

    @property
    def about_forwarding(self) -> int:
        return self.forwarding

    @property
    def team_opd(self) -> str:
        return self.opd

    def must_stand_here(self) -> None:
        """Raise Withdrawn, NoLongerHere or AlreadyResponded where the case awaits no response."""
        if self.state in (State.DECLINED, State.RECALLED):
            raise NoLongerHere({"stands": self.stands()})
        if self.state == State.AWAITING_RESPONSE:
            self.must_go_on()
        if self.state != State.AWAITING_RESPONSE:
            raise AlreadyResponded({"stands": self.stands()})

    def supplement(self, files: Iterable[File], added: Iterable[Addition]) -> None:
        """Add the words and files that the reporter added to the report."""
        self.files = joined(self.files, files)
        self.additions = additions.joined(self.additions, added)

    def respond(self, text: str, now: datetime, uploads: Iterable[dict[str, Any]] = ()) -> tuple[File, ...]:
        """Store the response to the complaint (step 4), and return its files. Raises AlreadyResponded."""
        self.must_stand_here()
        self.response, self.round = text, self.round + 1
        files = described(numbered(uploads, round_=self.round))
        self.response_files += files
        self.stop_clock(now)
        self.state, self.since = State.RESPONDED, now
        return files

    def returned(self, round_: int, note: str, now: datetime, calendar: Calendar) -> None:
        """Reopen the case after response number `round_` was returned, and start step 4's clock again.

        A return of an earlier response, or a redelivered one, changes nothing.
        """
        if round_ != self.round or self.state != State.RESPONDED:
            return
        self.return_note = note
        self.state, self.since = State.AWAITING_RESPONSE, now
        if self.asked_for is not None:
            self.asked_for, self.granted_days = 0, None
        self.granted_at = self.due_first = self.due_later = self.first_before = self.later_before = None
        self.start_clock(steps.RESPOND, now, calendar)
        self.settle()

    def ask_for_time(self, days: int, why: str) -> None:
        """Ask Tim Utama for more working days. Raises AlreadyAsked, or as `must_stand_here` does."""
        self.must_stand_here()
        if self.asked_for is not None:
            raise AlreadyAsked({"stands": self.stands()})
        self.asked_for, self.asked_days, self.asked_why = self.round + 1, days, why

    def grant_time(self, round_: int, days: int, note: str | None, at: datetime, calendar: Calendar) -> None:
        """Store Tim Utama's decision on the request, and move the due time by `days`, counted by the clock's calendar.

        It changes no due time where the step had ended before, nor one of another response.
        """
        if self.asked_for != round_:
            return
        self.granted_days, self.granted_note, self.granted_at = days, note, at
        if days:
            more = days * steps.MINUTES_PER_DAY
            self.due_first, self.due_later = self.due_at, calendar.due(self.due_at, more)
            if self.due_before is not None:
                self.first_before, self.later_before = self.due_before, calendar.due(self.due_before, more)
            self._count_due()
            if self.due_at == self.due_later and self.done_at is None:
                self._tell_again(steps.RESPOND.minutes + more, calendar)

    def _tell_again(self, minutes: int, calendar: Calendar) -> None:
        """Let the alarms start again for a clock that has `minutes` in all, and that may have rested, or rest still."""
        part, whole = NEAR
        near = calendar.due(self.came_at, minutes * part // whole)
        without = calendar.due(self.came_at, minutes)
        self.tell_before = self.due_before and moved(near, without, self.due_before, calendar)
        if self.rests_since is None or self.rests_until is not None:
            self.tell_at = max(self.rests_until or near, moved(near, without, self.due_at, calendar))

    @property
    def moved_days(self) -> int:
        """The working days by which the due time was moved."""
        return self.granted_days or 0 if self.due_later is not None and self.due_at == self.due_later else 0

    def stop_clock(self, at: datetime) -> None:
        """Stop the clock of the step, which got more time only if it was granted before."""
        super().stop_clock(at)
        self._count_due()

    def _count_due(self) -> None:
        if self.due_first is None or self.due_later is None or self.granted_at is None:
            return
        cut_short = self.ended is not None and self.state == State.AWAITING_RESPONSE
        counts = not cut_short and more_time_counts(self.granted_at, self.done_at)
        self.due_at = self.due_later if counts else self.due_first
        self.due_before = self.later_before if counts else self.first_before

    def decline(self, why: str, better: str | None, now: datetime) -> None:
        """Decline the complaint, which is not this agency's. Raises as `must_stand_here` does."""
        self.must_stand_here()
        self.declined_why, self.better_opd = why, better
        self.stop_clock(now)
        self.state, self.since = State.DECLINED, now

    def recall(self, round_: int, why: str, now: datetime) -> bool:
        """Note that Tim Utama took the complaint back while it awaited response number `round_`; return whether that
        overtook its closing by the team.

        What the team did meanwhile changes nothing for the complaint, and its clock ended with the recall. Raises
        NotYourStep where the return of the response before has not been stored yet.
        """
        if self.state == State.RESPONDED and self.round < round_:
            raise NotYourStep({"stands": self.stands()})
        closed, why_closed = self.ended == ABANDONED, self.ended_why
        if closed:
            self.take_back_ending()
            self.ended_why = why_closed
        self.recalled_why = why
        self.overtaken = closed or self.state == State.DECLINED or self.round >= round_
        self.state, self.since = State.RECALLED, now
        self.stop_clock(now)
        return closed

    def acts(self) -> list[str]:
        """Return the acts of this team that are possible now."""
        not_now = self.asks_not_now | ({Act.ABANDON} if self.round else set())
        not_now |= set() if self.asked_for is None else {Act.REQUEST_TIME}
        return possible("opd_response", Role.OPD_TEAM, self.stands()["state"], not_now)

    def must_be_abandonable(self) -> None:
        """Raise RespondedBefore, NothingLapsed or the refusal that says why the case does not stand here.

        A further agency that closed the report would take from its reporter what the agency before it responded.
        """
        super().must_be_abandonable()
        if self.round:
            raise RespondedBefore({"stands": self.stands()})

    def stands(self) -> Stands:
        """Return the case's state at this desk, and since when it has been in it; a withdrawal is told to the day."""
        if self.state == State.AWAITING_RESPONSE and (ended := self.stands_ended()):
            return ended
        return {"state": self.state, "since": write_instant(self.since)}  # type: ignore[arg-type]
