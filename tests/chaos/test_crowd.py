"""Of a silent reporter the question lapses before the desks go on, and its desk closes the report."""

import asyncio
from random import Random
from typing import Any

import pytest

from nkk.sop.acts import Act
from tests.builders import TICKET
from tests.chaos.acts import ACTS
from tests.chaos.crowd import PATIENT_LOOKS, Crowd
from tests.chaos.traffic import Account, Answer

REPORTER, OPERATOR = Account("reporter 0", "", ""), Account("operator", "", "")


class Intake:
    """A stand-in for `Traffic` with the operator's desk, whose question lapses some looks after its time was over."""

    def __init__(self) -> None:
        self.acts: list[str] = []
        self.at_triage: list[str] = []
        self.asked = self.over = False
        self.looks_until_lapse = 5

    async def token(self, _account: Account) -> str:
        return ""

    async def let_lapse(self, ticket: str) -> bool:
        assert ticket == TICKET
        self.over = self.asked
        return self.over

    async def ask(self, operation: str, _who: str, _method: str, _path: str, _body: Any = None, *_: Any) -> Answer:
        if operation == "read":
            waits = self.asked and not self.over
            return 200, {"acts": [Act.ANSWER_QUESTION] if waits else [], "stands": {"state": "hand_over"}}
        if operation == "look":
            self.looks_until_lapse -= self.over
            lapsed = [Act.ABANDON] if self.looks_until_lapse < 0 else []
            asking = [] if self.asked else [Act.ASK]
            return 200, {"acts": [Act.HAND_OVER, *asking, *lapsed], "stands": {"state": "awaiting_hand_over"}}
        self.acts.append(operation)
        self.asked = self.asked or operation == "ask"
        return 200, {"items": []}


def crowd(silent: bool) -> tuple[Crowd, Intake]:
    """Return a crowd that wants to ask and to close, and its desk."""
    for seed in range(1_000):
        desk = Intake()
        found = Crowd(desk, Random(seed))  # type: ignore[arg-type]
        if found._is_silent == silent:
            found.ticket, found._reporter = TICKET, REPORTER
            found._wants |= {ACTS[Act.ASK].operation: 1, ACTS[Act.ABANDON].operation: 1}
            return found, desk
    raise AssertionError(silent)


class Sure(Random):
    """Dice that never throw for what is improbable."""

    def random(self) -> float:
        return 0.5


async def _turns(found: Crowd, *people: Account) -> None:
    for person in people:
        await found._take_a_turn(person, Sure(1))


def test_a_silent_reporters_question_lapses_and_its_desk_closes_the_report() -> None:
    found, desk = crowd(silent=True)
    asyncio.run(_turns(found, OPERATOR, OPERATOR, REPORTER, *[OPERATOR] * 6))
    assert desk.acts == ["ask", "abandon"]


def test_the_desks_go_on_where_a_question_does_not_lapse_in_time() -> None:
    found, desk = crowd(silent=True)
    desk.looks_until_lapse = 10 * PATIENT_LOOKS
    asyncio.run(_turns(found, OPERATOR, REPORTER, *[OPERATOR] * (PATIENT_LOOKS + 1)))
    assert desk.acts == ["ask", "hand over", "hand over"][: len(desk.acts)]
    assert len(desk.acts) > 1


@pytest.mark.parametrize("silent", [True, False])
def test_only_a_silent_reporter_leaves_a_question_unanswered(silent: bool) -> None:
    found, desk = crowd(silent)
    desk.asked = True
    found._wants["answer question"] = 1
    asyncio.run(_turns(found, REPORTER))
    assert (desk.over, "answer question" in desk.acts) == (silent, not silent)
