"""A journey continues to its end however late its events are consumed, and a stuck one is a breach."""

import asyncio
import random
from typing import Any

import pytest

from nkk.sop.clock import OFFICE_HOURS
from nkk.sop.refusals import Refused
from services.opd_response.domain import AlreadyResponded
from services.triage.refusals import AlreadyApproved, AlreadyClassified, NoResponseYet
from tests.builders import MONDAY, TICKET, opd_case, triage_case
from tests.chaos.accountant.journeys import STILL_SECONDS, Unfinished, breaches, explained
from tests.chaos.record import Asked, Record, Struck
from tests.chaos.traffic import OPDS, Account, Answer, Journey

PROBLEMS: dict[type[Refused], str] = {
    AlreadyResponded: "already-responded",
    AlreadyApproved: "already-approved",
    AlreadyClassified: "already-classified",
    NoResponseYet: "no-response-yet",
}
UNKNOWN: Answer = 503, {"type": "urn:nkk:problem:unavailable"}


class Desks:
    """A stand-in for `Traffic`, with the desks of the main team and an OPD. Each consumes the other's events after some
    more requests, and sometimes the outcome of an act is unknown."""

    def __init__(self, seed: int, slowness: int) -> None:
        self._dice = random.Random(seed)
        self._slowness = slowness
        self._triage, self._opd = triage_case(), opd_case()
        self._on_the_way: list[list[Any]] = []
        self.done: list[str] = []
        self.asked = 0

    async def somebody(self, _dice: random.Random) -> Account:
        return self.person("reporter")

    def person(self, name: str) -> Account:
        return Account(name, name, "")

    async def token(self, _account: Account) -> str:
        return ""

    async def pause(self, _seconds: float) -> None:
        assert self.asked < 500, f"it stands still after {self.done}"

    async def ask(self, operation: str, who: str, _method: str, _path: str, body: Any = None, *_: Any) -> Answer:
        self.asked += 1
        for event in self._on_the_way:
            event[0] -= 1
        while self._on_the_way and self._on_the_way[0][0] < 0:
            self._on_the_way.pop(0)[1]()
        if self._dice.random() < 0.2:
            return UNKNOWN  # nothing was done
        try:
            answer = self._do(operation, who)
        except Refused as refusal:
            return 409, {"type": f"urn:nkk:problem:{PROBLEMS[type(refusal)]}"}
        return UNKNOWN if self._dice.random() < 0.2 else answer

    def _do(self, operation: str, who: str) -> Answer:
        if operation == "submit":
            return 201, {"ticket": TICKET}
        if operation == "look":
            case: Any = self._triage if who == "main_team" else self._opd
            return 200, {"round": case.round, "stands": case.stands()}
        if operation == "classify":
            self._triage.forward("disdukcapil", MONDAY)
        elif operation == "respond":
            self._opd.respond("Sudah.", MONDAY)
            text, number = "Sudah.", self._opd.round
            self._tell(lambda: self._triage.receive(text, number, MONDAY, OFFICE_HOURS))
        elif operation == "return":
            self._triage.return_response(MONDAY)
            returned = self._triage.round
            self._tell(lambda: self._opd.returned(returned, "Uraikan.", MONDAY, OFFICE_HOURS))
        elif operation == "approve":
            self._triage.approve(MONDAY)
        self.done.append(operation)
        return 200, {"stands": {"state": "closed"}}

    def _tell(self, hear: Any) -> None:
        self._on_the_way.append([self._slowness, hear])


def returned(seed: int) -> random.Random:
    """Return the dice of a journey whose first response is returned, and which goes to its end."""
    for number in range(1_000):
        dice = random.Random(f"{seed} {number}")
        before = dice.getstate()
        journey = Journey(None, dice)  # type: ignore[arg-type]
        if journey.returned and journey._acts_left > 7 and not journey.has_files:
            dice.setstate(before)
            return dice
    raise AssertionError(seed)


@pytest.mark.parametrize("slowness", [0, 1, 5, 40])
@pytest.mark.parametrize("seed", range(10))
def test_a_returned_response_is_given_a_second_time_however_late_the_return_is_heard(seed: int, slowness: int) -> None:
    desks = Desks(seed, slowness)
    journey = Journey(desks, returned(seed))  # type: ignore[arg-type]
    asyncio.run(journey.travel())
    acts = [act for act in desks.done if act in ("classify", "respond", "return", "approve")]
    assert acts == ["classify", "respond", "return", "respond", "approve"]
    assert journey.opd in OPDS


def said(at: float, operation: str, status: int, ticket: str = TICKET, problem: str | None = None) -> Asked:
    return Asked(at, 0.1, operation, "main_team", status, ticket, problem=problem)


HEALED, ENDED = 1_000.0, 1_000.0 + 2 * STILL_SECONDS
ACTED = said(900, "respond", 200)
REFUSED = said(ENDED - 1, "approve", 409, problem="no-response-yet")


def judged(
    *asked: Asked, struck: tuple[Struck, ...] = (), ticket: str = TICKET, starved: float = 0.0
) -> tuple[str | None, list[str]]:
    """Return why a journey did not end, and its breaches."""
    record, journey = Record(0, 0.0, list(asked), list(struck)), Unfinished(ticket, HEALED, ENDED, starved)
    return explained(record, journey), [str(breach) for breach in breaches(record, [journey])]


def test_a_journey_that_stands_still_when_all_is_healed_is_a_breach_that_says_where() -> None:
    why, broken = judged(ACTED, REFUSED)
    assert why is None
    assert broken == [
        f"journeys: {TICKET}: stands still, and no fault explains it: last main_team: approve -> 409 "
        "no-response-yet (0.10 s)"
    ]


@pytest.mark.parametrize(
    "idle",
    [
        said(ENDED - 5, "look", 200),
        said(ENDED - 5, "claim", 200),
        said(ENDED - 5, "approve", 200, "NKK-2026-0000-0000"),
    ],
)
def test_looking_on_is_no_step(idle: Asked) -> None:
    assert judged(ACTED, REFUSED, idle)[0] is None


def test_a_form_that_is_never_taken_is_a_breach() -> None:
    assert judged(ticket="")[1] == [
        "journeys: no ticket: stands still, and no fault explains it: its form was not taken"
    ]


@pytest.mark.parametrize(
    "told",
    [
        {"asked": [said(ENDED - 5, "respond", 200), REFUSED]},
        {"asked": [ACTED, REFUSED], "starved": 40.0},
    ],
)
def test_a_journey_that_went_on_until_time_was_up_is_none(told: dict[str, Any]) -> None:
    why, broken = judged(*told.pop("asked"), **told)
    assert (why or "").startswith("it went on until time was up (last main_team: approve")
    assert not broken


def test_a_fault_that_is_not_over_explains_it() -> None:
    assert judged(ACTED, REFUSED, struck=(Struck("stage away", "triage", 950),)) == ("stage away triage, inf s", [])
    assert judged(ACTED, REFUSED, struck=(Struck("stage away", "triage", 950, 960),))[0] is None
