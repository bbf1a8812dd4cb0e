"""The caller's access token is sent only to those methods of the stages that require a log-in."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask, g

from gateway import renewals
from gateway.backend import AT_EVERY_STAGE, FOR_ANYBODY, Backend, needs_caller
from nkk.contracts import STAGES
from nkk.trust.sealing import new_key_pair
from tests.boxes import asked
from tests.intake import CALLS as OF_INTAKE
from tests.intake import PUBLIC, intake_at
from tests.stages import methods

CALLS = [(stage, name, needed) for stage in STAGES for name, needed in methods(stage).items()]


@pytest.mark.parametrize(("stage", "method", "needed"), CALLS, ids=lambda part: str(part))
def test_a_stage_is_sent_a_token_where_it_asks_for_one_and_nowhere_else(stage: str, method: str, needed: bool) -> None:
    assert needs_caller(stage, method) is needed


def test_every_stage_has_methods_of_both_kinds() -> None:
    for stage in STAGES:
        assert set(methods(stage).values()) == {True, False}


def test_nothing_is_named_that_is_no_method() -> None:
    for stage, names in FOR_ANYBODY.items():
        assert names <= set(methods(stage))
    for stage in STAGES:
        assert set(methods(stage)) >= AT_EVERY_STAGE


class Heard:
    """A broker that stores what was published."""

    def __init__(self, *_: Any) -> None:
        self.sent: list[Any] = []

    def call(self, stage: str, method: str, *args: Any, context: Any, timeout: float) -> Any:
        self.sent.append((stage, method, context["actor"]))
        return {}


@pytest.mark.parametrize(("stage", "method", "needed"), CALLS, ids=lambda part: str(part))
def test_what_the_gateway_sends_holds_it_or_does_not(
    stage: str, method: str, needed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.backend.RpcClient", Heard)
    backend = Backend("", new_key_pair()[1], 1)
    with Flask("test").app_context():
        g.token, g.proof = "a token", "a proof"
        backend.call(stage, method)
    assert backend._client.sent == [(stage, method, "a token" if needed else None)]  # type: ignore[attr-defined]


def test_what_intake_gives_to_renew_a_session_with_is_what_pages_ask_about(tmp_path: Path) -> None:
    with intake_at(f"sqlite:///{tmp_path}/intake.db") as intake:
        opened = asked(intake, PUBLIC, "log_in", OF_INTAKE["log_in"][1])
    assert renewals.WRITTEN.fullmatch(opened["refresh_token"])
