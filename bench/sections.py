"""The sections of a run, in their order."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench import (
    accepting,
    crowding,
    filing,
    growing,
    hopping,
    reaching,
    relaying,
    resting,
    scaling,
    tooling,
    travelling,
)
from bench.workplace import Workplace


@dataclass(frozen=True)
class Section:
    """One section; with `alone`, the shared installation must not run at the same time."""

    title: str
    measure: Callable[[Workplace], dict[str, Any]]
    alone: bool = False


SECTIONS = {
    "accept": Section("accepting, beside django-helpdesk", accepting.measure),
    "desk": Section("from the answer at the door to the next desk", reaching.measure),
    "crowd": Section("worklists beside connections that take their time", crowding.measure),
    "files": Section("uploads and downloads, and worklists beside twenty of them", filing.measure),
    "tools": Section("accepting, beside ten tools and ten webhooks", tooling.measure, alone=True),
    "journeys": Section("whole journeys", travelling.measure),
    "hop": Section("a hop, beside Nameko's own events", hopping.measure),
    "relay": Section("the relay, beside plain publishing", relaying.measure, alone=True),
    "scale": Section("one, two and three instances of a slow stage", scaling.measure, alone=True),
    "memory": Section("start, memory and what a complaint leaves on disk", resting.measure, alone=True),
    "flat": Section("a thousand, a hundred thousand, a million complaints", growing.measure, alone=True),
}
