"""The book of events: every published event was sent, in order, and consumed once by each of its consumers."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from nkk.contracts import EVENTS
from tests.chaos.accountant.breach import Breach
from tests.chaos.accountant.pages import Pages, Told

CONSUMERS = {event.TYPE: event.CONSUMERS for event in EVENTS}


def breaches(pages: Pages) -> Iterator[Breach]:
    """Yield the events that were not sent, not consumed, consumed twice, or consumed but never published."""
    told = {event.event_id for event in pages.told}
    for event in pages.told:
        if event.sent_at is None:
            yield Breach(
                "sent", event.subject, f"{event.type} {event.event_id} stands in the outbox of {event.stage}, not sent"
            )
        for consumer in CONSUMERS[event.type]:
            times = pages.heard[consumer, event.event_id]
            if times != 1 and consumer != event.stage:
                yield Breach(
                    "heard",
                    event.subject,
                    f"{event.type} {event.event_id} of {event.stage} was heard {times} times by {consumer}",
                )
    if not pages.foreign:
        for (consumer, event_id), _ in pages.heard.items():
            if event_id not in told:
                yield Breach("told", event_id, f"{consumer} has heard an event that nobody told")


def breaches_of_line(told: Iterable[Told], overheard: Iterable[tuple[str, str]]) -> Iterator[Breach]:
    """Yield the breaches in what a listener `overheard` on the broker as (stage, event id), in order of arrival: every
    event must be there, and those of each complaint in the order of their stage. Redeliveries are allowed."""
    first: dict[tuple[str, str], int] = {}
    for place, event in enumerate(overheard):
        first.setdefault(event, place)
    for line in _by_subject(told).values():
        for event in line:
            if (event.stage, event.event_id) not in first:
                yield Breach(
                    "overheard",
                    event.subject,
                    f"{event.type} {event.event_id} of {event.stage} was marked as sent and never came to a listener",
                )
        came = [event for event in line if (event.stage, event.event_id) in first]
        for earlier, later in pairwise(came):
            if first[later.stage, later.event_id] < first[earlier.stage, earlier.event_id]:
                yield Breach(
                    "order",
                    later.subject,
                    f"{later.type} of {later.stage} came to a listener before {earlier.type}, which was told earlier",
                )


def _by_subject(told: Iterable[Told]) -> dict[tuple[str, str], list[Told]]:
    """Return the events of each stage about each subject, in the order of publication."""
    lines = defaultdict(list)
    for event in told:
        lines[event.stage, event.subject].append(event)
    return lines
