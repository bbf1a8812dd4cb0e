"""The broker ends, is killed, or is not there when the stages start: all wait for it, and none is restarted."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from time import monotonic

import httpx
import pytest
from amqp.exceptions import NotFound

from nkk.messaging import rpc_client
from nkk.messaging.calls import StageUnavailableError
from nkk.messaging.rpc_client import RpcClient
from ops.stack.broker import PrivateNode
from tests.faults.trial import PATIENCE, Crowd, Trial, assert_unavailable, nkk_command, nkk_environment
from tests.faults.trial import trial as new_trial
from tests.forks import Forked, server
from tests.installations import eventually

STAGES = ("intake-1", "triage-1", "opd_response-1", "notification-1")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateNode]:
    with PrivateNode(tmp_path_factory.mktemp("rabbitmq")) as broker:
        yield broker
        broker.kill()


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory, node: PrivateNode) -> Iterator[Trial]:
    with new_trial(tmp_path_factory.mktemp("trial"), node.uri) as running:
        yield running


def not_ready(trial: Trial) -> bool:
    return httpx.get(f"{trial.installation.url}/readyz", timeout=PATIENCE).status_code == 503


def signalled(node: PrivateNode, number: int) -> None:
    """Send a signal to every process of the node."""
    os.killpg(node._node.pid, number)  # type: ignore[union-attr]


BAD_DAYS: dict[str, tuple[Callable[[PrivateNode], None], Callable[[PrivateNode], None]]] = {
    "stopped": (PrivateNode.stop, PrivateNode.start),
    "killed": (PrivateNode.kill, PrivateNode.start),
    "frozen": (lambda node: signalled(node, signal.SIGSTOP), lambda node: signalled(node, signal.SIGCONT)),
}


@pytest.mark.parametrize("day", ["stopped", pytest.param("killed", marks=pytest.mark.long), "frozen"])
def test_stages_outlive_the_broker_and_go_on_when_it_is_back(trial: Trial, node: PrivateNode, day: str) -> None:
    ends, comes_back = BAD_DAYS[day]
    pids = trial.pids()
    with Crowd(trial.people) as crowd:
        crowd.goes_on()
        ends(node)
        try:
            crowd.is_refused()
            eventually(lambda: not_ready(trial))
            if day != "frozen":  # That is noticed by the heartbeat, some time later.
                assert httpx.get(f"{trial.installation.url}/readyz/gateway", timeout=PATIENCE).status_code == 503
        finally:
            comes_back(node)
        crowd.goes_on()
        eventually(lambda: not not_ready(trial))
    assert crowd.was_served(), (crowd.answers, crowd.slowest)
    trial.settled(*crowd.tickets)
    assert trial.pids() == pids


# The stages declare the exchange that the client's answers come by.
@pytest.mark.usefixtures("trial")
def test_a_caller_is_answered_in_time_while_connections_to_a_frozen_broker_are_given_up(
    node: PrivateNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(_: int = 0) -> float:
        began = monotonic()
        with pytest.raises(StageUnavailableError):
            client.call("nobody", "ping")
        return monotonic() - began

    client = RpcClient(node.uri, timeout=0.5)
    client._ensure_listening(PATIENCE)
    # The connection that sends is the first to miss the broker's heartbeat, in about two seconds.
    # Nobody is told at once that the stage is away: all are to wait for the broker.
    monkeypatch.setattr(rpc_client, "TRY_SECONDS", 0)
    monkeypatch.setattr(rpc_client, "HEARTBEAT_SECONDS", 1)
    call()
    with ThreadPoolExecutor(4) as callers:
        signalled(node, signal.SIGSTOP)
        try:
            until = monotonic() + 6
            while monotonic() < until:
                answers = [callers.submit(call) for _ in range(4)]
                assert max(answer.result(3) for answer in answers) < 2.5
        finally:
            signalled(node, signal.SIGCONT)
    client.close()


def test_stages_started_before_the_broker_wait_for_it_and_a_tool_receives_all_events_whoever_was_away(
    trial: Trial, node: PrivateNode, tmp_path: Path
) -> None:
    def subscribed(printed: Path) -> Forked:
        printed.touch()
        command = nkk_command(trial.installation, "subscribe", "triage", "--as", "my-tool")
        return server("nkk").start(command, nkk_environment(), printed, errors=tmp_path / "trouble")

    def ended(tool: Forked) -> None:
        if tool.poll() is None:
            os.kill(tool.pid, signal.SIGTERM)
            tool.wait(PATIENCE)

    def listening() -> bool:
        with suppress(NotFound):
            return trial.consumers("tool.my-tool.triage") == 1
        return False

    def classified(ticket: str) -> str:
        trial.people.operator.act(f"/complaints/{ticket}/handover")
        trial.people.main_team.act(f"/complaints/{ticket}/classification", {"kind": "information"})
        return ticket

    def heard(printed: Path) -> list[str]:
        return [json.loads(line)["subject"] for line in printed.read_text().splitlines()]

    reporter = trial.people.reporter()
    ticket = trial.people.submit(reporter)
    first, second = tmp_path / "first", tmp_path / "second"
    tool = subscribed(first)
    try:
        eventually(listening)
        before = classified(trial.people.submit(reporter))
        eventually(lambda: heard(first) == [before])
        trial.settled(ticket, before)
        pids = _started_without_broker(trial, node)
        assert_unavailable(reporter.ask("POST", f"/complaints/{ticket}/receipt"))

        began = monotonic()
        trial.installation.take_down("opd_response-1")
        assert monotonic() - began < 10
        trial.installation.bring_up("opd_response-1")

        node.start()
        after = classified(ticket)
        eventually(lambda: not not_ready(trial))
        trial.settled(after)
        assert {**trial.pids(), "opd_response-1": 0} == {**pids, "opd_response-1": 0}

        eventually(lambda: heard(first)[-1:] == [after])
        assert set(heard(first)) == {before, after}
        assert tool.poll() is None
        ended(tool)
        missed = classified(trial.people.submit(reporter))
        trial.settled(missed)
        tool = subscribed(second)
        eventually(lambda: heard(second)[-1:] == [missed])
        assert "the broker is away" in (tmp_path / "trouble").read_text()
    finally:
        ended(tool)


def _started_without_broker(trial: Trial, node: PrivateNode) -> dict[str, int]:
    """Stop the broker, start the stages again, and return the pids once all of them wait for it."""
    for stage in STAGES:
        trial.installation.take_down(stage)
    node.stop()
    waited = {stage: len(trial.logged(stage, "waiting for the broker")) for stage in STAGES}
    for stage in STAGES:
        trial.installation.bring_up(stage)
    for stage in STAGES:
        eventually(lambda stage=stage: len(trial.logged(stage, "waiting for the broker")) > waited[stage])
    return trial.pids()
