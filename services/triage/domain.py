"""Steps 3 and 5 of the procedure: Tim Utama classifies a report, and approves or returns the response to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from nkk.sop import additions, faults, journey, steps
from nkk.sop.acts import Act, possible
from nkk.sop.additions import Addition
from nkk.sop.clock import Calendar, write_instant
from nkk.sop.endings import ABANDONED, WITHDRAWN
from nkk.sop.files import File, joined, of_round
from nkk.sop.gathered import MOST_GATHERED, Gathered
from nkk.sop.journey import service_due
from nkk.sop.questions import Askable
from nkk.sop.refusals import InvalidInput, NotYourStep
from nkk.sop.report import Report
from nkk.sop.steps import Role, Stands, Step
from services.triage.refusals import (
    AlreadyApproved,
    AlreadyClassified,
    AlreadyGathered,
    AlreadyJoined,
    CannotJoin,
    NoRequest,
    NoResponseYet,
    NothingGathered,
    NothingToKeep,
    NotJoined,
    NotWithOpd,
)


class State(StrEnum):
    """The state of a case at Tim Utama's desk."""

    AWAITING_CLASSIFICATION = "awaiting_classification"
    JOINED = "joined"
    CLASSIFIED_AS_INFORMATION = "classified_as_information"
    AWAITING_RESPONSE = "awaiting_response"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"


OPEN = (State.AWAITING_CLASSIFICATION, State.AWAITING_APPROVAL)
"""The states in which a case awaits an act of Tim Utama."""


WAITING = (*OPEN, State.AWAITING_RESPONSE, State.JOINED)
"""The states in which a case awaits an act of anybody before the answer."""

UNDECIDED = (*OPEN, State.AWAITING_RESPONSE)
"""The states of a case that others may be joined with."""


def check_first(first: str, ticket: str, found: "Case | None") -> "Case":
    """Return the case that `ticket` is to be joined with. Raises CannotJoin, or InvalidInput where there is none."""
    if first == ticket:
        raise CannotJoin(code="join-with-itself")
    if found is None:
        raise InvalidInput.of(first=faults.NO_SUCH_CASE())
    return found


@dataclass
class Case(Report, Askable):
    """A report at Tim Utama's desk: what was handed over, its state, and its response.

    `forwarding` counts its classifications, `round_before` are the responses before the last of them, and `cycle` is 2
    after an objection. `kept` says that it goes on although its reporter withdrew it. `back` is the event with which it
    came back to step 3 the last time, with its reason, the OPD that an OPD proposed instead, and the answer that was
    objected to. `asked_days` and `asked_why` are the OPD's request for more time while it awaits a response, and
    `granted_days` what it got, 0 for none.
    `conflict` says that, as the reporter knows, the accused leads or sits in the team of `accused_opd`; `barred` is the
    keyed hash of the accused's NIP.
    `gathered` are the responses of other OPDs to the same matter that were kept. `joined_to` is the case that this one
    was joined with: it rests until that one is decided, and shares its result.
    """

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
    additions: tuple[Addition, ...] = ()
    forwarding: int = 1
    round_before: int = 0
    cycle: int = 1
    back: str | None = None
    back_why: str | None = None
    better_opd: str | None = None
    objected_to: str | None = None
    asked_days: int | None = None
    asked_why: str | None = None
    granted_days: int | None = None
    conflict: bool = False
    barred: str | None = None
    gathered: tuple[Gathered, ...] = ()
    joined_to: str | None = None

    def __post_init__(self) -> None:
        self.since = self.since or self.came_at

    @property
    def step(self) -> Step:
        return steps.CLASSIFY if self.round == self.round_before else steps.APPROVE

    @property
    def every_file(self) -> tuple[File, ...]:
        """The files of the report and of all responses."""
        return self.files + self.response_files

    @property
    def about_round(self) -> int:
        return self.round if self.step is steps.APPROVE else 0

    @property
    def about_forwarding(self) -> int:
        # While a further OPD responds, the last clock is that of the response that was kept.
        kept = self.state == State.AWAITING_RESPONSE and self.step is steps.APPROVE and bool(self.gathered)
        return self.forwarding - (kept and self.gathered[-1].round == self.round)

    def must_go_on(self) -> None:
        """Raise Withdrawn or Abandoned where the case has ended. What was decided may have been answered before."""
        if self.state in WAITING:
            super().must_go_on()

    def must_stand_here(self) -> None:
        """Raise NotYourStep where the case awaits no act of Tim Utama."""
        self.must_go_on()
        if self.state not in OPEN:
            raise NotYourStep({"stands": self.stands()})

    def classify_as_information(self, now: datetime) -> None:
        """Classify the report as information, for the operator to answer (step 3, "ya"). Raises AlreadyClassified."""
        self._must_await_classification()
        self._ends(State.CLASSIFIED_AS_INFORMATION, now)

    def forward(self, opd: str, now: datetime, reason: str | None = None) -> None:
        """Forward the complaint to the helper team of `opd` (step 3, "tidak"). Raises AlreadyClassified.

        Raises InvalidInput where that team may be the accused's own, and no `reason` says why it goes there all the
        same.
        """
        self._must_await_classification()
        self._must_say_why(opd, reason)
        self.opd = opd
        self._ends(State.AWAITING_RESPONSE, now)

    @property
    def files_of_response(self) -> tuple[File, ...]:
        """The files of the response that is in force."""
        return of_round(self.response_files, self.round)

    @property
    def files_of_gathered(self) -> tuple[File, ...]:
        """The files of the responses that were kept."""
        return sum((of_round(self.response_files, each.round) for each in self.gathered), ())

    @property
    def files_of_all(self) -> tuple[File, ...]:
        """The files of the response that is in force, and of those that were kept beside it."""
        return self.files_of_gathered + self.files_of_response

    @property
    def with_opd(self) -> str | None:
        """The OPD whose team the complaint was forwarded to, until it is classified anew or joined with another."""
        with_it = self.state in (State.AWAITING_RESPONSE, State.AWAITING_APPROVAL, State.APPROVED)
        return self.opd if with_it and self.joined_to is None else None

    def supplement(self, files: Iterable[File], added: Iterable[Addition]) -> None:
        """Add the words and files that the reporter added to the report."""
        self.files = joined(self.files, files)
        self.additions = additions.joined(self.additions, added)

    def receive(
        self,
        response: str,
        round_: int,
        now: datetime,
        calendar: Calendar,
        files: Iterable[File] = (),
        forwarding: int = 1,
    ) -> None:
        """Store response number `round_` and start step 5's clock.

        An earlier or redelivered one changes nothing, nor does one to a forwarding that was taken back. Raises
        NotYourStep where the case does not await a response.
        """
        if forwarding < self.forwarding or round_ <= self.round:
            return
        if self.state != State.AWAITING_RESPONSE or forwarding > self.forwarding:
            raise NotYourStep({"stands": self.stands()}, "awaits-no-response")
        self.response, self.round = response, round_
        self.response_files = joined(self.response_files, files)
        self._answered_time()
        self.state, self.since = State.AWAITING_APPROVAL, now
        self._starts(steps.APPROVE, now, calendar)

    def approve(self, now: datetime) -> None:
        """Approve the response, which then goes to the operator (step 5). Raises NoResponseYet or AlreadyApproved."""
        self._must_await_approval()
        self._ends(State.APPROVED, now)

    def return_response(self, now: datetime) -> None:
        """Return the response to the OPD team (step 5). Raises NoResponseYet or AlreadyApproved."""
        self._must_await_approval()
        self._ends(State.AWAITING_RESPONSE, now)

    def gather(self, opd: str, now: datetime, reason: str | None = None) -> None:
        """Keep the response and forward the complaint to a further OPD, whose response comes beside it (step 5).

        Raises NoResponseYet, AlreadyApproved, or AlreadyGathered; InvalidInput as `forward` does.
        """
        self._must_await_approval()
        if opd in (self.opd, *(each.opd for each in self.gathered)):
            raise AlreadyGathered({"stands": self.stands()})
        if len(self.gathered) == MOST_GATHERED:
            raise AlreadyGathered({"stands": self.stands()}, "gathered-enough")
        self._must_say_why(opd, reason)
        self.gathered += (Gathered(opd=str(self.opd), round=self.round, text=str(self.response)),)
        self.opd, self.response, self.forwarding = opd, None, self.forwarding + 1
        self._ends(State.AWAITING_RESPONSE, now)

    def conclude(self, now: datetime) -> None:
        """Hand the responses that were kept to the operator, without that of a further OPD (step 3).

        Raises AlreadyClassified or NothingGathered.
        """
        self._must_await_classification()
        if not self.gathered:
            raise NothingGathered({"stands": self.stands()})
        # No OPD has the complaint any more, and what was returned to the last one is no response in force.
        self.opd = self.response = None
        self._ends(State.APPROVED, now)

    def join(self, first: "Case", has_joined: bool, now: datetime) -> None:
        """Let this report rest with `first`, about the same matter, until that is decided. `has_joined` says that
        others rest with this one.

        Raises AlreadyJoined, AlreadyClassified or CannotJoin.
        """
        self.must_go_on()
        if self.state == State.JOINED:
            raise AlreadyJoined({"stands": self.stands(), "first": self.joined_to})
        self._must_await_classification()
        if self.cycle > 1:
            raise CannotJoin(code="answered-before")
        if has_joined:
            raise CannotJoin(code="others-are-joined")
        if first.ended == ABANDONED:
            raise CannotJoin(code="first-was-abandoned")
        if first.ended is not None:
            raise CannotJoin(code="first-was-withdrawn")
        if first.state == State.JOINED:
            raise CannotJoin({"first": first.joined_to}, "first-is-joined")
        if first.state not in UNDECIDED:
            raise CannotJoin(code="first-is-decided")
        if self.conflict and not (first.conflict and first.accused_opd == self.accused_opd):
            raise CannotJoin(code="conflict-unlike-first")
        self.joined_to = first.ticket
        self._ends(State.JOINED, now)

    def part(self, at: datetime, calendar: Calendar, why: str | None) -> None:
        """Classify this report on its own again, with a clock that starts at `at`. Raises NotJoined."""
        self.must_go_on()
        if self.state != State.JOINED:
            raise NotJoined({"stands": self.stands()})
        self.first_ended(at, calendar, why)

    def first_ended(self, at: datetime, calendar: Calendar, why: str | None = None) -> None:
        """Part this report from the first one, whether or not it was withdrawn itself meanwhile."""
        self._comes_back(journey.PARTED, at, calendar, why)

    def share(self, first: "Case", now: datetime) -> None:
        """Take over the result of the case that this one rests with: it goes to the operator as well.

        A response counts as the next one to this report, once the case comes back.
        """
        self.state, self.since = first.state, now

    @property
    def asks_time(self) -> bool:
        """Whether the OPD team asked for more time, and awaits the decision."""
        return self.asked_days is not None and self.granted_days is None and self.state == State.AWAITING_RESPONSE

    def asked_for_time(self, forwarding: int, round_: int, days: int, why: str) -> None:
        """Store the OPD team's request for more time; one that was overtaken changes nothing.

        Raises NotYourStep where this forwarding, or the return of the response before, has not been stored yet.
        """
        if forwarding < self.forwarding or round_ <= self.round:
            return
        self._must_be_with(forwarding, State.AWAITING_RESPONSE)
        self.asked_days, self.asked_why, self.granted_days = days, why, None

    def grant_time(self, days: int) -> None:
        """Grant the OPD team `days` more working days, or none. Raises NoRequest."""
        self.must_go_on()
        if not self.asks_time:
            raise NoRequest({"stands": self.stands()})
        self.granted_days = days

    def recall(self, now: datetime, calendar: Calendar, why: str | None) -> None:
        """Take the complaint back from the OPD team, to classify it anew. Raises NotWithOpd."""
        self.must_go_on()
        if self.state != State.AWAITING_RESPONSE:
            raise NotWithOpd({"stands": self.stands()})
        self._comes_back(journey.RECALLED, now, calendar, why)

    def declined(self, forwarding: int, why: str, better: str | None, now: datetime, calendar: Calendar) -> None:
        """Classify the complaint anew, because the OPD team declined it. One that was taken back before changes
        nothing.

        Raises NotYourStep where this forwarding has not been stored yet.
        """
        if forwarding < self.forwarding:
            return
        self._must_be_with(forwarding, State.AWAITING_RESPONSE)
        self._comes_back(journey.DECLINED, now, calendar, why)
        self.better_opd = better

    def returned(self, forwarding: int, why: str, now: datetime, calendar: Calendar) -> None:
        """Classify the report anew, because the operator found a complaint in what was classified as information."""
        if forwarding < self.forwarding:
            return
        shared = (State.APPROVED,) if self.joined_to else ()
        self._must_be_with(forwarding, State.CLASSIFIED_AS_INFORMATION, *shared)
        self._comes_back(journey.RETURNED, now, calendar, why)

    def reopen(self, forwarding: int, cycle: int, why: str, answer: str, at: datetime, calendar: Calendar) -> None:
        """Begin the second cycle, because the reporter objected to the `answer`. A redelivered one changes nothing."""
        if cycle <= self.cycle:
            return
        self._must_be_with(forwarding, State.CLASSIFIED_AS_INFORMATION, State.APPROVED)
        # A withdrawal of the first cycle came after its answer.
        self.take_back_ending()
        self.cycle, self.kept, self.gathered = cycle, False, ()
        self.service_due_at, self.service_calendar = service_due(at, calendar), calendar.version
        self._comes_back(journey.REOPENED, at, calendar, why)
        self.objected_to = answer

    def withdraw(self, cycle: int, at: datetime, why: str) -> None:
        """End the case, because the reporter withdrew the report; one of an earlier cycle changes nothing.

        Raises NotYourStep where the objection that began this cycle has not been stored yet.
        """
        if cycle > self.cycle:
            raise NotYourStep({"stands": self.stands()})
        if cycle == self.cycle and not self.kept:
            self.end(WITHDRAWN, at, why)

    def abandoned(self, forwarding: int, why: str, at: datetime) -> bool:
        """End the case, because the OPD team closed it as not completed; return whether that ended it.

        One that was taken back, or withdrawn, before changes nothing. Raises NotYourStep where this forwarding has not
        been stored yet.
        """
        if forwarding < self.forwarding or self.ended is not None:
            return False
        self._must_be_with(forwarding, State.AWAITING_RESPONSE)
        self.end(ABANDONED, at, why)
        return True

    def keep(self, now: datetime, calendar: Calendar) -> None:
        """Let a withdrawn report go on without its reporter, where it was at this desk. Raises NothingToKeep."""
        if self.ended != WITHDRAWN or self.state not in OPEN:
            raise NothingToKeep({"stands": self.stands()})
        self.take_back_ending()
        self.kept = True
        self.forwarding += 1
        self.since = now
        self.start_clock(self.step, now, calendar)

    def acts(self) -> list[str]:
        """Return the acts of Tim Utama that are possible now."""
        not_now = self.asks_not_now | (set() if self.state in OPEN else {Act.KEEP})
        if not self.asks_time:
            not_now.add(Act.GRANT_TIME)
        if self.cycle > 1:
            not_now.add(Act.JOIN)
        if len(self.gathered) == MOST_GATHERED:
            not_now.add(Act.GATHER)
        if not self.gathered:
            not_now.add(Act.CONCLUDE)
        return possible("triage", Role.MAIN_TEAM, self.stands()["state"], not_now)

    def stands(self) -> Stands:
        """Return the case's state at this desk, and since when it has been in it; a withdrawal is told to the day."""
        if self.state in WAITING and (ended := self.stands_ended()):
            return ended
        return {"state": self.state, "since": write_instant(self.since)}  # type: ignore[arg-type]

    def _must_be_with(self, forwarding: int, *states: State) -> None:
        if self.forwarding != forwarding or self.state not in states:
            raise NotYourStep({"stands": self.stands()})

    def _comes_back(self, event: str, at: datetime, calendar: Calendar, why: str | None) -> None:
        self.back, self.back_why, self.better_opd, self.objected_to = event, why, None, None
        self.round += self.joined_to is not None and self.state == State.APPROVED
        self.joined_to = None
        self._answered_time()
        self.forwarding, self.round_before = self.forwarding + 1, self.round
        self.state, self.since = State.AWAITING_CLASSIFICATION, at
        self._starts(steps.CLASSIFY, at, calendar)

    def _answered_time(self) -> None:
        """Forget a request for more time: the step that it was about has ended."""
        self.asked_days = self.asked_why = self.granted_days = None

    def _starts(self, step: Step, at: datetime, calendar: Calendar) -> None:
        self.start_clock(step, at, calendar)
        self.settle()

    def _must_say_why(self, opd: str, reason: str | None) -> None:
        if self.conflict and opd == self.accused_opd and reason is None:
            raise InvalidInput.of(reason=faults.CONFLICT_WITHOUT_REASON())

    def _must_await_classification(self) -> None:
        self.must_go_on()
        if self.state != State.AWAITING_CLASSIFICATION:
            raise AlreadyClassified({"stands": self.stands()})

    def _must_await_approval(self) -> None:
        self.must_go_on()
        if self.state in (State.AWAITING_CLASSIFICATION, State.AWAITING_RESPONSE, State.JOINED):
            raise NoResponseYet({"stands": self.stands()})
        if self.state != State.AWAITING_APPROVAL:
            raise AlreadyApproved({"stands": self.stands()})

    def _ends(self, state: State, now: datetime) -> None:
        self.stop_clock(now)
        self.state, self.since = state, now
