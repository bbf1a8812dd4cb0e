"""The order in which documents are made: up to two of staff before a reporter's, and accounts in turn."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.documents.errors import RenderingTooSlowError

IN_SUCCESSION = 2
"""How many turns in succession go to staff while a reporter waits; the next one is a reporter's."""


@dataclass(eq=False)
class _Place:
    account: str
    is_staff: bool
    displaced: bool = False


class Turns:
    """A queue in which `at_once` documents run and `waiting` wait, at most `of_one` of each account.

    Reporters can have all turns but one, where there are several, so that staff need not wait for the longest of texts.
    In a full queue, staff displace the last reporter. One place is always left to reporters, so that a reporter waits
    for a few of the staff's documents but not for all.
    """

    def __init__(self, at_once: int, waiting: int, of_one: int) -> None:
        self._at_once = at_once
        self._longest = waiting
        self._of_one = of_one
        self._changed = threading.Condition()
        self._made: list[_Place] = []
        self._line: list[_Place] = []
        self._passed_over = 0

    @contextmanager
    def turn(self, account: str, is_staff: bool, until: float) -> Iterator[None]:
        """Wait for a turn of `account` until the monotonic time `until`, and hold it.

        Raises RenderingTooSlowError: at once where the queue is full or `account` has its share of it.
        """
        place = _Place(account, is_staff)
        with self._changed:
            self._enter(place)
            try:
                self._await(place, until)
                self._count(place)
            finally:
                if place in self._line:
                    self._line.remove(place)
                self._changed.notify_all()
            self._made.append(place)
        try:
            yield
        finally:
            with self._changed:
                self._made.remove(place)
                self._changed.notify_all()

    def _enter(self, place: _Place) -> None:
        if self._share(place.account) >= self._of_one:
            raise RenderingTooSlowError(f"This account already waits for {self._of_one} documents.")
        if not self._has_turn(place):
            self._find_room(place)
        self._line.append(place)

    def _find_room(self, place: _Place) -> None:
        of_staff, places = sum(other.is_staff for other in self._line), max(1, self._longest - 1)
        if place.is_staff and of_staff >= places:
            raise RenderingTooSlowError(f"{places} requests of staff already wait.")
        if len(self._line) >= self._longest:
            if not place.is_staff:
                raise RenderingTooSlowError(f"{self._longest} requests already wait.")
            last = next(other for other in reversed(self._line) if not other.is_staff)
            last.displaced = True
            self._line.remove(last)
            self._changed.notify_all()

    def _await(self, place: _Place, until: float) -> None:
        free = self._changed.wait_for(lambda: place.displaced or self._is_next(place), until - time.monotonic())
        if place.displaced:
            raise RenderingTooSlowError("A request of staff took this place.")
        if not free:
            raise RenderingTooSlowError("No place became free in time.")

    def _count(self, place: _Place) -> None:
        if not place.is_staff:
            self._passed_over = 0
        elif any(not other.is_staff and self._has_turn(other) for other in self._line):
            self._passed_over += 1

    def _is_next(self, place: _Place) -> bool:
        return place is min(filter(self._has_turn, self._line), key=self._order, default=None)

    def _has_turn(self, place: _Place) -> bool:
        of_reporters = sum(not other.is_staff for other in self._made)
        return len(self._made) < self._at_once and (place.is_staff or of_reporters < max(1, self._at_once - 1))

    def _order(self, place: _Place) -> tuple[bool, int, int]:
        running = sum(other.account == place.account for other in self._made)
        is_later = place.is_staff == (self._passed_over >= IN_SUCCESSION)
        return is_later, running, self._line.index(place)

    def _share(self, account: str) -> int:
        return sum(other.account == account for other in (*self._made, *self._line))
