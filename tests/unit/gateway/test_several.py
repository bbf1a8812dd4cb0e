"""One act on several cases."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, g

from gateway import several
from nkk.messaging.calls import RefusedRemotelyError, StageUnavailableError
from nkk.sop.ticket import new_ticket
from nkk.trust.actor import Actor
from tests.unit.gateway.visits import FakeBackend

Told = Callable[..., tuple[list[Any], list[str]]]
FIRST, SECOND, THIRD = (new_ticket(2026) for _ in range(3))


@pytest.fixture
def told(
    app: Flask, stages: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[list[Any], list[str]]]:
    """Hand reports over to a stage that answers in turn; return the results and the tickets that were tried."""

    def hand_over(*answers: Any) -> tuple[list[Any], list[str]]:
        tried: list[str] = []

        def call(_stage: str, _method: str, ticket: str, _if_free: bool) -> Any:
            tried.append(ticket)
            answer = answers[len(tried) - 1]
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(stages, "call", call)
        with app.test_request_context("/"):
            g.actor = Actor("staff-1", "operator", None)
            found = several.hand_over([FIRST, SECOND, FIRST, THIRD])
        return [result.done or type(result.failed) for result in found], tried

    return hand_over


def test_each_has_its_own_result_and_a_ticket_named_twice_is_acted_on_once(told: Told) -> None:
    refusal = RefusedRemotelyError("AlreadyHandedOver", "already-handed-over", {})
    assert told({"ticket": FIRST}, refusal, {"ticket": THIRD}) == (
        [{"ticket": FIRST}, RefusedRemotelyError, {"ticket": THIRD}],
        [FIRST, SECOND, THIRD],
    )


def test_once_a_stage_is_away_no_further_case_is_tried(told: Told) -> None:
    assert told({"ticket": FIRST}, StageUnavailableError("intake")) == (
        [{"ticket": FIRST}, StageUnavailableError, StageUnavailableError],
        [FIRST, SECOND],
    )


def test_a_stage_that_is_away_at_once_fails_the_request(told: Told) -> None:
    with pytest.raises(StageUnavailableError):
        told(StageUnavailableError("intake"))


def test_whoever_is_logged_out_meanwhile_is_refused_as_a_whole(told: Told) -> None:
    with pytest.raises(RefusedRemotelyError):
        told({"ticket": FIRST}, RefusedRemotelyError("NotAuthenticated", "session-ended", {}))
