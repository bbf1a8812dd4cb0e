"""Every event that a tool is to receive came to it at least once, and of each complaint in order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nkk.contracts import EVENTS
from tests.chaos.accountant.breach import Breach
from tests.chaos.accountant.events import breaches_of_line
from tests.chaos.accountant.pages import Pages

PRIVATE = {event.TYPE for event in EVENTS if event.PRIVATE}
"""The events that no tool is to receive."""


@dataclass(frozen=True)
class Received:
    """What a tool received: the ids of events of `stage` in the order of their arrival, repetitions included.

    Where `opd` is given, the tool is to receive the events of that OPD and no others.
    """

    name: str
    stage: str
    opd: str | None
    ids: list[str]
    troubles: list[str]


def breaches(pages: Pages, received: Iterable[Received]) -> Iterator[Breach]:
    """Return what tools did not receive, received out of order, or should not have received."""
    for tool in received:
        meant = [
            event
            for event in pages.told
            if event.stage == tool.stage
            and event.type not in PRIVATE
            and (tool.opd is None or event.data.get("opd") == tool.opd)
        ]
        line = [(tool.stage, event_id) for event_id in tool.ids]
        for breach in breaches_of_line(meant, line):
            yield Breach(f"tool {tool.name}", breach.about, breach.says)
        for event_id in {*tool.ids} - {event.event_id for event in meant}:
            yield Breach(f"tool {tool.name}", event_id, "this event is not for the tool")
        for trouble in tool.troubles:
            yield Breach(f"tool {tool.name}", "", trouble)
