"""Steps 6 and 7 of the procedure: the answer, its receipt, and what its reporter does about it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from nkk.sop import steps
from nkk.sop.acts import Act, possible
from nkk.sop.clock import Calendar, write_day, write_instant
from nkk.sop.endings import Endable
from nkk.sop.files import File, find, joined
from nkk.sop.refusals import AlreadyDone, NotYourStep, Refused
from nkk.sop.steps import Path, Role, Stands, Step


class State(StrEnum):
    """The state of an answer."""

    AWAITING_ANSWER = "awaiting_answer"
    ANSWERED = "answered"
    CLOSED = "closed"
    RETURNED = "returned"
    OBJECTED = "objected"


class Closing(StrEnum):
    """How step 7 was done: the reporter confirmed receipt, opened the answer, or let ten working days pass."""

    CONFIRMED = "confirmed"
    OPENED = "opened"
    LAPSED = "lapsed"


CORRECTED_WITHIN = timedelta(hours=1)
OBJECTED_WITHIN_MINUTES = 10 * steps.MINUTES_PER_DAY
"""The office minutes within which a reporter may object to the answer: ten working days."""

REMIND_AFTER_MINUTES = 8 * steps.MINUTES_PER_DAY
"""The office minutes after which a reporter who has not opened the answer is reminded, two days before it lapses."""


class AlreadyAnswered(AlreadyDone):
    """Step 6 has already been done."""


class AlreadyConfirmed(AlreadyDone):
    """The reporter has already confirmed receipt."""


class NotAnsweredYet(NotYourStep):
    """The complaint has not been answered yet, so that no receipt can be confirmed."""


class NoInformation(NotYourStep):
    """The report was not classified as information and not joined with another, so that it cannot be sent back to be
    classified anew."""


class NotClosedYet(NotYourStep):
    """The complaint is not closed, so that its answer cannot be rated yet."""


class AlreadyRated(AlreadyDone):
    """The reporter has already rated the answer."""


class AlreadyObjected(AlreadyDone):
    """The reporter has already objected to an answer of this complaint, which is possible once."""


class ObjectionTooLate(Refused):
    """Ten working days have passed since the answer was sent; it takes no objection any more."""


def team_of(role: str, opd: str | None) -> str:
    """Return the name under which a team's address is stored: its role, with the OPD for an OPD's team."""
    return f"{role}:{opd}" if opd else str(role)


def team_at(step: int, opd: str | None) -> str:
    """Return the name of the team that does `step`; `opd` is ignored where the role is not divided by OPD."""
    role = steps.STEPS[step - 1].role
    return team_of(role, opd if role == Role.OPD_TEAM else None)


def letters_about(alarm: str, has_superior: bool) -> tuple[str, ...]:
    """Return the kinds of letters for an alarm's event: always to the team, and to its superior where it is overdue."""
    if alarm == "step.due_soon.v1":
        return ("due_soon",)
    return ("overdue", "overdue_superior") if has_superior else ("overdue",)


def is_told_of_change(since: datetime, at: datetime) -> bool:
    """Return whether an address in use since `since` is sent a letter about its replacement at `at`.

    One that was corrected within CORRECTED_WITHIN was mistyped: it is a stranger's, who must not learn anything.
    """
    return at - since >= CORRECTED_WITHIN


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """An answer of an earlier cycle, to which the reporter objected: it stays as it was sent."""

    text: str
    sent_at: str
    how: str | None
    rating: int | None
    objection: str | None
    files: tuple[File, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A response that was kept beside the one that is answered from, with its files.

    `shared` says that it came with the result of another complaint that this one was joined with.
    """

    ticket: str
    forwarding: int
    round: int
    opd: str
    text: str
    files: tuple[File, ...] = ()
    shared: bool = False

    def goes_with(self, answer: "Answer", cycle_of: Callable[[int], int]) -> bool:
        """Return whether it is material for `answer`: of its cycle, or of the result that it shares."""
        if self.shared:
            return self.forwarding == answer.forwarding
        return cycle_of(self.forwarding) == answer.cycle and self.forwarding < answer.forwarding


@dataclass
class Answer(Endable):
    """A case at the operator's second desk: the material to answer with, then the answer and its receipt.

    `material` is the approved response of the OPD; None on the information path. `note` is Tim Utama's, if any.
    `offered` are the files of the response, `files` those of them that were sent to the reporter. `forwarding` is the
    number of the classification, `cycle` is 2 after an objection, and `earlier` has the answer that was objected to.
    Its rating, where it has one, is in `first_rating` and `first_rated_at`, once the second answer is begun.
    `joined_to` is the complaint whose result this one shares, as it is about the same matter.
    """

    path: str
    material: str | None
    note: str | None
    service_due_at: datetime
    service_calendar: int | None = None
    state: str = State.AWAITING_ANSWER
    since: datetime | None = None
    text: str | None = None
    sent_at: datetime | None = None
    lapses_at: datetime | None = None
    remind_at: datetime | None = None
    closed_at: datetime | None = None
    how: str | None = None
    confirmed_at: datetime | None = None
    offered: tuple[File, ...] = ()
    files: tuple[File, ...] = ()
    forwarding: int = 1
    cycle: int = 1
    objection: str | None = None
    rating: int | None = None
    rating_comment: str | None = None
    rated_at: datetime | None = None
    first_rating: int | None = None
    first_rated_at: datetime | None = None
    earlier: tuple[Earlier, ...] = ()
    joined_to: str | None = None

    def __post_init__(self) -> None:
        self.since = self.since or self.came_at

    @property
    def step(self) -> Step:
        return steps.ANSWER if self.state in (State.AWAITING_ANSWER, State.RETURNED) else steps.RECEIVE

    @property
    def about_forwarding(self) -> int:
        return self.forwarding

    @property
    def is_sent(self) -> bool:
        """Whether the answer of the current classification was sent."""
        return self.state in (State.ANSWERED, State.CLOSED)

    def files_for(self, role: str) -> tuple[File, ...]:
        """Return the files that a reporter may open, or an operator: also those of an earlier answer."""
        sent = tuple(file for earlier in self.earlier for file in earlier.files)
        return sent + (self.files if role == Role.REPORTER else self.offered)

    def offer(self, kept: Iterable[Kept]) -> None:
        """Offer the files of the responses that were kept, too."""
        for each in kept:
            self.offered = joined(self.offered, each.files)

    def begin(self, other: "Answer") -> None:
        """Begin to answer again, after the case was classified anew: with the material and the clock of `other`."""
        kept = {
            "cycle": self.cycle,
            "earlier": self.earlier,
            "ended": self.ended,
            "ended_at": self.ended_at,
            "ended_why": self.ended_why,
        }
        if self.rated_at is not None:
            kept |= {"first_rating": self.rating, "first_rated_at": self.rated_at}
        else:
            kept |= {"first_rating": self.first_rating, "first_rated_at": self.first_rated_at}
        vars(self).update(vars(other) | kept)
        self.settle()

    def resume(self, calendar: Calendar) -> None:
        """Take the ending back; what came for an answer meanwhile awaits it, by a clock that was not stopped."""
        self.take_back_ending()
        if self.state == State.AWAITING_ANSWER:
            self.start_clock(self.step, self.came_at, calendar)

    def must_stand_here(self) -> None:
        """Raise Withdrawn, AlreadyAnswered or NotAnsweredYet where the case awaits no answer."""
        self.must_go_on()
        if self.state in (State.RETURNED, State.OBJECTED):
            raise NotYourStep({"stands": self.stands()}, "not-to-be-answered-yet")
        if self.state != State.AWAITING_ANSWER:
            raise AlreadyAnswered({"stands": self.stands()})

    def send(self, text: str, now: datetime, calendar: Calendar, numbers: Iterable[str] = ()) -> None:
        """Send the answer `text` (step 6) with the offered files of these numbers.

        Raises AlreadyAnswered, or UnknownFile.
        """
        self.must_stand_here()
        self.files = tuple(find(self.offered, number) for number in dict.fromkeys(numbers))
        self.text, self.sent_at = text, now
        self.lapses_at = calendar.due(now, steps.RECEIPT_LAPSES_AFTER_MINUTES)
        self.remind_at = calendar.due(now, REMIND_AFTER_MINUTES)
        self.start_clock(steps.RECEIVE, now, calendar)
        # Step 7 is the reporter's, who has ten days: no alarm is raised when it takes longer than its five minutes.
        self.tell_at = None
        self.state, self.since = State.ANSWERED, now

    def send_back(self, now: datetime) -> None:
        """Send the report back to Tim Utama, to classify it anew. Raises NoInformation."""
        self.must_stand_here()
        if not self._may_go_back:
            raise NoInformation({"stands": self.stands()})
        self.stop_clock(now)
        self.state, self.since = State.RETURNED, now

    def confirm(self, now: datetime) -> bool:
        """Confirm receipt of the answer (step 7); return whether that closes the complaint.

        Where opening the answer has closed it before, only the time of confirmation is stored. Raises NotAnsweredYet
        or AlreadyConfirmed.
        """
        if not self.is_sent:
            raise NotAnsweredYet({"stands": self.stands()})
        if self.confirmed_at is not None:
            raise AlreadyConfirmed({"stands": self.stands()})
        self.confirmed_at = now
        return self._close(Closing.CONFIRMED, now)

    def open(self, now: datetime) -> bool:
        """Note that the reporter opened the answer while logged in (step 7); return whether it closes the complaint."""
        return self._close(Closing.OPENED, now)

    def lapse(self, now: datetime) -> bool:
        """Close the complaint where the answer was unopened for ten working days (step 7); return whether it was."""
        return self.lapses_at is not None and now >= self.lapses_at and self._close(Closing.LAPSED, now)

    def object(self, why: str, now: datetime, calendar: Calendar) -> bool:
        """Object to the answer, for a second cycle; return whether that closed the first, which ends with it.

        Raises NotAnsweredYet, AlreadyObjected, or ObjectionTooLate.
        """
        if self.cycle > 1:
            raise AlreadyObjected({"stands": self.stands()})
        if not self.is_sent or self.sent_at is None or self.text is None:
            raise NotAnsweredYet({"stands": self.stands()})
        if now > calendar.due(self.sent_at, OBJECTED_WITHIN_MINUTES):
            raise ObjectionTooLate({"stands": self.stands()})
        closed = self._close(Closing.OPENED, now)
        self.earlier += (
            Earlier(
                text=self.text,
                sent_at=write_instant(self.sent_at),
                how=self.how,
                rating=self.rating,
                objection=why,
                files=self.files,
            ),
        )
        self.objection, self.cycle = why, self.cycle + 1
        self.state, self.since = State.OBJECTED, now
        return closed

    def rate(self, rating: int, comment: str | None, now: datetime) -> None:
        """Rate the answer, from 1 to 5. Raises NotClosedYet or AlreadyRated."""
        if self.state != State.CLOSED:
            raise NotClosedYet({"stands": self.stands()})
        if self.rating is not None:
            raise AlreadyRated({"stands": self.stands()})
        self.rating, self.rating_comment, self.rated_at = rating, comment, now

    def acts(self, role: str, now: datetime, calendar: Calendar) -> list[str]:
        """Return the acts of `role` that are possible now at this desk, in the order of `nkk.sop.acts`."""
        return possible("notification", role, self.stands()["state"], self._not_now(now, calendar))

    def _not_now(self, now: datetime, calendar: Calendar) -> set[str]:
        """Return the acts that the state would allow, and something else does not."""
        found: set[str] = set()
        if not self._may_go_back:
            found.add(Act.RECLASSIFY)
        if self.confirmed_at is not None:
            found.add(Act.CONFIRM)
        late = self.sent_at is not None and now > calendar.due(self.sent_at, OBJECTED_WITHIN_MINUTES)
        if self.cycle > 1 or late:
            found.add(Act.OBJECT)
        if self.rating is not None:
            found.add(Act.RATE)
        return found

    @property
    def was_returned(self) -> bool:
        """Whether what was to be answered was sent back, in the first cycle.

        It may have been the result of another complaint, of which no reporter is told.
        """
        return self.cycle == 1 and self.state == State.RETURNED

    @property
    def _may_go_back(self) -> bool:
        return self.path == Path.INFORMATION or self.joined_to is not None

    def stands(self) -> Stands:
        """Return the answer's state, and since when it has been in it; a withdrawal is told to the day."""
        if self.ended is not None and self.ended_at is not None:
            return {"state": self.ended, "since": write_day(self.ended_at)}
        return {"state": self.state, "since": write_instant(self.since)}  # type: ignore[arg-type]

    def _close(self, how: Closing, now: datetime) -> bool:
        if self.state != State.ANSWERED:
            return False
        self.state, self.since = State.CLOSED, now
        self.closed_at, self.how = now, how
        self.remind_at = None
        self.stop_clock(now)
        return True
