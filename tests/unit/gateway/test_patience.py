"""A request waits for unavailable stages no longer than its time limit, however many of them it calls."""

import pytest
from flask import Flask

from gateway import backend as module
from gateway.backend import LEAST_SECONDS, LISTS_PATIENCE, Backend
from nkk.messaging.calls import StageUnavailableError
from nkk.trust.sealing import new_key_pair


class Clock:
    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


class Away:
    """Stages of which only the named ones answer."""

    def __init__(self, clock):
        self.clock, self.there, self.waited = clock, {}, []

    def call(self, stage, method, *_, timeout, context):
        if stage in self.there:
            return self.there[stage]
        self.clock.now += timeout
        self.waited.append((stage, timeout))
        raise StageUnavailableError(stage)


@pytest.fixture
def clock(monkeypatch):
    shown = Clock()
    monkeypatch.setattr(module, "time", shown)
    return shown


@pytest.fixture
def backend(clock):
    made = Backend("", new_key_pair()[1], 5)
    made._client = Away(clock)
    return made


@pytest.fixture
def request_():
    return Flask(__name__).test_request_context()


def test_lists_that_are_known_and_an_act_after_them_take_no_longer_than_one_call(backend, clock, request_):
    backend._client.there = {"intake": {"opds": {}}}
    with request_:
        backend.lists()
    backend._client.there = {}
    clock.now += 60
    began = clock.now
    with request_:
        assert backend.lists() == {"opds": {}}
        with pytest.raises(StageUnavailableError):
            backend.call("triage", "forward")
    assert backend._client.waited == [("intake", LISTS_PATIENCE), ("triage", 5 - LISTS_PATIENCE)]
    assert clock.now - began == 5


def test_a_stage_that_may_be_there_is_asked_when_another_took_all_the_patience(backend, request_):
    with request_:
        with pytest.raises(StageUnavailableError):
            backend.call("intake", "lists")
        with pytest.raises(StageUnavailableError):
            backend.call("triage", "case")
        backend._client.there = {"triage": "here"}
        assert backend.call("triage", "case") == "here"
    assert backend._client.waited == [("intake", 5), ("triage", LEAST_SECONDS)]


def test_what_one_request_waited_is_not_the_next_ones(backend, request_):
    for _ in range(2):
        with Flask(__name__).test_request_context(), pytest.raises(StageUnavailableError):
            backend.call("intake", "lists")
    assert backend._client.waited == [("intake", 5), ("intake", 5)]
