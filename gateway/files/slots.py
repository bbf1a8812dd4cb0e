"""How many bodies a process reads at once while they arrive, in threads that give way to all others of the machine.

A thread is held while the bytes of an upload arrive, and seals them. Twenty at once would take the processors from
somebody who waits for a worklist.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

from flask import current_app, request

from nkk.priority import thread_gives_way

NICENESS = 10
SMALL = 4_000_000
"""The most bytes of a small upload."""

Received = TypeVar("Received")


class TooManyUploadsError(Exception):
    """As many uploads arrive as may at once, of everybody or of one account."""


class Places:
    """How many requests may do at once what takes long, and how many of them may be one account's: all but one."""

    def __init__(self, most: int) -> None:
        self._most, self._most_of_one = most, max(1, most - 1)
        self._held: Counter[str | None] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def one(self, account: str | None = None) -> Iterator[None]:
        """Take a place until the end, for `account` where one is known.

        Raises TooManyUploadsError where none is free, or the account has as many as it may.
        """
        with self._lock:
            if self._held.total() >= self._most or (account and self._held[account] >= self._most_of_one):
                raise TooManyUploadsError
            self._held[account] += 1
        try:
            yield
        finally:
            with self._lock:
                self._held[account] -= 1
                # Only accounts that hold a place are kept.
                self._held = +self._held


class Slots(Places):
    """The places for uploads whose bytes arrive, each with a thread."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._threads = ThreadPoolExecutor(most, "upload", thread_gives_way, (NICENESS,))

    def run(self, receive: Callable[[], Received], account: str | None = None) -> Received:
        """Return what `receive` returns, which runs in one of the places with the caller's request.

        Raises as `one` does, and what `receive` raises.
        """
        with self.one(account):
            return self._threads.submit(copy_context().run, receive).result()


def slots() -> Slots:
    """Return the places of the current application for uploads: small ones have their own, so that a report with a
    photograph is not sent away because somebody's recordings arrive."""
    is_small = request.content_length is not None and request.content_length <= SMALL
    found: Slots = current_app.extensions["small_slots" if is_small else "upload_slots"]
    return found


def slots_of_fields() -> Slots:
    """Return those for what was typed into forms whose files are not taken.

    Threat: strangers who send such forms slowly would hold all threads, or take the places of uploads.
    """
    found: Slots = current_app.extensions["field_slots"]
    return found


def places_of_checks() -> Places:
    """Return those for requests that wait until uploads are checked. Threat: an account's would hold all threads."""
    found: Places = current_app.extensions["check_places"]
    return found
