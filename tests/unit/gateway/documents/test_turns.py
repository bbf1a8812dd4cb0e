import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.documents import RenderingTooSlowError
from gateway.documents.turns import Turns
from tests.installations import eventually

FAR = 60


class Office:
    """People who request documents, and the progress of each."""

    def __init__(self, turns):
        self._turns = turns
        self._pool = ThreadPoolExecutor(40)
        self._ends = {}
        self._inside = 0
        self.made = []

    def ask(self, account, is_staff=False, name=None):
        name = name or account
        self._ends[name] = threading.Event()
        before = self._asked(account)
        future = self._pool.submit(self._one, name, account, is_staff)
        eventually(lambda: future.done() or (self._asked(account) > before and self._is_settled()))
        return future

    def end(self, name):
        done = len(self.made)
        self._ends[name].set()
        return done

    def is_made(self, *names):
        eventually(lambda: self.made == list(names))

    def close(self):
        for each in self._ends.values():
            each.set()
        self._pool.shutdown()

    def _asked(self, account):
        with self._turns._changed:
            return self._turns._share(account)

    def _is_settled(self):
        """Return whether everybody whose turn has come stands in `made`: two threads could write in either order."""
        with self._turns._changed:
            turns = self._turns
            return len(turns._made) == self._inside and not any(map(turns._is_next, turns._line))

    def _one(self, name, account, is_staff):
        with self._turns.turn(account, is_staff, time.monotonic() + FAR):
            with self._turns._changed:
                self.made.append(name)
                self._inside += 1
            self._ends[name].wait(FAR)
            with self._turns._changed:
                self._inside -= 1


@pytest.fixture
def office():
    made = Office(Turns(at_once=1, waiting=3, of_one=2))
    yield made
    made.close()


def test_where_enough_wait_another_is_told_so_at_once(office):
    for each in "abcd":
        office.ask(each)
    with pytest.raises(RenderingTooSlowError, match="3 requests already wait"):
        office.ask("e").result(FAR)


def test_one_account_cannot_have_all_places(office):
    office.ask("a")
    office.ask("a", name="a again")
    with pytest.raises(RenderingTooSlowError, match="This account already waits for 2"):
        office.ask("a", name="a once more").result(FAR)
    assert not office.ask("b").done()


@pytest.fixture
def wide():
    made = Office(Turns(at_once=3, waiting=3, of_one=2))
    yield made
    made.close()


def test_another_account_comes_before_the_second_of_one_that_has_a_turn(wide):
    wide.ask("a")
    wide.ask("b")
    wide.ask("a", name="a again")
    wide.ask("c")
    wide.end("b")
    wide.is_made("a", "b", "c")


def test_reporters_leave_one_turn_to_staff(wide):
    for each in "abcde":
        wide.ask(each)
    wide.is_made("a", "b")
    with pytest.raises(RenderingTooSlowError, match="3 requests already wait"):
        wide.ask("f").result(FAR)
    wide.ask("operator", is_staff=True)
    wide.is_made("a", "b", "operator")
    wide.end("operator")
    wide.ask("main", is_staff=True)
    wide.is_made("a", "b", "operator", "main")
    wide.end("a")
    wide.is_made("a", "b", "operator", "main", "c")


def test_staff_may_have_all_turns(wide):
    for each in ("operator", "main", "opd"):
        wide.ask(each, is_staff=True)
    wide.is_made("operator", "main", "opd")
    wide.ask("a")
    wide.end("main")
    wide.is_made("operator", "main", "opd", "a")


def test_staff_come_before_reporters_who_waited_longer(office):
    office.ask("a")
    office.ask("b")
    office.ask("operator", is_staff=True)
    office.end("a")
    office.is_made("a", "operator")


def test_staff_take_the_last_reporters_place_where_the_line_is_full(office):
    office.ask("a")
    office.ask("b")
    office.ask("c")
    last = office.ask("d")
    staff = office.ask("operator", is_staff=True)
    with pytest.raises(RenderingTooSlowError, match="A request of staff took this place"):
        last.result(FAR)
    assert not staff.done()


def test_staff_wait_for_staff_and_leave_one_place_to_reporters(office):
    for each in ("operator", "main", "opd"):
        office.ask(each, is_staff=True)
    with pytest.raises(RenderingTooSlowError, match="2 requests of staff already wait"):
        office.ask("admin", is_staff=True).result(FAR)
    reporter = office.ask("a")
    with pytest.raises(RenderingTooSlowError, match="2 requests of staff already wait"):
        office.ask("admin", is_staff=True).result(FAR)
    assert not reporter.done()


def test_where_both_wait_each_third_turn_is_a_reporters(office):
    office.ask("one", is_staff=True)
    office.ask("a")
    office.ask("b")
    for ends, comes in (("one", "two"), ("two", "three"), ("three", "four"), ("a", "five"), ("four", "six")):
        office.ask(comes, is_staff=True)
        office.end(ends)
        eventually(lambda ends=ends: office.made[-1] != ends)
    office.end("five")
    office.is_made("one", "two", "three", "a", "four", "five", "b")


def test_a_reporter_whose_turn_it_is_keeps_nobody_from_the_turn_that_is_the_staffs(wide):
    wide.ask("a")
    wide.ask("b")
    wide.ask("one", is_staff=True)
    wide.ask("c")
    for ends, comes in (("one", "two"), ("two", "three"), ("three", "four")):
        wide.ask(comes, is_staff=True)
        wide.end(ends)
        # Otherwise the next could find the queue full.
        eventually(lambda comes=comes: wide.made[-1] == comes)
    wide.is_made("a", "b", "one", "two", "three", "four")
    wide.ask("five", is_staff=True)
    wide.end("a")
    wide.is_made("a", "b", "one", "two", "three", "four", "five")


def test_whose_patience_ends_gives_its_place_back(office):
    office.ask("a")
    with (
        pytest.raises(RenderingTooSlowError, match="No place became free"),
        office._turns.turn("b", False, time.monotonic()),
    ):
        raise AssertionError("a turn beside another")
    office.ask("c")
    office.end("a")
    office.is_made("a", "c")


def test_a_turn_that_fails_is_given_back(office):
    with pytest.raises(ValueError, match="made badly"), office._turns.turn("a", False, time.monotonic() + FAR):
        raise ValueError("made badly")
    office.ask("b")
    office.is_made("b")
