"""The book of joined reports: each rests only while the first is undecided, and is then given what the first got."""

from collections.abc import Iterator

from nkk.sop import journey
from services.triage.domain import State as TriageState
from tests.chaos.accountant import effects
from tests.chaos.accountant.breach import Breach
from tests.chaos.accountant.pages import Pages, Told

DECIDES = {effects.INFORMATION: (effects.INFORMATION,), journey.SHARED: ("response.approved.v1", journey.CONCLUDED)}
"""The facts of a first report that give a result to those that rest with it, by the fact with which they get it."""

DECIDED = (TriageState.CLASSIFIED_AS_INFORMATION, TriageState.APPROVED)


def groups(pages: Pages) -> dict[str, set[str]]:
    """Return the group of each report that was ever joined with another: those that it was joined with, at any time."""
    found: dict[str, set[str]] = {}
    for event in pages.told:
        if event.type == journey.JOINED:
            pair = (event.subject, event.data["first"])
            together = {*pair}.union(*(found.get(ticket, ()) for ticket in pair))
            found |= dict.fromkeys(together, together)
    return found


def breaches(pages: Pages) -> Iterator[Breach]:
    """Yield the reports that rest in vain, those that were given another result, and results of no joining."""
    for ticket, told in pages.journeys.items():
        joined = {event.data["forwarding"]: event.data["first"] for event in told if event.type == journey.JOINED}
        for event in told:
            if (first := event.data.get("joined_to")) is not None:
                yield from _of_result(pages, event, first, joined.get(event.data["forwarding"]))
        facts, _ = effects.in_order(told)
        if facts and facts[-1].type == journey.JOINED:
            yield from _of_rest(pages, ticket, facts[-1].data["first"])


def _of_result(pages: Pages, event: Told, first: str, joined: str | None) -> Iterator[Breach]:
    if joined != first:
        yield Breach("joins", event.subject, f"was given the result of {first}, and was joined with {joined}")
    if not any(pages.of(first, type_) for type_ in DECIDES[event.type]):
        yield Breach("joins", event.subject, f"was given a result by {event.type}, and {first} has none")
    responses = {fact.data["text"] for fact in pages.of(first, "response.submitted.v1")}
    if event.type == journey.SHARED and event.data["text"] not in responses:
        yield Breach("joins", event.subject, f"was given a response that {first} never got")


def _of_rest(pages: Pages, ticket: str, first: str) -> Iterator[Breach]:
    facts, _ = effects.in_order(pages.journeys.get(first, []))
    states = effects.STATES["triage cases"]
    state = next((states[fact.type] for fact in reversed(facts) if fact.type in states), None)
    if effects.ended(facts) or state in DECIDED:
        yield Breach("joins", ticket, f"rests with {first}, of which {facts[-1].type} was told last")
