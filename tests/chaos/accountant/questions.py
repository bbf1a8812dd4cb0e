"""The book of questions: each is kept once and ended once, as it was told, and no desk waits for one that has ended."""

from collections import Counter
from collections.abc import Iterator

from nkk.sop import journey
from tests.chaos.accountant import effects
from tests.chaos.accountant.breach import Breach
from tests.chaos.accountant.pages import Pages, Told

ASKED, ANSWERED, LAPSED = "question.asked.v1", "question.answered.v1", "question.lapsed.v1"
ENDS = {"answered": ANSWERED, "lapsed": LAPSED}
"""The event that ends a question in each of these states; one that is open or overtaken was ended by none."""

DESKS = ("complaints", "triage cases", "OPD cases")


def breaches(pages: Pages) -> Iterator[Breach]:
    """Yield the questions that are lost, kept twice, or not in the state that their events make."""
    asking = {event.subject for event in pages.told if event.type == ASKED}
    for ticket in {*asking, *pages.tickets("questions")}:
        told = {event.event_id: event for event in pages.of(ticket, ASKED)}
        yield from _of_kept(pages, ticket, told)
        yield from _of_ends(pages, ticket)
        yield from _of_desks(pages, ticket, told)
        yield from _of_letters(pages, ticket, told)
        yield from _of_lapses(pages, ticket)


def _of_kept(pages: Pages, ticket: str, told: dict[str, Told]) -> Iterator[Breach]:
    rows = pages.rows("questions", ticket)
    if Counter(row["id"] for row in rows) != Counter(told.keys()):
        yield Breach("questions", ticket, f"{len(rows)} questions, told {len(told)} times")
    if sorted(row["number"] for row in rows) != [*range(1, len(rows) + 1)]:
        yield Breach("questions", ticket, f"numbered {sorted(row['number'] for row in rows)}")


def _of_ends(pages: Pages, ticket: str) -> Iterator[Breach]:
    for state, type_ in ENDS.items():
        kept = Counter(row["id"] for row in pages.rows("questions", ticket) if row["state"] == state)
        ended = Counter(event.data["question"] for event in pages.of(ticket, type_))
        if kept != ended:
            yield Breach("questions", ticket, f"{kept.total()} {state}, told {ended.total()} times")


def _of_desks(pages: Pages, ticket: str, told: dict[str, Told]) -> Iterator[Breach]:
    ended = {event.data["question"] for type_ in ENDS.values() for event in pages.of(ticket, type_)}
    for desk in DESKS:
        for row in pages.rows(desk, ticket):
            if row["question"] is not None and row["question"] not in told:
                yield Breach("questions", ticket, f"{desk} have a question that nobody asked")
            waits = row["question"] is not None and row["done_at"] is None and row["rests_until"] is None
            if waits and row["ended"] is None and row["question"] in ended:
                yield Breach("questions", ticket, f"{desk} wait for a question that has ended")


def _of_letters(pages: Pages, ticket: str, told: dict[str, Told]) -> Iterator[Breach]:
    """Yield the letters that were lost or written twice. One that was not sent before its question ended is dropped."""
    written = sum(row["kind"] == "question" for row in pages.rows("messages", ticket))
    facts, _ = effects.in_order(pages.journeys.get(ticket, []))
    stands = effects.stands_at(facts)
    waiting = [
        row
        for row in pages.rows("questions", ticket)
        if row["state"] == "open" and (row["step"], row["forwarding"], row["round"]) == stands
    ]
    if not len(waiting) <= written <= len(told):
        yield Breach(
            "questions", ticket, f"{written} letters about {len(told)} questions, of which {len(waiting)} are open"
        )


def _of_lapses(pages: Pages, ticket: str) -> Iterator[Breach]:
    """Yield the questions that lapsed too early, and the letters about it that are lost or there twice."""
    lapsed = [row for row in pages.rows("questions", ticket) if row["state"] == "lapsed"]
    for row in lapsed:
        if row["ended_at"] < row["lapses_at"]:
            yield Breach(
                "questions", ticket, f"question {row['number']} lapsed at {row['ended_at']}, before {row['lapses_at']}"
            )
    written = sum(row["kind"] == "question_lapsed" for row in pages.rows("messages", ticket))
    # Whoever withdrew the report is sent no more letters about it.
    withdrawn = bool(pages.of(ticket, journey.WITHDRAWN))
    if written > len(lapsed) or (written < len(lapsed) and not withdrawn):
        yield Breach("questions", ticket, f"{written} letters that a question lapsed, of which {len(lapsed)} did")
