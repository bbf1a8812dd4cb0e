"""A broker that is there and does nothing: the gateway's client refuses in time, and works again when it thaws."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic

import pytest

from nkk.messaging import rpc_client
from nkk.messaging.calls import StageUnavailableError
from nkk.messaging.rpc_client import RpcClient
from nkk.stack.broker import PrivateNode
from tests.installations import eventually

TIMEOUT = 1.0
MARGIN = 1.0


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateNode]:
    with PrivateNode(tmp_path_factory.mktemp("rabbitmq")) as broker:
        yield broker


@contextmanager
def frozen(node: PrivateNode) -> Iterator[None]:
    """SIGSTOP to all of the node meanwhile."""
    group = os.getpgid(node._node.pid)  # type: ignore[union-attr]
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)


def test_a_caller_is_answered_in_time_however_long_the_broker_is_frozen(node: PrivateNode,
                                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc_client, "HEARTBEAT_SECONDS", 1)
    client = RpcClient(node.uri, TIMEOUT)

    def call(_: int) -> float:
        began = monotonic()
        with pytest.raises(StageUnavailableError):
            client.call("nobody", "ping")
        return monotonic() - began

    call(0)
    with ThreadPoolExecutor(8) as callers, frozen(node):
        # Long enough for the client to miss heartbeats, drop its connections and try new ones.
        until = monotonic() + 8
        while monotonic() < until:
            assert max(callers.map(call, range(8))) < TIMEOUT + MARGIN
    eventually(lambda: client._listening.is_set())
    client.close()
