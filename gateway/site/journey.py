"""A complaint's timeline, drawn as the seven steps."""

from dataclasses import dataclass, field
from typing import Any

from gateway.site.due import Due, due
from gateway.site.language import read_instant
from nkk.sop import steps
from nkk.sop.clock import OFFICE_HOURS, write_instant
from nkk.sop.steps import PATHS, STEPS, Path, Step


@dataclass(frozen=True)
class Stop:
    """One of the seven steps: `state` is done, now, next or skipped; `entries` what happened there."""

    step: Step
    state: str
    entries: list[dict[str, Any]] = field(default_factory=list)
    due: Due | None = None


def stops(timeline: dict[str, Any]) -> list[Stop]:
    """The seven steps as `timeline` tells them."""
    path = timeline.get("path")
    on_path = PATHS[Path(path)] if path else STEPS
    stands = timeline["stands"].get("step")
    return [_stop(step, timeline, stands, step in on_path) for step in STEPS]


def _stop(step: Step, timeline: dict[str, Any], stands: int | None, on_path: bool) -> Stop:
    entries = [entry for entry in timeline["entries"] if entry["step"] == step.number]
    if not on_path:
        return Stop(step, "skipped")
    if step.number == stands:
        return Stop(step, "now", entries, _promised(step, timeline))
    done = stands is None or step.number < stands
    if done and not entries and step is steps.SUBMIT and timeline.get("submitted_at"):
        entries = [{"step": 1, "at": timeline["submitted_at"]}]
    return Stop(step, "done" if done else "next", entries)


def _promised(step: Step, timeline: dict[str, Any]) -> Due | None:
    """When the present step is due: as the stage says, else counted from the last thing that happened."""
    following = timeline.get("next") or {}
    if following.get("due_at"):
        return due(following["due_at"], following.get("left_minutes"), step.minutes)
    last = timeline["entries"][-1]["at"] if timeline["entries"] else timeline.get("submitted_at")
    if not last or step is steps.RECEIVE:
        return None
    return due(write_instant(OFFICE_HOURS.due(read_instant(last), step.minutes)), None, step.minutes)
