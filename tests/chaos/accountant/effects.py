"""The book of effects: every table contains the effects of the published facts, each exactly once."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from nkk.sop import steps
from nkk.sop.journey import TURNS, Fact
from nkk.sop.steps import Path, Step
from services.notification.domain import State as AnswerState
from services.opd_response.domain import State as OpdState
from services.triage.domain import State as TriageState
from tests.chaos.accountant.breach import Breach
from tests.chaos.accountant.pages import Pages, Told

SUBMITTED = "complaint.submitted.v2"
HANDED_OVER = "complaint.handed_over.v1"
INFORMATION = "complaint.classified_as_information.v1"
FORWARDED = "complaint.forwarded.v1"
ANSWERED = "answer.sent.v1"
CLOSED = "complaint.closed.v1"
ALARMS = ("step.due_soon.v1", "step.overdue.v1")

STATES: dict[str, dict[str, str]] = {
    "triage cases": {
        HANDED_OVER: TriageState.AWAITING_CLASSIFICATION,
        INFORMATION: TriageState.CLASSIFIED_AS_INFORMATION,
        FORWARDED: TriageState.AWAITING_RESPONSE,
        "response.submitted.v1": TriageState.AWAITING_APPROVAL,
        "response.returned.v1": TriageState.AWAITING_RESPONSE,
        "response.approved.v1": TriageState.APPROVED,
    },
    "OPD cases": {
        FORWARDED: OpdState.AWAITING_RESPONSE,
        "response.submitted.v1": OpdState.RESPONDED,
        "response.returned.v1": OpdState.AWAITING_RESPONSE,
    },
    "answers": {
        INFORMATION: AnswerState.AWAITING_ANSWER,
        "response.approved.v1": AnswerState.AWAITING_ANSWER,
        ANSWERED: AnswerState.ANSWERED,
        CLOSED: AnswerState.CLOSED,
    },
}
"""The state of a complaint at each desk after each fact."""

LETTERS = {SUBMITTED: "received", ANSWERED: "answered"}


def breaches(pages: Pages) -> Iterator[Breach]:
    """Yield the breaches of every complaint in any table, and those about no complaint."""
    tickets = dict.fromkeys([*pages.journeys, *(ticket for table in pages.tables for ticket in pages.tickets(table))])
    for ticket in tickets:
        facts = in_order(pages.journeys.get(ticket, []))
        if ticket not in pages.by_hand:
            yield from _of_path(ticket, facts)
            yield from _of_intake(pages, ticket, facts)
        yield from _of_desks(pages, ticket, facts)
        yield from _of_journey(pages, ticket, facts)
        yield from _of_messages(pages, ticket, facts)
    yield from _of_alarms(pages)


def in_order(facts: list[Told]) -> list[Told]:
    """Return facts in the order of the procedure, because clocks may be wrong."""
    return sorted(facts, key=lambda told: Fact(told.type, None, told.round).place)  # type: ignore[arg-type]


def stands_at(facts: list[Told]) -> Step | None:
    """Return the step that a complaint with `facts` waits for; None once it is closed."""
    return TURNS[facts[-1].type].then


def _of_path(ticket: str, facts: list[Told]) -> Iterator[Breach]:
    expected: Step | None = steps.SUBMIT
    for fact in facts:
        turn = TURNS[fact.type]
        if turn.ends != expected:
            told = ", ".join(fact.type for fact in facts)
            yield Breach("path", ticket, f"what is told of it makes no journey: {told}")
            return
        expected = turn.then
    yield from (
        Breach("path", ticket, f"{later.type} was told of response {later.round} after one of {earlier.round}")
        for earlier, later in pairwise(facts)
        if 0 < later.round < earlier.round
    )


def _of_intake(pages: Pages, ticket: str, facts: list[Told]) -> Iterator[Breach]:
    rows, types = pages.rows("complaints", ticket), Counter(fact.type for fact in facts)
    if len(rows) != types[SUBMITTED]:
        yield Breach(
            "complaints", ticket, f"told as submitted {types[SUBMITTED]} times, {len(rows)} times in intake's table"
        )
    for row in rows:
        if (row["done_at"] is not None) != bool(types[HANDED_OVER]):
            yield Breach(
                "complaints",
                ticket,
                f"told as handed over {types[HANDED_OVER]} times, in intake's table handed over at {row['done_at']}",
            )


def _of_desks(pages: Pages, ticket: str, facts: list[Told]) -> Iterator[Breach]:
    for table, states in STATES.items():
        known = [fact for fact in facts if fact.type in states]
        rows = pages.rows(table, ticket)
        if len(rows) != (1 if known else 0):
            yield Breach(
                table, ticket, f"{len(rows)} rows, where {'one follows' if known else 'none follows'} from what is told"
            )
        elif rows and rows[0]["state"] != states[known[-1].type]:
            yield Breach(
                table,
                ticket,
                f"stands as {rows[0]['state']}, where {known[-1].type} was told last and makes "
                f"it {states[known[-1].type]}",
            )


def _of_journey(pages: Pages, ticket: str, facts: list[Told]) -> Iterator[Breach]:
    entries = Counter((row["event_id"], row["type"]) for row in pages.rows("entries", ticket))
    told = Counter((fact.event_id, fact.type) for fact in facts)
    for (event_id, type_), times in (entries - told).items():
        yield Breach("entries", ticket, f"the journey notes {type_} {event_id} {times} times too often")
    for (event_id, type_), times in (told - entries).items():
        yield Breach("entries", ticket, f"the journey lacks {type_} {event_id}, {times} times")
    rows = pages.rows("journeys", ticket)
    if len(rows) != (1 if facts else 0):
        yield Breach("journeys", ticket, f"{len(rows)} journeys")
        return
    types = {fact.type for fact in facts}
    path = Path.INFORMATION if INFORMATION in types else Path.COMPLAINT if FORWARDED in types else None
    for row in rows:
        if (row["closed_at"] is not None) != (CLOSED in types):
            yield Breach(
                "journeys",
                ticket,
                f"closed at {row['closed_at']} by the journey, by what is told "
                f"{'closed' if CLOSED in types else 'open'}",
            )
        if row["path"] != path:
            yield Breach("journeys", ticket, f"on the path {row['path']}, by what is told on {path}")


def _of_messages(pages: Pages, ticket: str, facts: list[Told]) -> Iterator[Breach]:
    kinds = Counter(row["kind"] for row in pages.rows("messages", ticket))
    told = Counter(LETTERS[fact.type] for fact in facts if fact.type in LETTERS)
    for kind in LETTERS.values():
        if kinds[kind] != told[kind]:
            yield Breach(
                "messages",
                ticket,
                f"{kinds[kind]} letters of the kind {kind}, where {told[kind]} follow from what is told",
            )
    yield from (
        Breach("messages", ticket, f"{count} letters of the kind {kind}, which is written once")
        for kind, count in kinds.items()
        if kind in ("late", "reminder") and count > 1
    )


def _of_alarms(pages: Pages) -> Iterator[Breach]:
    alarms = Counter(
        (event.subject, event.type, event.data["step"], event.round) for event in pages.told if event.type in ALARMS
    )
    for (ticket, type_, step, round_), times in alarms.items():
        if times > 1:
            yield Breach("alarms", ticket, f"{type_} of step {step} (response {round_}) was told {times} times")
