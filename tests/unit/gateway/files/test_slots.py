"""The places for uploads: threads that give way, and know whose request they work for."""

import os
import threading

import pytest
from flask import Flask, request

from gateway.files.arriving import BrokenOffError
from gateway.files.slots import NICENESS, Places, Slots, TooManyUploadsError


def test_bytes_arrive_in_threads_that_give_way_with_the_request_of_their_caller(app: Flask) -> None:
    def receive() -> tuple[str, int]:
        return request.path, niceness()

    here = niceness()
    with app.test_request_context("/here"):
        assert Slots(1).run(receive) == ("/here", min(19, here + NICENESS))
    assert niceness() == here


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_what_fails_while_bytes_arrive_is_the_callers_and_its_place_is_free_again() -> None:
    slots = Slots(1)
    for _ in range(2):
        with pytest.raises(BrokenOffError):
            slots.run(broken_off)
    assert slots.run(lambda: 7) == 7


def broken_off() -> None:
    raise BrokenOffError


def test_one_account_leaves_a_place_for_others() -> None:
    places = Places(3)
    for _ in range(2):
        with places.one("a"), places.one("a"):
            with pytest.raises(TooManyUploadsError), places.one("a"):
                pass
            with places.one("b"), pytest.raises(TooManyUploadsError), places.one("c"):
                pass
    with Places(1).one("a"):
        pass
