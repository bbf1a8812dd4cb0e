"""Steps 3 and 5 of the procedure: Tim Utama classifies a report, and approves or returns the response to it."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from nkk.sop import faults, steps
from nkk.sop.claims import Claimable
from nkk.sop.clock import Calendar, write_instant
from nkk.sop.files import File, joined, of_round
from nkk.sop.refusals import AlreadyDone, InvalidInput, NotYourStep
from nkk.sop.report import Report
from nkk.sop.steps import Stands, Step


class State(StrEnum):
    """The state of a case at Tim Utama's desk."""

    AWAITING_CLASSIFICATION = "awaiting_classification"
    CLASSIFIED_AS_INFORMATION = "classified_as_information"
    AWAITING_RESPONSE = "awaiting_response"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"


OPEN = (State.AWAITING_CLASSIFICATION, State.AWAITING_APPROVAL)
"""The states in which a case awaits an act of Tim Utama."""


class AlreadyClassified(AlreadyDone):
    """Step 3 has already been done."""


class AlreadyApproved(AlreadyDone):
    """Step 5 has already been done."""


class NoResponseYet(NotYourStep):
    """The OPD team has not responded yet, so there is nothing to approve or return."""


def check_information(opd: str | None) -> None:
    """Raise InvalidInput where an agency is given for information, which goes to the operator."""
    if opd is not None:
        raise InvalidInput.of(opd=faults.OPD_OF_INFORMATION())


def check_forwarding(opd: str | None, roster: Container[str] | None) -> None:
    """Raise InvalidInput where `opd` is None or not on the roster. A roster that is not known yet allows any agency."""
    if opd is None or (roster is not None and opd not in roster):
        raise InvalidInput.of(opd=faults.NO_SUCH_OPD())


def check_return(note: str | None) -> None:
    """Raise InvalidInput where a response is returned without a note."""
    if note is None:
        raise InvalidInput.of(note=faults.RETURN_WITHOUT_NOTE())


@dataclass
class Case(Report, Claimable):
    """A report at Tim Utama's desk: what was handed over, its state, and its response."""

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
    files: tuple[File, ...] = ()
    response_files: tuple[File, ...] = ()

    def __post_init__(self) -> None:
        self.since = self.since or self.came_at

    @property
    def step(self) -> Step:
        return steps.CLASSIFY if self.round == 0 else steps.APPROVE

    @property
    def every_file(self) -> tuple[File, ...]:
        """The files of the report and of all responses."""
        return self.files + self.response_files

    @property
    def about_round(self) -> int:
        return self.round

    def must_stand_here(self) -> None:
        """Raise NotYourStep where the case awaits no act of Tim Utama."""
        if self.state not in OPEN:
            raise NotYourStep({"stands": self.stands()})

    def classify_as_information(self, now: datetime) -> None:
        """Classify the report as information, for the operator to answer (step 3, "ya"). Raises AlreadyClassified."""
        self._must_await_classification()
        self._ends(State.CLASSIFIED_AS_INFORMATION, now)

    def forward(self, opd: str, now: datetime) -> None:
        """Forward the complaint to the helper team of `opd` (step 3, "tidak"). Raises AlreadyClassified."""
        self._must_await_classification()
        self.opd = opd
        self._ends(State.AWAITING_RESPONSE, now)

    @property
    def files_of_response(self) -> tuple[File, ...]:
        """The files of the response that is in force."""
        return of_round(self.response_files, self.round)

    def supplement(self, files: Iterable[File]) -> None:
        """Add files that the reporter added to the report."""
        self.files = joined(self.files, files)

    def receive(
        self, response: str, round_: int, now: datetime, calendar: Calendar, files: Iterable[File] = ()
    ) -> None:
        """Store response number `round_` and start step 5's clock. An earlier or redelivered one changes nothing.

        Raises NotYourStep where the case does not await a response.
        """
        if round_ <= self.round:
            return
        if self.state != State.AWAITING_RESPONSE:
            raise NotYourStep({"stands": self.stands()}, "awaits-no-response")
        self.response, self.round = response, round_
        self.response_files = joined(self.response_files, files)
        self.start_clock(steps.APPROVE, now, calendar)
        self.state, self.since = State.AWAITING_APPROVAL, now

    def approve(self, now: datetime) -> None:
        """Approve the response, which then goes to the operator (step 5). Raises NoResponseYet or AlreadyApproved."""
        self._must_await_approval()
        self._ends(State.APPROVED, now)

    def return_response(self, now: datetime) -> None:
        """Return the response to the OPD team (step 5). Raises NoResponseYet or AlreadyApproved."""
        self._must_await_approval()
        self._ends(State.AWAITING_RESPONSE, now)

    def stands(self) -> Stands:
        """Return the case's state at this desk, and since when it has been in it."""
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
