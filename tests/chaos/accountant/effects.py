"""The book of effects: every table contains the effects of the published facts, each exactly once."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from nkk.sop import endings, journey, steps
from nkk.sop.journey import TURNS, Fact
from nkk.sop.steps import Path, Step
from services.notification.domain import State as AnswerState
from services.opd_response.domain import State as OpdState
from services.triage.domain import WAITING
from services.triage.domain import State as TriageState
from tests.chaos.accountant.breach import Breach
from tests.chaos.accountant.pages import Pages, Row, Told

SUBMITTED, ANSWERED, CLOSED = journey.SUBMITTED, journey.ANSWERED, journey.CLOSED
FORWARDED, RETURNED = journey.FORWARDED, "response.returned.v1"
HANDED_OVER = "complaint.handed_over.v1"
INFORMATION = "complaint.classified_as_information.v1"
RATED = "answer.rated.v1"
ALARMS = ("step.due_soon.v1", "step.overdue.v1")

STATES: dict[str, dict[str, str]] = {
    "triage cases": {
        HANDED_OVER: TriageState.AWAITING_CLASSIFICATION,
        journey.JOINED: TriageState.JOINED,
        INFORMATION: TriageState.CLASSIFIED_AS_INFORMATION,
        FORWARDED: TriageState.AWAITING_RESPONSE,
        "response.submitted.v1": TriageState.AWAITING_APPROVAL,
        RETURNED: TriageState.AWAITING_RESPONSE,
        "response.approved.v1": TriageState.APPROVED,
        journey.SHARED: TriageState.APPROVED,
        journey.CONCLUDED: TriageState.APPROVED,
        **dict.fromkeys(journey.BACK, TriageState.AWAITING_CLASSIFICATION),
    },
    "OPD cases": {
        FORWARDED: OpdState.AWAITING_RESPONSE,
        "response.submitted.v1": OpdState.RESPONDED,
        RETURNED: OpdState.AWAITING_RESPONSE,
        journey.DECLINED: OpdState.DECLINED,
        journey.RECALLED: OpdState.RECALLED,
    },
    "answers": {
        INFORMATION: AnswerState.AWAITING_ANSWER,
        "response.approved.v1": AnswerState.AWAITING_ANSWER,
        journey.SHARED: AnswerState.AWAITING_ANSWER,
        journey.CONCLUDED: AnswerState.AWAITING_ANSWER,
        ANSWERED: AnswerState.ANSWERED,
        CLOSED: AnswerState.CLOSED,
        journey.RETURNED: AnswerState.RETURNED,
        journey.REOPENED: AnswerState.OBJECTED,
    },
}
"""The state of a complaint at each desk after each fact. What is told of it makes one row, at OPDs one a forwarding."""

ENDS_WHILE = {
    "triage cases": WAITING,
    "OPD cases": (OpdState.AWAITING_RESPONSE,),
    "answers": (AnswerState.AWAITING_ANSWER, AnswerState.RETURNED, AnswerState.OBJECTED),
}
"""The states in which an ending outside of the steps ends a row; in the others it may or may not hear of it."""

LETTERS = {
    SUBMITTED: ("received",),
    ANSWERED: ("answered",),
    journey.REOPENED: ("objected",),
    journey.WITHDRAWN: ("withdrawn", "withdrawn_late"),
    journey.ABANDONED: ("abandoned",),
}
"""The letter that follows from a fact, of one of these kinds."""

OF_AWAITED = (journey.DECLINED, journey.RECALLED)
"""The facts whose number is that of the response that was awaited and never given."""

AFTER = {journey.KEPT: (journey.WITHDRAWN,), journey.REOPENED: (CLOSED,), journey.PARTED: (journey.JOINED,)}
"""The facts after which one comes that ends no step; a withdrawal may come at any step before the answer."""


@dataclass(frozen=True, kw_only=True)
class _Placed(Fact):
    """A published event as a fact of its complaint's journey."""

    told: Told


def breaches(pages: Pages) -> Iterator[Breach]:
    """Yield the breaches of every complaint in any table, and those about no complaint."""
    tickets = dict.fromkeys([*pages.journeys, *(ticket for table in pages.tables for ticket in pages.tickets(table))])
    for ticket in tickets:
        facts, overtaken = in_order(pages.journeys.get(ticket, []))
        if ticket not in pages.by_hand:
            yield from _of_path(ticket, facts)
            yield from _of_intake(pages, ticket, facts, overtaken)
        yield from _of_desks(pages, ticket, facts)
        yield from _of_opds(pages, ticket, [*overtaken, *facts])
        yield from _of_journey(pages, ticket, facts, overtaken)
        yield from _of_messages(pages, ticket, facts, overtaken)
        yield from _of_ratings(pages, ticket)
    yield from _of_alarms(pages)


def in_order(facts: list[Told]) -> tuple[list[Told], list[Told]]:
    """Return facts in the order of the procedure, because clocks may be wrong, and those that another act overtook."""
    placed = [_placed(told) for told in facts]
    counts, overtaken = journey.in_order(placed)
    return [fact.told for fact in counts], [fact.told for fact in overtaken]


def _placed(told: Told) -> _Placed:
    numbers = {name: told.data.get(name, 1) for name in ("forwarding", "cycle")}
    return _Placed(type=told.type, at=None, round=told.round, told=told, **numbers)  # type: ignore[arg-type]


_ENDINGS = {journey.WITHDRAWN: endings.WITHDRAWN, journey.ABANDONED: endings.ABANDONED}


def ended(facts: list[Told]) -> str | None:
    """Return how a complaint ended outside of the steps, by the last of its facts that counts; None where not."""
    return _ENDINGS.get(facts[-1].type) if facts else None


def stands_at(facts: list[Told]) -> tuple[int, int, int] | None:
    """Return the (step, forwarding, responses) that a complaint awaits; None where it awaits none, or after a rest."""
    last = _placed(facts[-1]) if facts else None
    if last is None or last.then is None or ended(facts):
        return None
    back = last.type in (*journey.BACK, journey.KEPT)
    return last.then.number, last.forwarding + back, last.round


def _of_path(ticket: str, facts: list[Told]) -> Iterator[Breach]:
    expected: Step | None = steps.SUBMIT
    before = ""
    for fact in facts:
        turn = TURNS[fact.type]
        # What was joined is given the response that the other one got.
        is_shared = fact.type == journey.SHARED and before == journey.JOINED
        if not (_may_follow(fact.type, before, expected) if turn.ends is None else turn.ends == expected or is_shared):
            told = ", ".join(fact.type for fact in facts)
            yield Breach("path", ticket, f"what is told of it makes no journey: {told}")
            return
        # What was gathered is forwarded again, and what was joined may be classified together with the other.
        rests = fact.type in (journey.GATHERED, journey.JOINED)
        expected, before = steps.CLASSIFY if rests else _placed(fact).then, fact.type
    yield from (
        Breach("path", ticket, f"{later.type} was told of response {later.round} after one of {earlier.round}")
        for earlier, later in pairwise(fact for fact in facts if fact.type not in OF_AWAITED)
        if 0 < later.round < earlier.round
    )


def _may_follow(type_: str, before: str, expected: Step | None) -> bool:
    """Return whether a fact that ends no step may come after `before`, while a complaint awaits step `expected`."""
    if type_ in AFTER:
        return before in AFTER[type_]
    return expected is not None and steps.SUBMIT.number < expected.number < steps.RECEIVE.number


def _of_intake(pages: Pages, ticket: str, facts: list[Told], overtaken: list[Told]) -> Iterator[Breach]:
    rows, types = pages.rows("complaints", ticket), Counter(fact.type for fact in facts)
    every = [*facts, *overtaken]
    cycle = _cycle(every)
    # Intake takes a withdrawal before anybody knows whether the answer came first.
    withdrawn = any(fact.type == journey.WITHDRAWN and fact.data["cycle"] == cycle for fact in every)
    ends = withdrawn and cycle not in _kept(facts)
    # A withdrawal that came after the answer stands there until intake hears of the closing.
    comes_and_goes = any(fact.type == journey.WITHDRAWN and fact.data["cycle"] == cycle for fact in overtaken)
    if len(rows) != types[SUBMITTED]:
        yield Breach(
            "complaints", ticket, f"told as submitted {types[SUBMITTED]} times, {len(rows)} times in intake's table"
        )
    for row in rows:
        if (row["handed_over_by"] is not None) != bool(types[HANDED_OVER]):
            yield Breach(
                "complaints",
                ticket,
                f"told as handed over {types[HANDED_OVER]} times, in intake's table handed over at {row['done_at']}",
            )
        if (row["ended"] == endings.WITHDRAWN) != ends and not comes_and_goes:
            yield Breach("complaints", ticket, f"in intake's table ended as {row['ended']}, withdrawn: {ends}")
        if (row["ended"] == endings.ABANDONED) != (ended(facts) == endings.ABANDONED):
            yield Breach("complaints", ticket, f"in intake's table ended as {row['ended']}, told: {ended(facts)}")


def _cycle(facts: list[Told]) -> int:
    return max((fact.data["cycle"] for fact in facts if fact.type == journey.REOPENED), default=1)


def _kept(facts: list[Told]) -> list[int]:
    """Return the cycles that go on although they were withdrawn."""
    found, cycle = [], 1
    for fact in facts:
        cycle = fact.data["cycle"] if fact.type == journey.REOPENED else cycle
        found += [cycle] if fact.type == journey.KEPT else []
    return found


def _of_desks(pages: Pages, ticket: str, facts: list[Told]) -> Iterator[Breach]:
    for table in ("triage cases", "answers"):
        known = [fact for fact in facts if fact.type in STATES[table]]
        rows = pages.rows(table, ticket)
        if len(rows) != (1 if known else 0):
            yield Breach(
                table, ticket, f"{len(rows)} rows, where {'one follows' if known else 'none follows'} from what is told"
            )
        elif rows:
            yield from _of_row(table, rows[0], known[-1], ended(facts))


def _of_row(table: str, row: Row, last: Told, how: str | None) -> Iterator[Breach]:
    state = STATES[table][last.type]
    if row["state"] != state:
        yield Breach(
            table,
            row["ticket"],
            f"stands as {row['state']}, where {last.type} was told last and makes it {state}",
        )
    elif state in ENDS_WHILE[table] and row["ended"] != how:
        yield Breach(table, row["ticket"], f"ended as {row['ended']}, by what is told as {how}")


def _of_opds(pages: Pages, ticket: str, facts: list[Told]) -> Iterator[Breach]:
    """Yield the breaches of the OPDs' rows, of which each forwarding makes one.

    One that goes on after a withdrawal has the next number. `facts` begin with those that were overtaken.
    """
    last: dict[int, Told] = {}
    for fact in facts:
        forwarding = fact.data.get("forwarding", 1)
        if fact.type == journey.KEPT and fact.round and forwarding - 1 in last:
            last[forwarding] = last.pop(forwarding - 1)
        elif fact.type in STATES["OPD cases"]:
            last[forwarding] = fact
    rows = {row["forwarding"]: row for row in pages.rows("OPD cases", ticket)}
    if len(rows) != len(pages.rows("OPD cases", ticket)) or rows.keys() != last.keys():
        yield Breach(
            "OPD cases", ticket, f"rows of the forwardings {[*rows]}, where {[*last]} follow from what is told"
        )
        return
    for forwarding, row in rows.items():
        yield from _of_row("OPD cases", row, last[forwarding], ended(facts))


def _of_journey(pages: Pages, ticket: str, facts: list[Told], overtaken: list[Told]) -> Iterator[Breach]:
    entries = Counter((row["event_id"], row["type"]) for row in pages.rows("entries", ticket))
    about_time = [event for event in pages.about(ticket) if event.type in journey.ABOUT_TIME]
    told = Counter((fact.event_id, fact.type) for fact in [*facts, *overtaken, *about_time])
    for (event_id, type_), times in (entries - told).items():
        yield Breach("entries", ticket, f"the journey notes {type_} {event_id} {times} times too often")
    for (event_id, type_), times in (told - entries).items():
        yield Breach("entries", ticket, f"the journey lacks {type_} {event_id}, {times} times")
    rows = pages.rows("journeys", ticket)
    if len(rows) != (1 if facts else 0):
        yield Breach("journeys", ticket, f"{len(rows)} journeys")
        return
    closed = bool(facts) and facts[-1].type in (CLOSED, *journey.OUTSIDE)
    for row in rows:
        if (row["closed_at"] is not None) != closed:
            yield Breach(
                "journeys",
                ticket,
                f"closed at {row['closed_at']} by the journey, by what is told {'closed' if closed else 'open'}",
            )
        if row["path"] not in (paths := _paths(facts)):
            yield Breach("journeys", ticket, f"on the path {row['path']}, by what is told on {paths[-1]}")
        if row["ended"] != ended(facts):
            yield Breach("journeys", ticket, f"ended as {row['ended']}, by what is told as {ended(facts)}")
        if row["kept"] != max(_kept(facts), default=0):
            yield Breach("journeys", ticket, f"goes on in cycle {row['kept']}, by what is told in {_kept(facts)}")


def _paths(facts: list[Told]) -> list[str | None]:
    """Return the paths on which a journey may be noted: those since it was last on none, the last of them the true one.

    Two classifications may be consumed in any order; whoever reads the journey takes the later.
    """
    found: list[str | None] = [None]
    for fact in facts:
        if fact.type in (INFORMATION, FORWARDED, journey.SHARED, journey.CONCLUDED):
            found = [path for path in found if path] + [
                Path.INFORMATION if fact.type == INFORMATION else Path.COMPLAINT
            ]
        elif fact.type in (journey.RETURNED, journey.REOPENED):
            found = [None]
    return found


def _of_messages(pages: Pages, ticket: str, counts: list[Told], overtaken: list[Told]) -> Iterator[Breach]:
    kinds, facts = Counter(row["kind"] for row in pages.rows("messages", ticket)), [*counts, *overtaken]
    types, kept = Counter(fact.type for fact in facts), _kept(facts)
    for type_, of_kinds in LETTERS.items():
        written, told = sum(kinds[kind] for kind in of_kinds), types[type_]
        # Whose report goes on without them is sent no more letters about it. The closing by a desk that was overtaken
        # is written of where it was heard of first.
        least = sum(fact.type == type_ for fact in counts) if type_ == journey.ABANDONED else told
        if written > told or (written < least and not kept):
            yield Breach(
                "messages",
                ticket,
                f"{written} letters of the kind {' or '.join(of_kinds)}, where {told} follow from what is told",
            )
    yield from (
        Breach("messages", ticket, f"{count} letters of the kind {kind}, which is written once")
        for kind, count in kinds.items()
        if kind in ("late", "reminder") and count > _cycle(facts)
    )


def _of_ratings(pages: Pages, ticket: str) -> Iterator[Breach]:
    told = Counter(event.data["rating"] for event in pages.of(ticket, RATED))
    kept = Counter[int]()
    for row in pages.rows("answers", ticket):
        earlier = json.loads(row["earlier"]) if isinstance(row["earlier"], str) else row["earlier"]
        # An answer that was objected to keeps its rating, which stands among the earlier ones too, until the next one.
        current = None if row["state"] == AnswerState.OBJECTED else row["rating"]
        kept.update(rating for rating in (current, *(each["rating"] for each in earlier)) if rating is not None)
    if kept != told:
        yield Breach("ratings", ticket, f"kept as {sorted(kept.elements())}, told as {sorted(told.elements())}")


def _of_alarms(pages: Pages) -> Iterator[Breach]:
    alarms = Counter(
        (
            (event.subject, event.type, event.data["step"], event.round),
            # A step that got more time has its alarms once for each of its due times.
            (event.data.get("forwarding", 1), event.data.get("due_at")),
        )
        for event in pages.told
        if event.type in ALARMS
    )
    for ((ticket, type_, step, round_), _), times in alarms.items():
        if times > 1:
            yield Breach("alarms", ticket, f"{type_} of step {step} (response {round_}) was told {times} times")
