"""The book of commands: answers and published facts agree, and each complaint is in the state of the last command.

A command answered with success published its fact exactly once. A command whose outcome is unknown to its client (503,
or a broken connection) published it at most once. Any other answer changed nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nkk.sop import journey
from tests.chaos.accountant import effects, joins
from tests.chaos.accountant.breach import Breach
from tests.chaos.accountant.pages import Pages
from tests.chaos.promises import PROMISES
from tests.chaos.record import Asked

SUCCESS = (200, 201, 202)
UNKNOWN = (None, 503)
CLOSED = journey.CLOSED


@dataclass
class _Tally:
    accepted: int = 0
    unknown: int = 0
    said_done: int = 0

    @property
    def tries(self) -> int:
        """The number of commands that were carried out, or may have been."""
        return self.accepted + self.unknown


def breaches(pages: Pages, asked: list[Asked]) -> Iterator[Breach]:
    """Yield the commands accepted without a fact, the facts without a command, and wrong submissions."""
    yield from _submissions(pages, [each for each in asked if each.operation == "submit"])
    tallies: dict[tuple[str, str], _Tally] = defaultdict(_Tally)
    for each in asked:
        if each.ticket and each.operation != "submit" and PROMISES[each.operation].facts:
            _count(tallies[each.ticket, each.operation], each)
    tickets = {each.ticket for each in asked if each.ticket} | set(pages.journeys)
    shown_closed = {each.ticket for each in asked if each.closed}
    together = joins.groups(pages)
    reads = Counter(each.ticket for each in asked if each.operation == "read")
    for ticket in tickets:
        told = Counter(event.type for event in pages.about(ticket))
        lapsed = sum(event.data.get("how") == "lapsed" for event in pages.of(ticket, CLOSED))
        closed_by_others = lapsed + reads[ticket] + told[journey.REOPENED]
        for operation in _COMMANDS:
            facts = sum(told[type_] for type_ in PROMISES[operation].facts)
            # To keep a response and ask a further OPD is one command, which forwards too.
            facts -= told[journey.GATHERED] + _shared(pages, ticket) if operation == "classify" else 0
            # The end of the first report parts those that rest with it.
            facts -= sum(event.data["by"] is None for event in pages.of(ticket, journey.PARTED) if operation == "part")
            tally = tallies[ticket, operation]
            if operation == "classify" and told[journey.JOINED]:
                # What rests with another is refused as classified before, and may be classified together with it.
                tally.said_done = 0
            if operation == "recuse" and ticket in together:
                # Joined reports are hidden together from whoever steps aside from one of them.
                tally = _Tally(tally.accepted, sum(tallies[each, operation].tries for each in together[ticket]))
            yield from _balance(ticket, operation, facts, tally, closed_by_others)
        if ticket in shown_closed and not told[CLOSED]:
            yield Breach("commands", ticket, "its reporter was shown it as closed, and no closing was told")


_COMMANDS = [name for name, promise in PROMISES.items() if promise.facts and name != "submit"]


def _shared(pages: Pages, ticket: str) -> int:
    """Return how often a report was classified as information together with the one that it rested with."""
    return sum(event.data["joined_to"] is not None for event in pages.of(ticket, effects.INFORMATION))


def _count(tally: _Tally, asked: Asked) -> None:
    tally.accepted += asked.status in SUCCESS
    tally.unknown += asked.status in UNKNOWN
    tally.said_done += asked.problem in PROMISES[asked.operation].done


def _balance(ticket: str, operation: str, facts: int, tally: _Tally, closed_by_others: int) -> Iterator[Breach]:
    least, most = tally.accepted, tally.accepted + tally.unknown
    if operation == "confirm":
        # Opening the answer receives it too, as do an objection and the end of its time. A confirmation after that is
        # accepted, but publishes nothing.
        least, most = min(least, 1), most + closed_by_others
    if operation == "recuse":
        # To have the same person step aside again is accepted, and publishes nothing.
        least, most = min(least, 1), min(most, 1)
    if facts < least:
        yield Breach("commands", ticket, f"'{operation}' was accepted {tally.accepted} times and told {facts} times")
    if facts > most:
        yield Breach(
            "commands",
            ticket,
            f"'{operation}' was told {facts} times, accepted {tally.accepted} times and "
            f"perhaps {tally.unknown} times more",
        )
    if tally.said_done and not facts and operation not in ("return", "approve"):
        yield Breach("commands", ticket, f"'{operation}' was refused as done before, and never told")


def _submissions(pages: Pages, asked: Iterable[Asked]) -> Iterator[Breach]:
    tickets, unknown, keys = defaultdict(set), set(), defaultdict(set)
    for each in asked:
        if each.status in SUCCESS and each.ticket:
            tickets[each.key].add(each.ticket)
            keys[each.ticket].add(each.key)
        elif each.status in UNKNOWN:
            unknown.add(each.key)
    for key, found in tickets.items():
        if len(found) > 1:
            yield Breach("submissions", ", ".join(sorted(found)), f"several tickets for one Idempotency-Key, {key}")
    for ticket, found in keys.items():
        if len(found) > 1:
            yield Breach("submissions", ticket, "one ticket for several Idempotency-Keys")
        if not pages.rows("complaints", ticket) or ticket not in pages.journeys:
            yield Breach("submissions", ticket, "accepted with 201, and lost")
    kept = {row["ticket"]: row["idempotency_key"] for row in pages.tables["submissions"]}
    for ticket in pages.tickets("complaints"):
        if ticket not in keys and kept.get(ticket) not in unknown:
            yield Breach("submissions", ticket, "entered, though nobody submitted it")
