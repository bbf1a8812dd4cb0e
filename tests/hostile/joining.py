"""The attack of somebody who has the logs of all processes: lines are joined by what they have in common."""

import json
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator
from typing import Any

Line = dict[str, Any]

COMMON = {
    "event",
    "level",
    "service",
    "call",
    "rule",
    "method",
    "status",
    "ms",
    "type",
    "kind",
    "role",
    "error",
    "at",
    "batch",
    "attempt",
    "delay_ms",
    "count",
    "process",
}
"""Fields that most lines share, because they say what happened and not to whom."""


def read(process: str, text: str) -> list[Line]:
    """Return the lines of one process's log."""
    return [json.loads(line) | {"process": process} for line in text.splitlines() if line.startswith("{")]


def way(lines: Iterable[Line], start: Iterable[str], ends: Collection[str]) -> list[Line] | None:
    """Return a chain of lines from one that contains one of `start` to one that contains one of `ends`, or None.

    Each line has a value, or the second it was written in, in common with the next.
    """
    lines = list(lines)
    held = [set(_values(line)) for line in lines]
    by_value = defaultdict(list)
    for number, values in enumerate(held):
        for value in values:
            by_value[value].append(number)
    first = sorted({number for value in start for number in _holding(held, value)})
    last = {number for value in ends for number in _holding(held, value)}
    came_from: dict[int, int | None] = dict.fromkeys(first)
    waiting = deque(first)
    while waiting:
        number = waiting.popleft()
        if number in last:
            return [lines[at] for at in _back(came_from, number)]
        for value in held[number]:
            for following in by_value.pop(value, ()):
                if following not in came_from:
                    came_from[following] = number
                    waiting.append(following)
    return None


def _holding(held: list[set[str]], wanted: str) -> Iterator[int]:
    """Return the numbers of the lines of which a value contains `wanted`."""
    return (number for number, values in enumerate(held) if any(wanted in value for value in values))


def _values(line: Line) -> Iterator[str]:
    """Yield the values by which a line can be joined: its second, and all fields but those in COMMON."""
    for name, value in line.items():
        if name == "timestamp":
            yield str(value)[:19]
        elif name not in COMMON and value is not None:
            yield from map(str, value if isinstance(value, list) else [value])


def _back(came_from: dict[int, int | None], number: int | None) -> list[int]:
    found: list[int] = []
    while number is not None:
        found.insert(0, number)
        number = came_from[number]
    return found
