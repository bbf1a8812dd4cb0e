"""What the readers of a complaint are shown of its journey, as notification's RPC methods return it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from nkk.contracts import views
from nkk.contracts.files import FileView
from nkk.sop.clock import Calendar, write_day, write_instant
from nkk.sop.journey import ABANDONED, ABOUT_TIME, BESIDE, KEPT, PARTED, REOPENED, WITHDRAWN, Clock
from nkk.sop.steps import BY_DAY, RECEIVE, REPORTERS_CLOCKS, RESPOND, Role, Step
from nkk.trust.actor import Actor
from services.notification.asking import Asked, State
from services.notification.entries import Addition, Entry
from services.notification.journeys import Journey


def record(journey: Journey) -> views.Record:
    """Return a journey's facts, without the content of the complaint."""
    return {
        "ticket": journey.ticket,
        "path": journey.path,
        "category": journey.category,
        "sub_category": journey.sub_category,
        "opd": journey.opd,
        "channel": journey.channel,
        "facts": [
            {
                "event_id": entry.event_id,
                "type": entry.type,
                "at": write_instant(entry.at),
                "round": entry.round,
                "calendar": entry.calendar,
                "forwarding": entry.forwarding,
                "cycle": entry.cycle,
                "days": entry.days,
                "opd": entry.opd,
            }
            for entry in (*journey.entries, *journey.about_time, *journey.overtaken)
        ],
        "questions": [
            {
                "step": asked.step,
                "forwarding": asked.forwarding,
                "round": asked.round,
                "at": write_instant(asked.at),
                "ended_at": _instant(asked.ended_at),
            }
            for asked in journey.questions
        ],
    }


def question(asked: Asked, clocks: list[Clock], reader: Actor, undelivered: bool) -> views.Question:
    """Return a question and its answer; the reporter is not told which member of staff asked.

    The staff is told where its letter did not arrive by e-mail: the reporter may not know of it.
    """
    overtaken = asked.is_overtaken(clocks)
    shown: views.Question = {
        "number": asked.number,
        "step": asked.step,
        "opd": asked.opd,
        "text": asked.text,
        "asked_at": write_instant(asked.at),
        "state": str(State.OVERTAKEN) if asked.is_open and overtaken else asked.state,
        "lapses_on": write_day(asked.lapses_at - timedelta(days=1)),
        "answer": asked.answer,
        "answered_on": _instant(asked.answered_on, write_day),
        "files": FileView(many=True).dump(asked.files),
    }
    if reader.role != Role.REPORTER:
        shown["by"] = asked.by
        if undelivered:
            shown["undelivered"] = True
    return shown


def standing(journey: Journey, calendar_of: Callable[[int], Calendar], now: datetime) -> views.StandingAgain:
    """Return a complaint's state, and the clock of its current step, or of the last step once it is closed."""
    clocks = journey.clocks(calendar_of)
    if not clocks:
        return {"stands": journey.stands()}
    clock, running = clocks[-1], clocks[-1] if clocks[-1].done_at is None else None
    return {
        "stands": journey.stands(),
        "came_at": _instant(clock.came_at),
        "due_at": _instant(clock.due_at),
        "done_at": _instant(clock.done_at),
        "late": clock.late(now),
        "left_minutes": clock.left(now) if running else None,
        "service_left_minutes": _service_left(journey, running, calendar_of, now),
        **_promised_again(journey),
    }


def in_list(journey: Journey, calendar_of: Callable[[int], Calendar], now: datetime) -> views.StandsInList:
    """Return a complaint's state for its reporter's list."""
    stands = journey.stands()
    asked = [question.at for question in journey.open_questions(now, calendar_of)]
    waiting: Any = {"waiting_since": write_instant(min(asked))} if asked else {}
    return {"state": stands["state"], "step": stands.get("step"), **_promised_again(journey), **waiting}


def _promised_again(journey: Journey) -> Any:
    """Return when the second answer is promised, after an objection."""
    again = journey.again_due_at
    return {"service_due_at": write_instant(again)} if again is not None else {}


def timeline(
    journey: Journey,
    reader: Actor,
    calendar_of: Callable[[int], Calendar],
    now: datetime,
    additions: Iterable[Addition] = (),
) -> views.Timeline:
    """Return a journey with its `additions` as `reader` may see it.

    An OPD team is not told how the complaint came: that somebody was at the counter could reveal who.
    The reporter sees roles and times, never staff members or notes. Staff see the notes written for them. The teams in
    BY_DAY see the times of the reporter's acts only to the day.
    """
    by_day = reader.role in BY_DAY
    journey, write = (journey.by_day(now), write_day) if by_day else (journey, write_instant)
    clocks = journey.clocks(calendar_of)
    done: dict[tuple[Step | None, int, datetime], Clock] = {
        (clock.step, clock.forwarding, clock.done_at): clock for clock in clocks if clock.done_at
    }
    # A team from which the complaint was taken away is not told of later steps: a clock would never stop for it.
    running = clocks[-1] if clocks and clocks[-1].done_at is None and journey.until is None else None
    roles = {(clock.forwarding, clock.round): clock.step.role for clock in clocks}
    shown: views.Timeline = {
        "ticket": journey.ticket,
        "path": journey.path,
        "submitted_at": _instant(journey.submitted_at, write),
        "service_due_at": _instant(journey.due_at, write),
        "service_left_minutes": _service_left(journey, running, calendar_of, now, by_day),
        "stands": journey.stands(),
        "next": _next(journey.stands_at, running, now, by_day),
        "entries": [
            _entry(entry, reader, done.get((entry.turn.ends, entry.forwarding, entry.at)), now, roles)
            for entry in journey.entries
        ],
        "beside": [_addition(addition, journey, by_day) for addition in additions]
        + [_about_time(entry, reader) for entry in journey.about_time],
        "overtaken": [_entry(entry, reader, None, now, roles) for entry in journey.overtaken],
    }
    return shown if reader.role == Role.OPD_TEAM else {**shown, "channel": journey.channel}


def _addition(addition: Addition, journey: Journey, by_day: bool) -> views.Act:
    """Return what was added under the step that the complaint awaited, as far as the reader is shown the journey."""
    beside = BESIDE[addition.type]
    write = write_day if by_day and beside.role == Role.REPORTER else write_instant
    return {
        "event": addition.type,
        "role": beside.role,
        "activity": beside.activity,
        "at": write(addition.at),
        "step": journey.stood_at(addition.at).number,
        "files": addition.files,
    }


def _about_time(entry: Entry, reader: Actor) -> views.Act:
    """Return a request for more time, or the decision on it, of which a reporter is told no words."""
    beside = ABOUT_TIME[entry.type]
    shown: views.Act = {
        "event": entry.type,
        "role": beside.role,
        "activity": beside.activity,
        "at": write_instant(entry.at),
        "step": RESPOND.number,
        "files": 0,
        "days": entry.days,
    }
    if reader.role == Role.REPORTER:
        return shown
    return {**shown, "by": entry.by, "opd": entry.opd, "note": entry.note_for(reader.role, reader.group)}


def _entry(
    entry: Entry, reader: Actor, clock: Clock | None, now: datetime, roles: Mapping[tuple[int, int], Role]
) -> views.Entry:
    """Return an entry; one of an act beside the path that ends no step has none.

    `roles` are those of the clocks, by forwarding and round: a closing is by the desk whose question was not answered.
    """
    step, by_day = entry.turn.ends, reader.role in BY_DAY
    closed_by = roles.get((entry.forwarding, entry.round), Role.OPD_TEAM)
    beside = {KEPT: Role.MAIN_TEAM, PARTED: Role.MAIN_TEAM, ABANDONED: closed_by}
    role = step.role if step else beside.get(entry.type, Role.REPORTER)
    # What is parted by nobody was parted by another report's ending, of which a withdrawal is told to the day.
    of_a_day = entry.type in (WITHDRAWN, REOPENED) or (entry.type == PARTED and entry.by is None)
    write = write_day if of_a_day or (by_day and role == Role.REPORTER) else write_instant
    shown: views.Entry = {
        "step": step.number if step else None,
        "name": step.name if step else entry.type.split(".")[1],
        "activity": entry.turn.activity,
        "event": entry.type,
        "role": role,
        "at": write(entry.at),
        "output": step.output if step else None,
        "round": entry.round or None,
        "forwarding": entry.forwarding,
        "minutes": step.minutes if step else None,
        **_clock(clock, now, by_day),
    }
    if reader.role == Role.REPORTER:
        return shown
    return {**shown, "by": entry.by, "opd": entry.opd, "note": entry.note_for(reader.role, reader.group)}


def _next(step: Step | None, clock: Clock | None, now: datetime, by_day: bool) -> views.Next | None:
    if step is None:
        return None
    told = clock is not None and not (by_day and step in REPORTERS_CLOCKS)
    left = clock.left(now) if clock and told else None
    return {
        "step": step.number,
        "name": step.name,
        "activity": step.activity,
        "role": step.role,
        "minutes": step.minutes,
        **_clock(clock, now, by_day),
        "left_minutes": left,
        "waiting_since": _instant(clock.waiting_since if clock else None),
    }


def _clock(clock: Clock | None, now: datetime, by_day: bool) -> views.Clock:
    """Return when a step began and was due, the office minutes it took, and whether it was late.

    Values are None where they are not known, or where they would reveal the minute of a reporter's act.
    """
    if clock is None:
        return {"came_at": None, "due_at": None, "used_minutes": None, "late": None}
    if by_day and clock.step in REPORTERS_CLOCKS:
        return {
            "came_at": write_day(clock.came_at),
            "due_at": write_day(clock.due_at),
            "used_minutes": None,
            "late": None,
        }
    return {
        "came_at": _instant(clock.came_at),
        "due_at": _instant(clock.due_at),
        "used_minutes": clock.used(now),
        "late": clock.late(now),
        **_moved(clock, now),
    }


def _moved(clock: Clock, now: datetime) -> Any:
    """Return when a step was due at first, and its more time in days, and the minutes that it rested, if any."""
    waited = clock.rested(now)
    told: dict[str, Any] = {"waited_minutes": waited} if waited else {}
    if clock.first_due_at is None:
        return told
    return told | {"first_due_at": write_instant(clock.first_due_at), "moved_days": clock.moved_days}


def _service_left(
    journey: Journey, running: Clock | None, calendar_of: Callable[[int], Calendar], now: datetime, by_day: bool = False
) -> int | None:
    """Return the office minutes left of the whole service's promised time; None once it is answered."""
    return None if running is None or running.step == RECEIVE else journey.service_left(now, calendar_of, by_day)


def _instant(value: datetime | None, write: Callable[[datetime], str] = write_instant) -> str | None:
    return None if value is None else write(value)
