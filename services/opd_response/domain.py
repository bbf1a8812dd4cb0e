"""Step 4 of the procedure: an agency's helper team receives a complaint and responds to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from nkk.sop import steps
from nkk.sop.acts import possible
from nkk.sop.clock import Calendar, write_day, write_instant
from nkk.sop.endings import Endable
from nkk.sop.files import File, described, joined, numbered
from nkk.sop.refusals import AlreadyDone, NotYourStep
from nkk.sop.report import Report
from nkk.sop.steps import Role, Stands, Step


class State(StrEnum):
    """The state of a case at a helper team's desk."""

    AWAITING_RESPONSE = "awaiting_response"
    RESPONDED = "responded"
    DECLINED = "declined"
    RECALLED = "recalled"


class AlreadyResponded(AlreadyDone):
    """Step 4 has already been done, and Tim Utama has not returned the response."""


class NoLongerHere(NotYourStep):
    """The complaint is no longer with this team: it declined it, or Tim Utama took it back."""


@dataclass
class Case(Report, Endable):
    """A complaint at the desk of one agency's helper team. It never holds the reporter's identity.

    `forwarding` is the number of the classification that brought it here. `overtaken` says that the team's last act
    came after Tim Utama had taken the complaint back, so that it changed nothing.
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
    forwarding: int = 1
    overtaken: bool = False
    declined_why: str | None = None
    better_opd: str | None = None
    recalled_why: str | None = None

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

    def supplement(self, files: Iterable[File]) -> None:
        """Add files that the reporter added to the report."""
        self.files = joined(self.files, files)

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
        self.start_clock(steps.RESPOND, now, calendar)
        self.settle()

    def decline(self, why: str, better: str | None, now: datetime) -> None:
        """Decline the complaint, which is not this agency's. Raises as `must_stand_here` does."""
        self.must_stand_here()
        self.declined_why, self.better_opd = why, better
        self.stop_clock(now)
        self.state, self.since = State.DECLINED, now

    def recall(self, round_: int, why: str, now: datetime) -> None:
        """Note that Tim Utama took the complaint back while it awaited response number `round_`.

        What the team did meanwhile changes nothing for the complaint, and its clock ended with the recall. Raises
        NotYourStep where the return of the response before has not been stored yet.
        """
        if self.state == State.RESPONDED and self.round < round_:
            raise NotYourStep({"stands": self.stands()})
        self.recalled_why = why
        self.overtaken = self.state == State.DECLINED or self.round >= round_
        self.stop_clock(now)
        self.state, self.since = State.RECALLED, now

    def acts(self) -> list[str]:
        """Return the acts of this team that are possible now."""
        return possible("opd_response", Role.OPD_TEAM, self.stands()["state"])

    def stands(self) -> Stands:
        """Return the case's state at this desk, and since when it has been in it; a withdrawal is told to the day."""
        if self.ended is not None and self.ended_at is not None and self.state == State.AWAITING_RESPONSE:
            return {"state": self.ended, "since": write_day(self.ended_at)}
        return {"state": self.state, "since": write_instant(self.since)}  # type: ignore[arg-type]
