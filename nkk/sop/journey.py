"""The step that each event ends and begins, and the clocks computed from a journey's events alone.

They must equal the clocks that the stages keep, which makes the stages' clocks verifiable.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import TypeVar

from nkk.sop import steps
from nkk.sop.clock import Calendar, day_after
from nkk.sop.steps import Role, Step
from nkk.sop.timed import moved


@dataclass(frozen=True)
class Turn:
    """The step that an event ends, and the step that it begins (`then`) or None.

    The step that is ended is None for an act beside the path, which ends whatever step the case is at. Where no step
    begins, `rests` is the one that the complaint is said to await until another event begins one.
    """

    ends: Step | None
    then: Step | None
    instead: str | None = None
    rests: Step | None = None

    @property
    def activity(self) -> str:
        """The activity in the SOP's words; `instead` is ours, for an act that the SOP has no words for."""
        return self.instead or (self.ends.activity if self.ends else "")


SUBMITTED, ANSWERED, CLOSED = "complaint.submitted.v2", "answer.sent.v1", "complaint.closed.v1"
FORWARDED = "complaint.forwarded.v1"
DECLINED, RECALLED, RETURNED = "complaint.declined.v1", "complaint.recalled.v1", "answer.returned.v1"
WITHDRAWN, KEPT, REOPENED = "complaint.withdrawn.v1", "complaint.kept.v1", "complaint.reopened.v1"
GATHERED, SHARED = "response.gathered.v1", "response.shared.v1"
CONCLUDED = "response.concluded.v1"
JOINED, PARTED = "complaint.joined.v1", "complaint.parted.v1"
ABANDONED = "complaint.abandoned.v1"

TURNS = {
    "complaint.submitted.v1": Turn(steps.SUBMIT, steps.HAND_OVER),
    SUBMITTED: Turn(steps.SUBMIT, steps.HAND_OVER),
    "complaint.handed_over.v1": Turn(steps.HAND_OVER, steps.CLASSIFY),
    "complaint.classified_as_information.v1": Turn(steps.CLASSIFY, steps.ANSWER),
    FORWARDED: Turn(steps.CLASSIFY, steps.RESPOND),
    DECLINED: Turn(steps.RESPOND, steps.CLASSIFY, "Menyatakan pengaduan bukan kewenangannya"),
    RECALLED: Turn(steps.RESPOND, steps.CLASSIFY, "Menarik kembali pengaduan dari Tim NKK Pembantu"),
    "response.submitted.v1": Turn(steps.RESPOND, steps.APPROVE),
    "response.returned.v1": Turn(
        steps.APPROVE, steps.RESPOND, "Menerima tanggapan atas pengaduan dan mengembalikannya kepada Tim NKK Pembantu"
    ),
    "response.approved.v1": Turn(steps.APPROVE, steps.ANSWER),
    GATHERED: Turn(
        steps.APPROVE, None, "Menerima tanggapan dan meneruskan pengaduan kepada Tim NKK Pembantu lain", steps.RESPOND
    ),
    CONCLUDED: Turn(steps.CLASSIFY, steps.ANSWER, "Meneruskan tanggapan yang sudah ada kepada operator"),
    JOINED: Turn(
        steps.CLASSIFY, None, "Menggabungkan laporan dengan laporan lain tentang hal yang sama", steps.CLASSIFY
    ),
    PARTED: Turn(None, steps.CLASSIFY, "Memisahkan laporan dari laporan lain"),
    SHARED: Turn(steps.APPROVE, steps.ANSWER),
    RETURNED: Turn(steps.ANSWER, steps.CLASSIFY, "Mengembalikan laporan kepada Tim NKK untuk diklasifikasi lagi"),
    ANSWERED: Turn(steps.ANSWER, steps.RECEIVE),
    CLOSED: Turn(steps.RECEIVE, None),
    REOPENED: Turn(None, steps.CLASSIFY, "Menyatakan keberatan atas jawaban"),
    WITHDRAWN: Turn(None, None, "Mencabut laporan"),
    KEPT: Turn(None, steps.CLASSIFY, "Melanjutkan laporan yang dicabut"),
    ABANDONED: Turn(None, None, "Menutup laporan karena pertanyaan kepada pelapor tidak dijawab"),
}

REQUESTED, GRANTED = "time.requested.v1", "time.granted.v1"

BACK = (DECLINED, RECALLED, RETURNED, REOPENED, PARTED)
"""The events with which a case comes back to step 3, where it is classified anew."""

OUTSIDE = (WITHDRAWN, ABANDONED)
"""The events with which a case ends outside of the steps, so that the step that it was at is not done."""

OF_JOINING = (JOINED, PARTED, SHARED)
"""The events that say that several people reported the same matter, which are told to no reporter."""

_PART = {steps.RESPOND: 1, steps.APPROVE: 1, steps.ANSWER: 2, steps.RECEIVE: 2}


@dataclass(frozen=True)
class Beside:
    """An act that ends no step and starts no clock: who does it, and its words, which are ours, not the SOP's."""

    role: Role
    activity: str


BESIDE = {"report.added_to.v1": Beside(Role.REPORTER, "Menambahkan berkas pada laporan")}
"""The events of a journey besides those of TURNS."""

ABOUT_TIME = {
    REQUESTED: Beside(Role.OPD_TEAM, "Meminta tambahan waktu"),
    GRANTED: Beside(Role.MAIN_TEAM, "Memutuskan permintaan tambahan waktu"),
}
"""The events about the due time of a step, which they neither begin nor end."""


@dataclass(frozen=True)
class Fact:
    """One event of a journey.

    `round` counts the OPDs' responses; `calendar` is the version for the next clock; `forwarding` counts the
    classifications, one more for each time that the case came back to step 3; `cycle` is 2 after an objection. `days`
    are the working days by which more time was asked for or granted.
    """

    type: str
    at: datetime
    round: int = 0
    calendar: int = 0
    forwarding: int = 1
    cycle: int = 1
    days: int = 0

    @property
    def turn(self) -> Turn:
        return TURNS[self.type] if self.type not in ABOUT_TIME else Turn(None, None, ABOUT_TIME[self.type].activity)

    @property
    def then(self) -> Step | None:
        """The step that begins with this fact."""
        return steps.APPROVE if self.type == KEPT and self.round else self.turn.then

    @property
    def begins_at(self) -> datetime:
        """The start of the next step's clock: after an objection, of which only the day may be told, the next day.

        So after a parting, which the withdrawal of another report may have caused.
        """
        return day_after(self.at) if self.type in (REOPENED, PARTED) else self.at

    @property
    def place(self) -> tuple[float, int, int, float]:
        """The sort key in the procedure's order; events may arrive out of order, and machines' clocks may differ."""
        ends = self.turn.ends
        if self.type == KEPT:
            return self.forwarding, -1, 0, 0
        if ends is None:
            return self.forwarding, 3, 0, 0
        if self.type == JOINED:
            # Before the classification, which the report may share with the one that it rests with.
            return self.forwarding, 0, self.round, ends.number - 0.5
        return self.forwarding, _PART.get(ends, 0), self.round, ends.number


F = TypeVar("F", bound=Fact)


def in_order(facts: Iterable[F]) -> tuple[list[F], list[F]]:
    """Return the facts that count in the procedure's order, and those that another act overtook.

    A complaint that was taken back takes no response, no declination and no closing that were on their way. A
    withdrawal comes after everything else of its cycle, and not at all where the answer of that cycle was sent; beside
    it, a desk's closing does not count. What only moves a due time is left out.
    """
    known = [fact for fact in facts if fact.type not in ABOUT_TIME]
    recalled = {fact.forwarding: fact.round for fact in known if fact.type == RECALLED}
    begins = {fact.cycle: fact.forwarding + 1 for fact in known if fact.type == REOPENED}

    def cycle_of(fact: Fact) -> int:
        if fact.type == WITHDRAWN:
            return fact.cycle
        return max((cycle for cycle, first in begins.items() if fact.forwarding >= first), default=1)

    answered = {cycle_of(fact) for fact in known if fact.type == ANSWERED}
    kept = {cycle_of(fact): fact.forwarding for fact in known if fact.type == KEPT}
    withdrawn = {fact.cycle for fact in known if fact.type == WITHDRAWN}

    def is_overtaken(fact: Fact) -> bool:
        if fact.type == WITHDRAWN:
            return fact.cycle in answered and fact.cycle not in kept
        if fact.type == ABANDONED and cycle_of(fact) in withdrawn:
            return True
        if fact.type in (DECLINED, ABANDONED) or (fact.type != RECALLED and fact.turn.ends == steps.RESPOND):
            return fact.forwarding in recalled and fact.round >= recalled[fact.forwarding]
        return False

    def place(fact: Fact) -> tuple[float, int, int, float]:
        if fact.type != WITHDRAWN:
            return fact.place
        goes_on = kept.get(fact.cycle, math.inf) - 1
        return goes_on, 4, 0, 0

    overtaken = [fact for fact in known if is_overtaken(fact)]
    return sorted((fact for fact in known if not is_overtaken(fact)), key=place), overtaken


@dataclass(frozen=True)
class Question:
    """A desk's question to the reporter, for which the clock of its step rests from `at` on.

    `ended_at` is the instant from which the clock goes on; None where the question was neither answered nor lapsed.
    """

    step: int
    forwarding: int
    round: int
    at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Rest:
    """A time during which a clock rested; without `until` it rests still, or rested when its step ended."""

    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class Clock:
    """One run of a step's clock. `done_at` is None while it runs; `round` counts the OPDs' responses."""

    step: Step
    round: int
    calendar: Calendar
    came_at: datetime
    due_at: datetime
    done_at: datetime | None
    forwarding: int = 1
    ended_by: str | None = None
    """The type of the event that ended it."""
    first_due_at: datetime | None = None
    """When it was due before it got more time; None where it got none."""
    moved_days: int = 0
    """The working days by which its due time was moved."""
    rests: tuple[Rest, ...] = ()

    @property
    def cut_short(self) -> bool:
        """Whether it ended because the case ended outside of the steps, so that its step was not done."""
        return self.ended_by in OUTSIDE

    @property
    def waiting_since(self) -> datetime | None:
        """Since when its desk has waited for the reporter's answer; None where it does not."""
        rest = self.rests[-1] if self.rests and self.done_at is None else None
        return rest.since if rest and rest.until is None else None

    def used(self, now: datetime) -> int:
        """Return the whole office minutes that the step took, or has taken by `now`, without those that it rested."""
        took = self.calendar.open_between(self.came_at, self.done_at or now)
        return (took - self._rested(now)) // timedelta(minutes=1)

    def rested(self, now: datetime) -> int:
        """Return the whole office minutes that the clock rested, because its desk waited for the reporter."""
        return self._rested(now) // timedelta(minutes=1)

    def _rested(self, now: datetime) -> timedelta:
        end = self.done_at or now
        spans = ((rest.since, min(rest.until or end, end)) for rest in self.rests)
        return sum((self.calendar.open_between(since, until) for since, until in spans), timedelta())

    def left(self, now: datetime) -> int:
        """Return the whole office minutes that are left at `now`; negative if overdue."""
        return self.calendar.minutes_left(self.counted_to(now), self.due_at)

    def counted_to(self, now: datetime) -> datetime:
        """Return the instant that is compared to the due time at `now`, or was at the end: no time passes in a rest."""
        end = self.done_at or now
        rest = next((rest for rest in self.rests if rest.until is None or end <= rest.until), None)
        if rest is None:
            return end
        # The due time has moved already where the end of the rest is known, and the step has not ended within it.
        return rest.until if self.done_at is None and rest.until else min(end, rest.since)

    def late(self, now: datetime) -> bool | None:
        """Return whether the step is or was overdue; None for a reporter's step, which has no duty to be on time."""
        if self.step.role == Role.REPORTER:
            return None
        return self.counted_to(now) > self.due_at


def clocks(
    facts: Iterable[Fact], calendar_of: Callable[[int], Calendar], questions: Iterable[Question] = ()
) -> list[Clock]:
    """Return every clock that `facts` started, in the procedure's order. Step 1 has none: its start is not known.

    A clock rests for the `questions` that its desk asked the reporter while it ran.
    """
    facts = list(facts)
    ordered, _ = in_order(facts)
    granted = {(fact.forwarding, fact.round): fact for fact in facts if fact.type == GRANTED and fact.days}
    asked = sorted(questions, key=lambda question: question.at)
    found = []
    for fact, following in zip_longest(ordered, ordered[1:]):
        step = fact.then
        if step is None:
            continue
        calendar, start = calendar_of(fact.calendar), fact.begins_at
        ended = _end(fact, following, start)
        by = following.type if following and ended else None
        run = (step.number, forwarding_after(fact), round_of(fact))
        of_run = [each for each in asked if (each.step, each.forwarding, each.round) == run]
        due = calendar.due(start, step.minutes)
        *before, last = _rests(of_run, start, None) or (None,)
        for rest in (*before, last):
            # A withdrawal, told by its day, may end the clock before the rests of that day: the last moves no due time.
            if rest is not None and rest.until and (rest is not last or ended is None or rest.until < ended):
                due = moved(due, rest.since, rest.until, calendar)
        rests = _rests(of_run, start, ended)
        clock = Clock(step, run[2], calendar, start, due, ended, run[1], by, rests=rests)
        grant = granted.get((clock.forwarding, clock.round)) if step == steps.RESPOND else None
        if grant is not None and not clock.cut_short and more_time_counts(grant.at, ended):
            later = calendar.due(due, grant.days * steps.MINUTES_PER_DAY)
            clock = replace(clock, due_at=later, first_due_at=due, moved_days=grant.days)
        found.append(clock)
    return found


def _rests(questions: Iterable[Question], start: datetime, ended: datetime | None) -> tuple[Rest, ...]:
    """Return the rests of a clock from `start` to `ended`: a question asked during a rest makes the rest longer."""
    found: list[Rest] = []
    for asked in questions:
        if ended is not None and asked.at >= ended:
            continue
        since = max(start, asked.at)
        if found and found[-1].until is not None and since < found[-1].until:
            since = found.pop().since
        until = max(asked.ended_at, since) if asked.ended_at else None
        found.append(Rest(since, until))
    return tuple(found)


def more_time_counts(granted_at: datetime, ended_at: datetime | None) -> bool:
    """Return whether a step got more time, that is, not after it ended: in whatever order its events arrive."""
    return ended_at is None or granted_at <= ended_at


def _end(fact: Fact, following: Fact | None, start: datetime) -> datetime | None:
    """Return when the step that `fact` begins ended; None where that is not known yet."""
    if following is None:
        return None
    if following.type in OUTSIDE:
        return max(start, following.at)
    # A later event may have been consumed before the one that ends the step.
    ends = following.turn.ends == fact.then and round_of(fact) in (0, following.round)
    return following.at if ends else None


def forwarding_after(fact: Fact) -> int:
    """Return the number of the classification that the step after `fact` belongs to."""
    return fact.forwarding + 1 if fact.type in BACK else fact.forwarding


def service_due(submitted_at: datetime, calendar: Calendar) -> datetime:
    """Return the end of the two working days promised for the whole service (SOP, part E)."""
    return calendar.due(submitted_at, steps.SERVICE_MINUTES)


def services(facts: Sequence[F]) -> list[tuple[F, F | None]]:
    """Return, for each cycle of `facts` (in order), the fact that begins it and the one that answers it, or None."""
    begun = [fact for fact in facts if fact.turn.ends == steps.SUBMIT or fact.type == REOPENED]
    found = []
    for first, following in zip_longest(begun, begun[1:]):
        of_cycle = facts[facts.index(first) : facts.index(following) if following else None]
        found.append((first, next((fact for fact in of_cycle if fact.type == ANSWERED), None)))
    return found


def round_of(fact: Fact) -> int:
    """Return the number of the OPD's response that the step after `fact` is about; 0 where there is none."""
    step = fact.then
    return fact.round + 1 if step == steps.RESPOND else fact.round if step == steps.APPROVE else 0
