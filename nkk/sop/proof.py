"""A line-by-line account, in Indonesian, of the clocks of one journey, recomputed from its recorded events alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

from nkk.sop import steps
from nkk.sop.calendar import read_calendar
from nkk.sop.clock import WIB, Calendar, Stretch
from nkk.sop.indonesian import DAYS, ROLES, written_minutes
from nkk.sop.journey import ABANDONED, OUTSIDE, WITHDRAWN, Fact, Question, clocks, in_order, service_due, services

_ENDINGS = {WITHDRAWN: "dicabut", ABANDONED: "ditutup"}

PATHS = {steps.Path.INFORMATION: "informasi", steps.Path.COMPLAINT: "pengaduan", None: "belum diklasifikasi"}


@dataclass(frozen=True)
class Recorded(Fact):
    """A fact with the id of its event, and the OPD that it concerns, if any."""

    event_id: str = ""
    opd: str | None = None


def read_facts(journey: Mapping[str, Any]) -> list[Recorded]:
    """Return the facts of a journey in the form in which notification gives them."""
    return [
        Recorded(
            type=fact["type"],
            at=datetime.fromisoformat(fact["at"]),
            round=fact["round"],
            calendar=fact["calendar"],
            # A stage of an earlier version does not give these.
            forwarding=fact.get("forwarding", 1),
            cycle=fact.get("cycle", 1),
            days=fact.get("days", 0),
            opd=fact.get("opd"),
            event_id=fact["event_id"],
        )
        for fact in journey["facts"]
    ]


def read_questions(journey: Mapping[str, Any]) -> list[Question]:
    """Return the questions of a journey, for which clocks rested; none where a stage of an earlier version gives it."""
    return [
        Question(
            asked["step"],
            asked["forwarding"],
            asked["round"],
            datetime.fromisoformat(asked["at"]),
            datetime.fromisoformat(asked["ended_at"]) if asked["ended_at"] else None,
        )
        for asked in journey.get("questions", ())
    ]


def read_calendars(written: Mapping[str, Any]) -> dict[int, Calendar]:
    """Parse the calendars that come with journeys, by version."""
    return {int(version): read_calendar(content, int(version)) for version, content in written.items()}


def proof(
    ticket: str,
    path: str | None,
    facts: list[Recorded],
    calendars: Mapping[int, Calendar],
    now: datetime,
    questions: Sequence[Question] = (),
) -> Iterator[str]:
    """Yield the lines about every clock of the journey.

    They say when and by which event it started, each date's office time up to its due time, and when it was done. A
    running clock is counted to `now`.
    """
    ordered, overtaken = in_order(facts)
    yield f"{ticket} · {PATHS[steps.Path(path) if path else None]}"
    yield from _services(ordered, calendars.__getitem__, now)
    found = iter(clocks(facts, calendars.__getitem__, questions))
    for fact, following in zip_longest(ordered, ordered[1:]):
        if fact.then is None:
            if fact.type in OUTSIDE:
                yield ""
                yield _event(_ENDINGS[fact.type], fact)
            continue
        clock = next(found)
        yield ""
        number = f", tanggapan ke-{clock.round}" if clock.round else ""
        again = f", klasifikasi ke-{clock.forwarding}" if clock.forwarding > 1 else ""
        yield (
            f"Langkah {clock.step.number}{number}{again} · {clock.step.activity} · {ROLES[clock.step.role]} · "
            f"waktu baku {written_minutes(clock.step.minutes)} · {_version(clock.calendar)}"
        )
        yield _event("mulai", fact)
        if clock.came_at != fact.at:
            yield f"  dihitung sejak {_moment(clock.came_at)}: hari sesudahnya"
        yield from _counted(clock.calendar, clock.came_at, clock.due_at)
        if clock.first_due_at is not None:
            yield f"  semula       {_moment(clock.first_due_at)}, digeser {clock.moved_days} hari kerja"
        for rest in clock.rests:
            until = _moment(rest.until) if rest.until else "belum dijawab"
            yield f"  menunggu jawaban pelapor  {_moment(rest.since)} sampai {until}"
        yield f"  jatuh tempo  {_moment(clock.due_at)}"
        if clock.done_at is None:
            yield f"  belum selesai pada {_moment(now)}"
        elif following is not None:
            yield _event("berhenti" if clock.cut_short else "selesai", following)
        if clock.cut_short:
            how = _ENDINGS[str(clock.ended_by)]
            yield f"  terpakai {clock.used(now)} menit kerja sampai laporan {how}: tidak dinilai"
        elif clock.late(now) is None:
            yield f"  terpakai {clock.used(now)} menit kerja: langkah pelapor, tidak dinilai"
        else:
            if clock.rests:
                yield f"  berhenti {clock.rested(now)} menit kerja"
            yield from _judged(clock.calendar, clock.due_at, clock.counted_to(now), clock.used(now))
    for fact in overtaken:
        yield ""
        yield f"{_event('didahului', fact)}: tidak mengubah apa pun"


def _services(facts: list[Recorded], calendar_of: Callable[[int], Calendar], now: datetime) -> Iterator[str]:
    """Yield the lines about the clock of the whole service: two working days from the submission to the answer.

    After an objection there is another one, from the day after the objection to the second answer.
    """
    found = services(facts)
    for number, (first, answered) in enumerate(found, 1):
        calendar = calendar_of(first.calendar)
        due = service_due(first.begins_at, calendar)
        ended = next((fact for fact in facts if fact.type == WITHDRAWN and fact.cycle == number), None)
        if facts[-1].type == ABANDONED and number == len(found):
            ended = facts[-1]
        again = f", putaran ke-{number}" if number > 1 else ""
        yield ""
        yield f"Seluruh layanan{again} · waktu baku {written_minutes(steps.SERVICE_MINUTES)} · {_version(calendar)}"
        yield _event("mulai", first)
        yield from _counted(calendar, first.begins_at, due)
        yield f"  jatuh tempo  {_moment(due)}"
        if answered is None and ended is not None:
            yield _event(_ENDINGS[ended.type], ended)
            continue
        yield _event("dijawab", answered) if answered else f"  belum dijawab pada {_moment(now)}"
        end = answered.at if answered else now
        yield from _judged(calendar, due, end, calendar.minutes_between(first.begins_at, end))


def _counted(calendar: Calendar, start: datetime, end: datetime) -> Iterator[str]:
    total = timedelta()
    for stretch in calendar.stretches(start, end):
        total += stretch.open_for
        yield f"    {_day(stretch)}  {_spans(stretch)}"
        if stretch.spans:
            yield f"    {'':<14}  = {_span_of(stretch.open_for)}, jumlah {_span_of(total)}"


def _judged(calendar: Calendar, due: datetime, end: datetime, minutes: int) -> Iterator[str]:
    """Yield the lines about a clock that used `minutes`, and is compared to its due time at `end`."""
    used = f"terpakai {minutes} menit kerja"
    if end <= due:
        yield f"  {used}: tepat waktu"
        return
    # Compared by instants: no office minute passes between closing and opening, and the count would be 0.
    late = calendar.minutes_between(due, end) or "kurang dari 1"
    yield f"  {used}: terlambat {late} menit kerja"
    yield from _counted(calendar, due, end)


def _event(what: str, fact: Recorded) -> str:
    return f"  {what:<11}  {_moment(fact.at)}  {fact.type} {fact.event_id}"


def _moment(instant: datetime) -> str:
    local = instant.astimezone(WIB)
    return f"{DAYS[local.weekday()]} {local:%d/%m/%Y %H.%M.%S} WIB"


def _day(stretch: Stretch) -> str:
    return f"{DAYS[stretch.day.weekday()][:3]} {stretch.day:%d/%m/%Y}"


def _spans(stretch: Stretch) -> str:
    if not stretch.spans:
        return f"tidak ada jam kerja{f' ({stretch.note})' if stretch.note else ''}"
    spans = " + ".join(
        f"{opens.astimezone(WIB):%H.%M.%S}–{closes.astimezone(WIB):%H.%M.%S}" for opens, closes in stretch.spans
    )
    return f"{spans}{f' ({stretch.note})' if stretch.note else ''}"


def _span_of(duration: timedelta) -> str:
    seconds = int(duration.total_seconds())
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _version(calendar: Calendar) -> str:
    return f"kalender versi {calendar.version}"
