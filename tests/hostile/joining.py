"""What somebody does who holds the logs of all processes: joins lines on what they have in common."""

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
"""Fields that say what happened and not to whom: as good as every line has one in common with any other."""


def read(process: str, text: str) -> list[Line]:
    """The lines of one process's log."""
    return [json.loads(line) | {"process": process} for line in text.splitlines() if line.startswith("{")]


def way(lines: Iterable[Line], start: Iterable[str], ends: Collection[str]) -> list[Line] | None:
    """Lines of which the first holds one of `start`, the last one of `ends`, and each has a value or its second in
    common with the next; None where there is no such way."""
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
    """The lines in any of whose values `wanted` stands, as a part of it too."""
    return (number for number, values in enumerate(held) if any(wanted in value for value in values))


def _values(line: Line) -> Iterator[str]:
    """What a line may be joined on: the second it was written in, and whatever may be somebody's or something's."""
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
