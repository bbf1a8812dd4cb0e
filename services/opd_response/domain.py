"""Step 4 of the procedure: an agency's helper team receives a complaint and answers it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from nkk.sop import steps
from nkk.sop.claims import Claimable
from nkk.sop.clock import Calendar, write_instant
from nkk.sop.refusals import AlreadyDone
from nkk.sop.report import Report
from nkk.sop.steps import Stands, Step


class State(StrEnum):
    """Where a case stands on the helper team's desk."""

    AWAITING_RESPONSE = "awaiting_response"
    RESPONDED = "responded"


class AlreadyResponded(AlreadyDone):
    """Step 4 was done before, and Tim Utama has not sent the response back."""


@dataclass
class Case(Report, Claimable):
    """A complaint on the desk of one agency's helper team. No name of a reporter ever comes here."""

    opd: str
    note: str | None
    service_due_at: datetime
    service_calendar: int | None = None
    state: str = State.AWAITING_RESPONSE
    since: datetime | None = None
    round: int = 0
    response: str | None = None
    return_note: str | None = None

    def __post_init__(self) -> None:
        self.since = self.since or self.came_at

    @property
    def step(self) -> Step:
        return steps.RESPOND

    @property
    def about_round(self) -> int:
        return self.round + 1

    @property
    def team_opd(self) -> str:
        return self.opd

    def must_stand_here(self) -> None:
        """Raises AlreadyResponded."""
        if self.state != State.AWAITING_RESPONSE:
            raise AlreadyResponded({"stands": self.stands()})

    def respond(self, text: str, now: datetime) -> None:
        """Step 4: answer the complaint. Raises AlreadyResponded."""
        self.must_stand_here()
        self.response, self.round = text, self.round + 1
        self.stop_clock(now)
        self.state, self.since = State.RESPONDED, now

    def take_back(self, round_: int, note: str, now: datetime, calendar: Calendar) -> None:
        """Response number `round_` was returned with a note: step 4's clock runs again. An old one changes nothing."""
        if round_ != self.round or self.state != State.RESPONDED:
            return
        self.return_note = note
        self.start_clock(steps.RESPOND, now, calendar)
        self.state, self.since = State.AWAITING_RESPONSE, now

    def stands(self) -> Stands:
        """Where the case stands on this desk, and since when."""
        return {"state": self.state, "since": write_instant(self.since)}  # type: ignore[arg-type]
