"""A month's recapitulation, computed from the facts of journeys alone.

Accepted are the complaints submitted in the month; a step counts in the month in which it was done. Open are those
without an answer at the month's end, or now in the current month.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from nkk.sop import faults, steps
from nkk.sop.clock import Calendar, day_of, month_bounds, write_day, write_instant
from nkk.sop.indonesian import ROLES
from nkk.sop.journey import (
    ABANDONED,
    CLOSED,
    DECLINED,
    JOINED,
    OUTSIDE,
    PARTED,
    RECALLED,
    REOPENED,
    RETURNED,
    WITHDRAWN,
    Clock,
    Fact,
    Question,
    clocks,
    in_order,
    service_due,
    services,
)
from nkk.sop.proof import read_calendars, read_facts, read_questions
from nkk.sop.refusals import InvalidInput

MOST_LISTED = 1_000
"""The largest number of open cases in the list, oldest due first; the counts include all."""

FORWARDED, RESPONDED = "complaint.forwarded.v1", "response.submitted.v1"
PATHS: dict[str | None, str] = {
    steps.Path.INFORMATION: "Informasi",
    steps.Path.COMPLAINT: "Pengaduan",
    None: "Belum diklasifikasi",
}


CHANNELS = {
    steps.Channel.WEB: "Situs web",
    steps.Channel.COUNTER: "Loket",
    steps.Channel.TELEPHONE: "Telepon",
    steps.Channel.LETTER: "Surat",
    steps.Channel.SOCIAL_MEDIA: "Media sosial",
}


@dataclass(frozen=True)
class Record:
    """A journey as it is counted. `facts` are all its events; category, sub-category and OPD are keys."""

    ticket: str
    path: str | None
    category: str | None
    sub_category: str | None
    opd: str | None
    facts: Sequence[Fact]
    channel: str = steps.Channel.WEB
    questions: Sequence[Question] = ()

    @cached_property
    def ordered(self) -> list[Fact]:
        """The events that count, in the procedure's order."""
        return in_order(self.facts)[0]

    @property
    def submitted_at(self) -> datetime:
        return min(fact.at for fact in self.facts)

    @cached_property
    def cycles(self) -> list[tuple[Fact, Fact | None]]:
        """What begins each cycle, and the answer that it ended with, if it has one."""
        return services(self.ordered)

    def was_joined(self, first: datetime, end: datetime) -> bool:
        """Return whether the report was joined with another in this time, and neither parted nor sent back in it."""
        facts = [fact for fact in self.ordered if fact.type in (JOINED, PARTED, RETURNED) and first <= fact.at < end]
        return bool(facts) and facts[-1].type == JOINED

    @property
    def waits(self) -> bool:
        """Whether an answer is still to be sent."""
        return self.ordered[-1].type not in OUTSIDE and (not self.cycles or self.cycles[-1][1] is None)

    def opd_of(self, forwarding: int) -> str | None:
        """Return the OPD of this forwarding; events of earlier versions do not name it."""
        named = (
            getattr(fact, "opd", None) for fact in self.ordered if _forwards(fact) and fact.forwarding == forwarding
        )
        return next(filter(None, named), self.opd)


def _forwards(fact: Fact) -> bool:
    return fact.type == FORWARDED


RATINGS = range(1, 6)

FEWEST = 5
"""The fewest complaints for a share or a median: over fewer, it would reveal the times of a single one."""


def figures(
    month: str,
    ask: Callable[[bool, str | None], Mapping[str, Any]],
    lists: Mapping[str, Any],
    now: datetime,
    by_day: bool = False,
) -> dict[str, Any]:
    """Return the figures of `month` from notification's journeys, with names from intake's `lists`.

    `ask(closed, cursor)` returns a page of journeys. `by_day` is for the roles in BY_DAY, which see a reporter's times
    only to the day. Raises InvalidInput where `month` is not a month or lies in the future.
    """
    try:
        first, _ = month_bounds(month)
    except ValueError:
        raise InvalidInput.of(month=faults.NO_MONTH()) from None
    if first > now:
        raise InvalidInput.of(month=faults.MONTH_TO_COME())
    records: dict[str, Record] = {}
    calendars: dict[int, Calendar] = {}
    ratings: Mapping[str, Any] = {}
    for page in _pages(ask):
        # A stage of an earlier version does not count them.
        ratings = page.get("ratings", ratings)
        calendars |= read_calendars(page["calendars"])
        records |= {
            journey["ticket"]: Record(
                facts=read_facts(journey),
                questions=read_questions(journey),
                # A stage of an earlier version does not give it.
                channel=journey.get("channel", steps.Channel.WEB),
                **{name: journey[name] for name in _KEPT},
            )
            for journey in page["journeys"]
        }
    counted = recapitulate(month, records.values(), calendars.__getitem__, now, _names(lists), by_day)
    return counted | _rated(ratings)


def _rated(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the month's ratings, with a row for each from 1 to 5; None stands for a few."""
    by_rating = told.get("by_rating") or {}
    return {
        "ratings": {"count": told.get("count"), "average": told.get("average")},
        "by_rating": [{"rating": rating, "count": by_rating.get(str(rating))} for rating in RATINGS],
    }


def _pages(ask: Callable[[bool, str | None], Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the pages of journeys, open ones first: a journey that closes meanwhile is read again when closed."""
    for closed in (False, True):
        cursor = None
        while True:
            page = ask(closed, cursor)
            yield page
            cursor = page["next"]
            if cursor is None:
                break


_KEPT = ("ticket", "path", "category", "sub_category", "opd")


def _names(lists: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    return {
        "categories": {key: category["name"] for key, category in lists["categories"].items()},
        "sub_categories": {
            f"{key}/{sub}": name
            for key, category in lists["categories"].items()
            for sub, name in category["sub_categories"].items()
        },
        "opds": lists["opds"],
    }


@dataclass(frozen=True)
class _Run:
    """A step, or the whole service, that ended in the month: the office minutes used, and whether it was on time."""

    used: int
    on_time: bool | None


def recapitulate(
    month: str,
    records: Iterable[Record],
    calendar_of: Callable[[int], Calendar],
    now: datetime,
    names: Mapping[str, Mapping[str, str]],
    by_day: bool = False,
) -> dict[str, Any]:
    """Return the figures of `month` (`2026-03`, WIB), in the shape of the monthly document.

    `names` maps keys to names: {"categories", "sub_categories" (by "category/sub"), "opds"}. With `by_day`, the figures
    leave out what reporters did today, give a reporter's times as days, and give no durations over fewer than FEWEST
    complaints for the whole service and for steps that a reporter's act begins or ends.
    """
    first, end = month_bounds(month)
    as_of = min(end, now)
    known = [until for record in records if (until := _until(record, as_of, by_day)).facts]
    ended = [
        (record, clock)
        for record in known
        for clock in clocks(record.facts, calendar_of, record.questions)
        if clock.done_at is not None and first <= clock.done_at < end and not clock.cut_short
    ]
    accepted = [record for record in known if first <= record.submitted_at < end]
    answers = [
        (begun, answer) for record in known for begun, answer in record.cycles if answer and first <= answer.at < end
    ]

    def happened(type_: str) -> list[tuple[Record, Fact]]:
        return [
            (each, fact) for each in known for fact in each.ordered if fact.type == type_ and first <= fact.at < end
        ]

    waiting = [(record, _open_case(record, as_of, calendar_of, names, by_day)) for record in known if record.waits]
    open_cases = [case for _, case in waiting]
    return {
        "month": month,
        "accepted": len(accepted),
        "answered": len(answers),
        "closed": len(happened(CLOSED)),
        "withdrawn": len(happened(WITHDRAWN)),
        "abandoned": len(happened(ABANDONED)),
        "objected": len(happened(REOPENED)),
        "joined": sum(record.was_joined(first, end) for record in known),
        "open": len(open_cases),
        "late": sum(case["late"] for case in open_cases),
        "by_path": _counted(Counter(PATHS[record.path] for record in accepted)),
        "by_channel": _by_channel(accepted),
        "by_category": _by_category(accepted, names),
        "by_opd": _by_opd(happened, waiting, ended, as_of, names),
        # Step 1 is the reporter's, and takes no time that is measured: what was accepted has done it.
        "steps": [
            _by_step(step, ended, as_of, by_day) | ({"count": len(accepted)} if step is steps.SUBMIT else {})
            for step in steps.STEPS
        ],
        "service": {"standard_minutes": steps.SERVICE_MINUTES}
        | _times([_whole(*each, calendar_of) for each in answers], FEWEST if by_day else 1),
        "open_cases": sorted(open_cases, key=_place)[:MOST_LISTED],
    }


def percentile(values: Sequence[int], share: float) -> int | None:
    """Return the percentile of `values` at `share` (0 to 1) by nearest rank; None where there are no values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)] if ordered else None


def _place(case: Mapping[str, Any]) -> tuple[datetime, str]:
    """Return the sort key, made of shown values only, so that the order reveals no more than the rows."""
    return datetime.fromisoformat(case["due_at"]), case["ticket"]


def _until(record: Record, end: datetime, by_day: bool) -> Record:
    """Return the journey as it was just before `end`.

    With `by_day`, without what its reporter did on that day, unless another step has followed it.
    """
    facts = [fact for fact in record.facts if fact.at < end]
    if by_day:
        facts = _without_today(facts, day_of(end))
    classified = any(fact.turn.ends == steps.CLASSIFY for fact in facts)
    return Record(
        record.ticket,
        record.path if classified else None,
        record.category,
        record.sub_category,
        record.opd if classified else None,
        facts,
        record.channel,
        [_asked_until(asked, end) for asked in record.questions if asked.at < end],
    )


def _asked_until(asked: Question, end: datetime) -> Question:
    return replace(asked, ended_at=None) if asked.ended_at and asked.ended_at >= end else asked


def _without_today(facts: list[Fact], today: datetime) -> list[Fact]:
    objected = {fact.forwarding for fact in facts if fact.type == REOPENED}
    facts = [
        fact for fact in facts if fact.turn.ends != steps.RECEIVE or fact.at < today or fact.forwarding in objected
    ]
    waits = all(fact.turn.ends == steps.SUBMIT and fact.at >= today for fact in facts)
    return [] if waits else facts


def _by_step(step: steps.Step, ended: Iterable[tuple[Record, Clock]], as_of: datetime, by_day: bool) -> dict[str, Any]:
    fewest = FEWEST if by_day and step in steps.REPORTERS_CLOCKS else 1
    return {
        "number": step.number,
        "activity": step.activity,
        "role": ROLES[step.role],
        "standard_minutes": step.minutes,
    } | _times([_run(clock, as_of) for _, clock in ended if clock.step == step], fewest)


def _by_opd(
    happened: Callable[[str], list[tuple[Record, Fact]]],
    waiting: Iterable[tuple[Record, Mapping[str, Any]]],
    ended: Iterable[tuple[Record, Clock]],
    as_of: datetime,
    names: Mapping[str, Mapping[str, str]],
) -> list[dict[str, Any]]:
    """Return a row for each OPD that got a complaint or responded in the month, or has one open, sorted by name."""

    def counted(type_: str) -> Counter[str | None]:
        return Counter(record.opd_of(fact.forwarding) for record, fact in happened(type_))

    came, declined, recalled = counted(FORWARDED), counted(DECLINED), counted(RECALLED)
    at_step = [(record.opd, case["late"]) for record, case in waiting if case["step"] == steps.RESPOND.number]
    standing, late = Counter(opd for opd, _ in at_step), Counter(opd for opd, is_late in at_step if is_late)
    runs: dict[str | None, list[_Run]] = defaultdict(list)
    for record, clock in ended:
        if clock.ended_by == RESPONDED:
            runs[record.opd_of(clock.forwarding)].append(_run(clock, as_of))
    rows = [
        {
            "name": _name(names, "opds", opd),
            "forwarded": came[opd],
            "declined": declined[opd],
            "recalled": recalled[opd],
            "open": standing[opd],
            "late": late[opd],
            "responses": len(runs[opd]),
        }
        | _durations(runs[opd])
        for opd in {*came, *declined, *recalled, *standing, *runs}
    ]
    return sorted(rows, key=lambda row: row["name"])


def _run(clock: Clock, as_of: datetime) -> _Run:
    late = clock.late(as_of)
    return _Run(clock.used(as_of), None if late is None else not late)


def _whole(begun: Fact, answered: Fact, calendar_of: Callable[[int], Calendar]) -> _Run:
    """Return the run of the whole service, from the fact that begins a cycle to its answer."""
    calendar = calendar_of(begun.calendar)
    due = service_due(begun.begins_at, calendar)
    return _Run(calendar.minutes_between(begun.begins_at, answered.at), answered.at <= due)


def _open_case(
    record: Record,
    as_of: datetime,
    calendar_of: Callable[[int], Calendar],
    names: Mapping[str, Mapping[str, str]],
    by_day: bool,
) -> dict[str, Any]:
    running = next(reversed(clocks(record.facts, calendar_of, record.questions)), None)
    begun = record.cycles[-1][0] if record.cycles else record.ordered[0]
    promised = service_due(begun.begins_at, calendar_of(begun.calendar))
    step = running.step if running else steps.HAND_OVER
    came, due = (running.came_at, running.due_at) if running else (begun.at, promised)
    if record.ordered[-1].type == JOINED:
        # It rests with another report, by no step's clock.
        came, due = record.ordered[-1].at, promised
    first = by_day and step == steps.HAND_OVER
    write, write_promised = write_day if first else write_instant, write_day if by_day else write_instant
    return {
        "ticket": record.ticket,
        "path": PATHS[record.path],
        "step": step.number,
        "activity": step.activity,
        "opd": _name(names, "opds", record.opd) if record.opd else None,
        "came_at": write(came),
        "due_at": write(due),
        "service_due_at": write_promised(promised),
        "late": _past(as_of, due, first) or _past(as_of, promised, by_day),
    }


def _past(as_of: datetime, due: datetime, by_day: bool) -> bool:
    return day_of(as_of) > day_of(due) if by_day else as_of > due


def _times(runs: Sequence[_Run], fewest: int) -> dict[str, Any]:
    return {"count": len(runs)} | _durations(runs if len(runs) >= fewest else [])


def _durations(runs: Sequence[_Run]) -> dict[str, Any]:
    used = [run.used for run in runs]
    judged = [run.on_time for run in runs if run.on_time is not None]
    return {
        "median_minutes": percentile(used, 0.5),
        "p90_minutes": percentile(used, 0.9),
        "on_time_share": sum(judged) / len(judged) if judged else None,
    }


def _by_category(records: Iterable[Record], names: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    counted = Counter((record.category or "", record.sub_category or "") for record in records)
    return [
        {
            "name": _name(names, "categories", category),
            "sub_category": names["sub_categories"].get(f"{category}/{sub}", sub),
            "count": count,
        }
        for (category, sub), count in sorted(counted.items())
    ]


def _by_channel(records: Iterable[Record]) -> list[dict[str, Any]]:
    counted = Counter(record.channel for record in records)
    return [{"name": name, "count": counted[channel]} for channel, name in CHANNELS.items() if counted[channel]]


def _counted(counter: Counter[str]) -> list[dict[str, Any]]:
    return [{"name": name, "count": counter[name]} for name in PATHS.values() if counter[name]]


def _name(names: Mapping[str, Mapping[str, str]], kind: str, key: str | None) -> str:
    """Return the name of a key; the key itself where the lists no longer contain it."""
    return names[kind].get(key or "", key or "-")
