"""Steps 3 and 5 of the procedure: Tim Utama classifies a report, and receives or returns the response to it."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from nkk.sop import faults, steps
from nkk.sop.claims import Claimable
from nkk.sop.clock import Calendar, write_instant
from nkk.sop.refusals import AlreadyDone, InvalidInput, NotYourStep
from nkk.sop.report import Report
from nkk.sop.steps import Stands, Step


class State(StrEnum):
    """Where a case stands on Tim Utama's desk."""

    AWAITING_CLASSIFICATION = "awaiting_classification"
    CLASSIFIED_AS_INFORMATION = "classified_as_information"
    AWAITING_RESPONSE = "awaiting_response"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"


OPEN = (State.AWAITING_CLASSIFICATION, State.AWAITING_APPROVAL)
"""The states in which Tim Utama has something to do."""


class AlreadyClassified(AlreadyDone):
    """Step 3 was done before."""


class AlreadyApproved(AlreadyDone):
    """Step 5 was done before."""


class NoResponseYet(NotYourStep):
    """There is nothing to approve or return: the OPD team has not responded."""


def check_information(opd: str | None) -> None:
    """Raise InvalidInput where information is to go to an agency."""
    if opd is not None:
        raise InvalidInput.of(opd=faults.OPD_OF_INFORMATION())


def check_forwarding(opd: str | None, roster: Container[str] | None) -> None:
    """Raise InvalidInput where a complaint is to go to no agency, or to one that is not on the roster, where that is
    known."""
    if opd is None or (roster is not None and opd not in roster):
        raise InvalidInput.of(opd=faults.NO_SUCH_OPD())


def check_return(note: str | None) -> None:
    """Raise InvalidInput where a response is to go back without a note."""
    if note is None:
        raise InvalidInput.of(note=faults.RETURN_WITHOUT_NOTE())


@dataclass
class Case(Report, Claimable):
    """A report on Tim Utama's desk: what was handed over, and what has become of it."""

    reporter_kind: str
    claimed_kind: str
    confidential: bool
    submitted_at: datetime
    service_due_at: datetime
    service_calendar: int | None = None
    state: str = State.AWAITING_CLASSIFICATION
    since: datetime | None = None
    opd: str | None = None
    round: int = 0
    response: str | None = None

    def __post_init__(self) -> None:
        self.since = self.since or self.came_at

    @property
    def step(self) -> Step:
        return steps.CLASSIFY if self.round == 0 else steps.APPROVE

    @property
    def about_round(self) -> int:
        return self.round

    def must_stand_here(self) -> None:
        """Raises NotYourStep."""
        if self.state not in OPEN:
            raise NotYourStep({"stands": self.stands()})

    def classify_as_information(self, now: datetime) -> None:
        """Step 3, "ya": the operator answers directly. Raises AlreadyClassified."""
        self._must_await_classification()
        self._ends(State.CLASSIFIED_AS_INFORMATION, now)

    def forward(self, opd: str, now: datetime) -> None:
        """Step 3, "tidak": to the helper team of `opd`. Raises AlreadyClassified."""
        self._must_await_classification()
        self.opd = opd
        self._ends(State.AWAITING_RESPONSE, now)

    def receive(self, response: str, round_: int, now: datetime, calendar: Calendar) -> None:
        """Step 4 ended: response number `round_` came in, and step 5's clock runs. One we have seen changes nothing.

        Raises NotYourStep where this case awaits no response.
        """
        if round_ <= self.round:
            return
        if self.state != State.AWAITING_RESPONSE:
            raise NotYourStep({"stands": self.stands()}, "awaits-no-response")
        self.response, self.round = response, round_
        self.start_clock(steps.APPROVE, now, calendar)
        self.state, self.since = State.AWAITING_APPROVAL, now

    def approve(self, now: datetime) -> None:
        """Step 5: hand the response to the operator. Raises NoResponseYet or AlreadyApproved."""
        self._must_await_approval()
        self._ends(State.APPROVED, now)

    def return_response(self, now: datetime) -> None:
        """Step 5: send the response back to the OPD team. Raises NoResponseYet or AlreadyApproved."""
        self._must_await_approval()
        self._ends(State.AWAITING_RESPONSE, now)

    def stands(self) -> Stands:
        """Where the case stands on this desk, and since when."""
        return {"state": self.state, "since": write_instant(self.since)}  # type: ignore[arg-type]

    def _must_await_classification(self) -> None:
        if self.state != State.AWAITING_CLASSIFICATION:
            raise AlreadyClassified({"stands": self.stands()})

    def _must_await_approval(self) -> None:
        if self.state in (State.AWAITING_CLASSIFICATION, State.AWAITING_RESPONSE):
            raise NoResponseYet({"stands": self.stands()})
        if self.state != State.AWAITING_APPROVAL:
            raise AlreadyApproved({"stands": self.stands()})

    def _ends(self, state: State, now: datetime) -> None:
        self.stop_clock(now)
        self.state, self.since = state, now
