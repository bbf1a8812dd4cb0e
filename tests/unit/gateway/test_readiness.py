"""Many readiness checks cause few calls: one check calls the stages, and the others share its result."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway import backend as module
from gateway.backend import PING_KEPT_SECONDS, PING_SECONDS, STAGES, Backend
from nkk.messaging.calls import StageUnavailableError
from nkk.trust.sealing import new_key_pair
from tests.installations import eventually

ALL = dict.fromkeys(STAGES, True)
NONE = dict.fromkeys(STAGES, False)


class Clock:
    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


class Client:
    """Stages that answer or are unavailable, once the test allows it."""

    def __init__(self):
        self.asked, self.there, self.may_answer = [], True, threading.Event()
        self.may_answer.set()

    def call(self, stage, method, *, timeout):
        self.asked.append(stage)
        assert self.may_answer.wait(30)
        if not self.there:
            raise StageUnavailableError(stage)
        return {"stage": stage}


@pytest.fixture
def clock(monkeypatch):
    shown = Clock()
    monkeypatch.setattr(module, "time", shown)
    return shown


@pytest.fixture
def backend(clock):
    made = Backend("", new_key_pair()[1], 5)
    made._client = Client()
    return made


def test_who_asks_within_a_second_is_told_what_was_answered(backend, clock):
    assert [backend.ping() for _ in range(50)] == [ALL] * 50
    assert sorted(backend._client.asked) == sorted(STAGES)


def test_a_stage_that_goes_is_missed_after_that_second_and_one_that_comes_is_seen(backend, clock):
    for there, answer in ((True, ALL), (False, NONE), (True, ALL)):
        backend._client.there = there
        clock.now += PING_KEPT_SECONDS
        assert backend.ping() == answer
    assert len(backend._client.asked) == 3 * len(STAGES)


def test_many_who_come_at_once_have_each_stage_asked_once_and_are_told_the_same(backend):
    client = backend._client
    client.may_answer.clear()
    with ThreadPoolExecutor(16) as pool:
        told = [pool.submit(backend.ping) for _ in range(16)]
        eventually(lambda: len(client.asked) == len(STAGES))
        client.may_answer.set()
        assert [each.result(30) for each in told] == [ALL] * 16
    assert len(client.asked) == len(STAGES)


def test_while_one_waits_for_stages_that_are_away_the_others_are_told_what_was_so_a_moment_ago(backend, clock):
    assert backend.ping() == ALL
    client = backend._client
    client.there = False
    client.may_answer.clear()
    clock.now += PING_KEPT_SECONDS
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(backend.ping)
        eventually(lambda: len(client.asked) == 2 * len(STAGES))
        clock.now += PING_SECONDS
        assert [backend.ping() for _ in range(50)] == [ALL] * 50
        client.may_answer.set()
        assert first.result(30) == NONE
    assert backend.ping() == NONE
    assert len(client.asked) == 2 * len(STAGES)


def test_nobody_is_told_what_was_so_long_ago(backend, clock):
    assert backend.ping() == ALL
    client = backend._client
    client.there = False
    client.may_answer.clear()
    clock.now += 3600
    with ThreadPoolExecutor(2) as pool:
        told = [pool.submit(backend.ping) for _ in range(2)]
        eventually(lambda: len(client.asked) == 2 * len(STAGES))
        client.may_answer.set()
        assert [each.result(30) for each in told] == [NONE] * 2


def test_a_fault_of_who_asked_keeps_nobody_else_from_asking(backend, monkeypatch):
    monkeypatch.setattr(backend._client, "call", lambda *_, **__: 1 / 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            backend.ping()
