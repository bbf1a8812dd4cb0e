"""The book of closings: what a desk closed as not completed had a question that lapsed, and did not go on."""

from collections.abc import Iterator

from nkk.sop import endings, journey
from nkk.sop.journey import TURNS
from tests.chaos.accountant import effects
from tests.chaos.accountant.breach import Breach
from tests.chaos.accountant.pages import Pages, Told
from tests.chaos.accountant.questions import ASKED, DESKS, LAPSED

ACTS = (*TURNS, ASKED)
"""The events of acts of which none is possible at a desk after it closed the report."""


def breaches(pages: Pages) -> Iterator[Breach]:
    """Yield the closings without a lapse, the acts after a closing, and the desks that still wait."""
    for ticket, told in pages.journeys.items():
        facts, _ = effects.in_order(told)
        for closing in pages.of(ticket, journey.ABANDONED):
            yield from _of_question(pages, closing)
            if closing in facts:
                yield from _of_acts(pages, closing)
        if effects.ended(facts) == endings.ABANDONED:
            yield from _of_desks(pages, ticket)


def _of_question(pages: Pages, closing: Told) -> Iterator[Breach]:
    """Yield what is wrong with the question: it is the last of its desk in this run of the step, and it lapsed."""
    question = closing.data["question"]
    if not any(event.data["question"] == question for event in pages.of(closing.subject, LAPSED)):
        yield Breach("closings", closing.subject, f"closed for the question {question}, which did not lapse")
    asked = [
        event.event_id
        for event in pages.of(closing.subject, ASKED)
        if event.stage == closing.stage and event.id < closing.id and _run(event) == _run(closing)
    ]
    if question not in asked[-1:]:
        yield Breach("closings", closing.subject, f"closed for the question {question}, where {asked[-1:]} was last")


def _run(event: Told) -> tuple[int, int, int]:
    return event.data["step"], event.data["forwarding"], event.round


def _of_acts(pages: Pages, closing: Told) -> Iterator[Breach]:
    for event in pages.about(closing.subject):
        if event.stage == closing.stage and event.id > closing.id and event.type in ACTS:
            yield Breach("closings", closing.subject, f"{event.type} was told by {event.stage} after it closed it")


def _of_desks(pages: Pages, ticket: str) -> Iterator[Breach]:
    for desk in DESKS:
        for row in pages.rows(desk, ticket):
            if row["done_at"] is None:
                yield Breach("closings", ticket, f"{desk} have a clock that runs")
