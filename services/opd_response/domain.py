"""Step 4 of the procedure: an agency's helper team receives a complaint and responds to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from nkk.sop import steps
from nkk.sop.claims import Claimable
from nkk.sop.clock import Calendar, write_instant
from nkk.sop.files import File, described, joined, numbered
from nkk.sop.refusals import AlreadyDone
from nkk.sop.report import Report
from nkk.sop.steps import Stands, Step


class State(StrEnum):
    """The state of a case at a helper team's desk."""

    AWAITING_RESPONSE = "awaiting_response"
    RESPONDED = "responded"


class AlreadyResponded(AlreadyDone):
    """Step 4 has already been done, and Tim Utama has not returned the response."""


@dataclass
class Case(Report, Claimable):
    """A complaint at the desk of one agency's helper team. It never holds the reporter's identity."""

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
    def team_opd(self) -> str:
        return self.opd

    def must_stand_here(self) -> None:
        """Raise AlreadyResponded where the case awaits no response."""
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

    def take_back(self, round_: int, note: str, now: datetime, calendar: Calendar) -> None:
        """Reopen the case after response number `round_` was returned, and start step 4's clock again.

        A return of an earlier response, or a redelivered one, changes nothing.
        """
        if round_ != self.round or self.state != State.RESPONDED:
            return
        self.return_note = note
        self.start_clock(steps.RESPOND, now, calendar)
        self.state, self.since = State.AWAITING_RESPONSE, now

    def stands(self) -> Stands:
        """Return the case's state at this desk, and since when it has been in it."""
        return {"state": self.state, "since": write_instant(self.since)}  # type: ignore[arg-type]
