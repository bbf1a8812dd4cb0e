"""The journey of a complaint, as its events record it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from nkk.sop import endings, steps
from nkk.sop.acts import Act, possible
from nkk.sop.clock import Calendar, day_of
from nkk.sop.journey import (
    ABANDONED,
    ABOUT_TIME,
    ANSWERED,
    BACK,
    FORWARDED,
    OF_JOINING,
    OUTSIDE,
    REOPENED,
    RETURNED,
    WITHDRAWN,
    Clock,
    clocks,
    forwarding_after,
    in_order,
    round_of,
    services,
)
from nkk.sop.steps import Channel, Path, Role, Stands, Step
from services.notification.asking import Asked
from services.notification.entries import Entry
from services.notification.unjoined import Unjoined

CLASSIFIED = {"complaint.classified_as_information.v1": Path.INFORMATION, FORWARDED: Path.COMPLAINT}
"""The path on which each classification leads."""

_ENDINGS = {WITHDRAWN: endings.WITHDRAWN, ABANDONED: endings.ABANDONED}


def _names_opd(entry: Entry) -> bool:
    return entry.type == FORWARDED and entry.opd is not None


N = TypeVar("N", Entry, Asked)


@dataclass
class Journey:
    """The way of one complaint through the procedure, as far as its events have been consumed.

    `author` is the hash by which the reporter's own calls are recognised, and `sealed_reporter` the box for letters.
    `website` is the account of the website that sent the complaint in, if one did, and `channel` how it came.
    `until` is when the complaint was taken away from the team that is told, None where it is told all of it.
    `about_time` are the requests for more time, and the decisions on them.
    Journeys of an earlier version have `reporter_id` instead.
    """

    ticket: str
    reporter_id: str | None
    submitted_at: datetime | None
    service_due_at: datetime | None
    path: str | None
    opd: str | None
    category: str | None
    sub_category: str | None
    late_at: datetime | None
    closed_at: datetime | None
    entries: list[Entry]
    questions: list[Asked] = field(default_factory=list)
    answered_at: datetime | None = None
    answer_minutes: int | None = None
    author: str | None = None
    sealed_reporter: str | None = None
    website: str | None = None
    again_due_at: datetime | None = None
    ended: str | None = None
    kept: int = 0
    channel: str = Channel.WEB
    about_time: list[Entry] = field(default_factory=list)
    until: datetime | None = None

    def __post_init__(self) -> None:
        found = {*self.about_time, *(entry for entry in self.entries if entry.type in ABOUT_TIME)}
        self.about_time = sorted(found, key=lambda entry: (entry.at, entry.event_id))
        self.entries, self.overtaken = in_order(self.entries)
        # Not what was consumed last: the forwardings may come in any order. Older entries name no OPD.
        self.opd = next((entry.opd for entry in reversed(self.entries) if _names_opd(entry)), self.opd)
        if self.path is not None:
            self.path = next((CLASSIFIED[e.type] for e in reversed(self.entries) if e.type in CLASSIFIED), self.path)

    @property
    def stands_at(self) -> Step | None:
        """The next step; None where the complaint is closed, or has ended outside of the steps."""
        last = self.entries[-1] if self.entries else None
        return (last.then or last.turn.rests) if last else steps.HAND_OVER

    @property
    def cycle(self) -> int:
        """The number of the current cycle: 1, or 2 after an objection."""
        return max((entry.cycle for entry in self.entries if entry.type == REOPENED), default=1)

    def cycle_of(self, forwarding: int) -> int:
        """Return the number of the cycle that a classification belongs to."""
        begun = [entry.cycle for entry in self.entries if entry.type == REOPENED and entry.forwarding < forwarding]
        return max(begun, default=1)

    @property
    def ending(self) -> Entry | None:
        """The last event that counts of those that end a case outside of the steps; None where there is none."""
        return next((entry for entry in reversed(self.entries) if entry.type in OUTSIDE), None)

    @property
    def is_abandoned(self) -> bool:
        """Whether a desk closed the report as not completed, and nothing overtook that."""
        return bool(self.entries) and self.entries[-1].type == ABANDONED

    @property
    def due_at(self) -> datetime | None:
        """The end of the time promised for the whole service, in the second cycle that of the second."""
        return self.again_due_at or self.service_due_at

    def stood_at(self, at: datetime) -> Step:
        """Return the step that the complaint awaited at an instant; the last one where it was closed."""
        before = [entry for entry in self.entries if entry.at <= at]
        return (before[-1].then or before[-1].turn.rests or steps.RECEIVE) if before else steps.HAND_OVER

    @property
    def calendars(self) -> set[int]:
        """The calendar versions of the journey's clocks."""
        return {entry.calendar for entry in self.entries}

    def by_day(self, now: datetime) -> "Journey":
        """Return the journey for readers who see the reporter's acts only to the day.

        The receipt of the answer is left out until the next day. Threat: by looking often, a reader would otherwise
        learn its minute.
        """
        objected = {entry.forwarding for entry in self.entries if entry.type == REOPENED}
        told = [
            entry
            for entry in self.entries
            if entry.turn.ends != steps.RECEIVE or day_of(entry.at) < day_of(now) or entry.forwarding in objected
        ]
        return replace(self, entries=[*told, *self.overtaken])

    def neutral(self, now: datetime, calendar_of: Callable[[int], Calendar]) -> "Journey":
        """Return the journey as its reporter is told of it at `now`: as if it had been forwarded, and never joined."""
        if not any(entry.type in OF_JOINING for entry in self.entries):
            return self
        told = Unjoined(now, calendar_of, self.questions)
        told.tell(self.entries)

        def renumbered(found: Iterable[N]) -> list[N]:
            return [replace(each, forwarding=told.number(each.forwarding)) for each in found]

        overtaken, asked = renumbered(self.overtaken), renumbered(self.questions)
        whole = replace(self, entries=[*told.entries, *overtaken], about_time=renumbered(self.about_time), path=None)
        # Another `replace` would leave out what was overtaken.
        whole.path, whole.questions = whole.classified_as, asked
        return whole

    @property
    def classified_as(self) -> Path | None:
        """The path on which the last classification leads, unless it does not count any more."""
        last = next((e.type for e in reversed(self.entries) if e.type in (*CLASSIFIED, RETURNED, REOPENED)), "")
        return CLASSIFIED.get(last)

    def clocks(self, calendar_of: Callable[[int], Calendar]) -> list[Clock]:
        """Return the clocks of the journey, counted from its entries and questions only."""
        return clocks([*self.entries, *self.about_time], calendar_of, [asked.fact for asked in self.questions])

    def open_questions(self, now: datetime, calendar_of: Callable[[int], Calendar]) -> list[Asked]:
        """Return the questions that the reporter may answer now."""
        if Act.ANSWER_QUESTION not in possible("notification", Role.REPORTER, self.stands()["state"]):
            return []
        waiting = [asked for asked in self.questions if asked.is_open and now < asked.lapses_at]
        # A journey's clocks are counted only where it has a question.
        counted = self.clocks(calendar_of) if waiting else []
        return [asked for asked in waiting if not asked.is_overtaken(counted)]

    def minutes_to(self, at: datetime, calendar_of: Callable[[int], Calendar]) -> int | None:
        """Return the office minutes from the submission to `at`, by the submission's calendar.

        Returns None where the submission has not been consumed yet.
        """
        submitted = self._submitted
        return None if submitted is None else calendar_of(submitted.calendar).minutes_between(submitted.at, at)

    def service_left(self, now: datetime, calendar_of: Callable[[int], Calendar], by_day: bool = False) -> int | None:
        """Return the office minutes left of the whole service's promised time, by the submission's calendar.

        With `by_day` they are counted in whole days. Returns None where the submission has not been consumed yet.
        """
        cycles = services(self.entries)
        if not cycles or self.due_at is None:
            return None
        calendar = calendar_of(cycles[-1][0].calendar)
        return (calendar.days_left if by_day else calendar.minutes_left)(now, self.due_at)

    @property
    def _submitted(self) -> Entry | None:
        return next((entry for entry in self.entries if entry.turn.ends == steps.SUBMIT), None)

    def awaits(self, step: int, round_: int, forwarding: int = 1) -> bool:
        """Return whether the complaint still awaits `step`, for response number `round_` unless that is 0.

        A step that was done and has to be done again, because the case was classified anew, is another one.
        """
        last = self.entries[-1] if self.entries else None
        if last is None or last.then is None or last.then.number != step:
            return False
        return forwarding_after(last) == forwarding and (round_ == 0 or round_of(last) == round_)

    def shown_to(self, role: str, wrote_it: bool, group: str | None) -> bool:
        """Return whether a reader may follow the journey.

        Its reporter and operators may, Tim Utama once it was handed over, and the team of the OPD that has it.
        """
        reached = {entry.turn.ends.number for entry in self.entries if entry.turn.ends}
        return {
            Role.REPORTER: wrote_it,
            Role.OPERATOR: True,
            Role.MAIN_TEAM: bool(reached - {steps.SUBMIT.number}),
            Role.OPD_TEAM: group is not None and (self.opd == group or self._forwarded_to(group) is not None),
        }.get(Role(role), False)

    def told_to(self, role: str, group: str | None, now: datetime, calendar_of: Callable[[int], Calendar]) -> "Journey":
        """Return the journey as far as a reader of this role and group is told of it at `now`.

        That is all of it for operators and Tim Utama. Its reporter is not told of other reports. Nor is the team of an
        OPD, which does not have them; it is told until the complaint was taken away from it, or forwarded to a further
        OPD.
        """
        if role == Role.REPORTER:
            return self.neutral(now, calendar_of)
        return self.neutral(now, calendar_of)._until_taken_from(group) if role == Role.OPD_TEAM else self

    def _until_taken_from(self, group: str | None) -> "Journey":
        forwarded = self._forwarded_to(group)
        if forwarded is None:
            return self
        until = next(
            (
                place
                for place, entry in enumerate(self.entries)
                if place > forwarded and (entry.type in BACK or _names_opd(entry))
            ),
            None,
        )
        if until is None:
            return self
        told = self.entries[: until + (self.entries[until].type in BACK)]
        answers = sum(entry.type == ANSWERED for entry in told)
        # A withdrawal has no number of its own. What overtook it is the answer of its cycle.
        overtaken = [
            entry
            for entry in self.overtaken
            if (entry.cycle <= answers if entry.type == WITHDRAWN else entry.forwarding <= told[-1].forwarding)
        ]
        about_time = [entry for entry in self.about_time if entry.forwarding <= told[-1].forwarding]
        part = replace(self, path=Path.COMPLAINT, opd=group, entries=[*told, *overtaken], about_time=about_time)
        if all(entry.type != REOPENED for entry in told[:-1]):
            part.again_due_at = None
        part.until = part.entries[-1].at
        return part

    def _forwarded_to(self, group: str | None) -> int | None:
        """Return the place of the last forwarding to this OPD; None where no entry is one."""
        places = [place for place, entry in enumerate(self.entries) if _names_opd(entry) and entry.opd == group]
        return places[-1] if places else None

    def stands(self) -> Stands:
        """Return the complaint's state in the procedure: the step that it awaits, or closed."""
        step = self.stands_at
        if step is None:
            return {"state": _ENDINGS.get(self.entries[-1].type, "closed"), "step": None}
        return {"state": step.name, "step": step.number}


def still_true(kind: str, step: int | None, round_: int | None, way: Journey, forwarding: int | None = None) -> bool:
    """Return whether a letter of `kind` is still true: the step may have been done after it was written.

    A reporter who withdrew the report is sent no more letters about it, unless they object to its answer.
    """
    if way.kept == way.cycle and step is None and kind != "withdrawn":
        return False
    if kind == "abandoned":
        return way.is_abandoned
    if kind in ("goes_on", "objected", "question_lapsed"):
        return way.entries[-1].type not in OUTSIDE
    stands_at = way.stands_at.number if way.stands_at else None
    if kind == "late":
        return stands_at is not None and stands_at < steps.RECEIVE.number
    if kind == "reminder":
        return stands_at == steps.RECEIVE.number
    if kind in ("question", "question_reminder"):
        return any(asked.is_open and way.awaits(asked.step, asked.round, asked.forwarding) for asked in way.questions)
    return step is None or way.awaits(step, round_ or 0, forwarding or 1)
