"""A complaint's timeline as the seven steps of a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.site.due import Due, due, of_service
from gateway.site.language import passed, read_instant
from nkk.contracts import views
from nkk.sop import steps
from nkk.sop.endings import ENDED
from nkk.sop.journey import ANSWERED, BACK, GATHERED, JOINED, OUTSIDE, REOPENED, TURNS
from nkk.sop.steps import PATHS, SERVICE_MINUTES, STEPS, Path, Step

Told = tuple[bool, Mapping[str, Any]]
"""Something that happened, and whether it is an act beside the steps."""


@dataclass(frozen=True)
class Stop:
    """One of the seven steps: `state` is done, now, next, skipped or, after an ending outside of them, dropped.

    `entries` and `acts` are what happened there. While its desk waits for the reporter's answer it is
    not due at any time. `elsewhere` says that it is now at a further agency, of which the reader, the one before it, is
    told no more; `left` that it came back here from the reader, who is told no more either; `joined` that the report
    waits for the one that it was joined with.
    """

    step: Step
    state: str
    entries: Sequence[Mapping[str, Any]] = ()
    due: Due | None = None
    acts: Sequence[Mapping[str, Any]] = ()
    waiting_since: str | None = None
    elsewhere: bool = False
    joined: bool = False
    left: bool = False

    @property
    def told(self) -> list[Told]:
        """What happened there in the order of time."""
        return _in_order(self.entries, self.acts)


def _in_order(entries: Sequence[Mapping[str, Any]], acts: Sequence[Mapping[str, Any]]) -> list[Told]:
    told: list[Told] = [(False, entry) for entry in entries]
    for act in acts:
        later = (place for place, (_, one) in enumerate(told) if read_instant(one["at"]) > read_instant(act["at"]))
        told.insert(next(later, len(told)), (True, act))
    return told


@dataclass(frozen=True)
class Whole:
    """The promise for the whole service: its due time and what is left, or when it was answered and whether late."""

    at: str
    due: Due | None
    answered_at: str | None
    late: bool


def whole(timeline: views.Timeline) -> Whole | None:
    """Return the promise for the whole service; None where notification has not consumed the first event yet."""
    at = timeline.get("service_due_at")
    if not at:
        return None
    answered = next((entry["at"] for entry in _this_cycle(timeline) if entry["event"] == ANSWERED), None)
    if answered is None and timeline["stands"]["state"] in ENDED:
        return None
    if answered is None:
        return Whole(at, of_service(timeline, SERVICE_MINUTES), None, False)
    return Whole(at, None, answered, passed(at, read_instant(answered)))


def first_cycle(timeline: views.Timeline) -> list[Told]:
    """Return what happened from step 3 to the answer to which the reporter objected; nothing where they did not."""
    entries = timeline["entries"]
    before = entries[: len(entries) - len(_this_cycle(timeline))]
    acts = [act for act in timeline.get("beside", ()) if _is_of_first_cycle(act, timeline)]
    return [each for each in _in_order(before, acts) if (each[1]["step"] or 0) > steps.HAND_OVER.number]


def _is_of_first_cycle(act: Mapping[str, Any], timeline: views.Timeline) -> bool:
    """Return whether an act beside the steps came before the reporter's objection, which some are told by its day."""
    entries = timeline["entries"]
    before = entries[: len(entries) - len(_this_cycle(timeline))]
    ended = [entry["at"] for entry in before if entry["event"] == ANSWERED]
    ended += [entry["at"] for entry in entries if entry["event"] == REOPENED]
    return bool(before) and any(read_instant(act["at"]) <= read_instant(at) for at in ended)


def _this_cycle(timeline: views.Timeline) -> Sequence[views.Entry]:
    """Return the entries since the objection, if there was one."""
    entries = timeline["entries"]
    objected = [place for place, entry in enumerate(entries) if entry["event"] == REOPENED]
    return entries[objected[-1] :] if objected else entries


def others(timeline: views.Timeline) -> list[views.Entry]:
    """Return the entries of the acts that end no step."""
    return [entry for entry in timeline["entries"] if entry["step"] is None]


def stops(timeline: views.Timeline) -> list[Stop]:
    """Return the seven steps of a timeline."""
    path = timeline.get("path")
    on_path = PATHS[Path(path)] if path else STEPS
    stands = timeline["stands"].get("step")
    return [_stop(step, timeline, stands, step in on_path) for step in STEPS]


def _stop(step: Step, timeline: views.Timeline, stands: int | None, on_path: bool) -> Stop:
    # What was done up to an answer that the reporter objected to has to be done again, and is listed apart.
    again = step.number > steps.HAND_OVER.number
    told = _this_cycle(timeline) if again else timeline["entries"]
    entries: Sequence[Mapping[str, Any]] = [entry for entry in told if entry["step"] == step.number]
    # A notification of an earlier version gives no acts.
    acts = [
        act
        for act in timeline.get("beside", ())
        if act["step"] == step.number and not (again and _is_of_first_cycle(act, timeline))
    ]
    if not on_path:
        return Stop(step, "skipped")
    if step.number == stands:
        following = timeline.get("next")
        waiting = following.get("waiting_since") if following else None
        last = told[-1]["event"] if told else None
        promised = None if waiting else _promised(step, timeline)
        left = last in BACK and following is not None and not following["due_at"]
        return Stop(step, "now", entries, promised, acts, waiting, last == GATHERED, last == JOINED, left)
    if stands is None and timeline["stands"]["state"] in ENDED:
        return Stop(step, "done" if step.number < _stood_at(timeline) else "dropped", entries, acts=acts)
    done = stands is None or step.number < stands
    if done and not entries and step is steps.SUBMIT and timeline.get("submitted_at"):
        entries = [{"step": 1, "at": timeline["submitted_at"]}]
    return Stop(step, "done" if done else "next", entries, acts=acts)


def _stood_at(timeline: views.Timeline) -> int:
    """Return the number of the step at which a complaint ended."""
    events = [entry["event"] for entry in timeline["entries"] if entry["event"] not in OUTSIDE]
    turn = TURNS.get(events[-1]) if events else None
    step = turn and (turn.then or turn.rests)
    return step.number if step else steps.HAND_OVER.number


def _promised(step: Step, timeline: views.Timeline) -> Due | None:
    """Return the due time of the current step, from the stage. The reporter's own step has no deadline."""
    following = timeline.get("next")
    if step is steps.RECEIVE or following is None:
        return None
    return due(following["due_at"], following["left_minutes"], step.minutes)
