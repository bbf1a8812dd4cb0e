"""How many bodies a process reads at once while they arrive, in threads that give way to all others of the machine.

A thread is held while the bytes of an upload arrive, and seals them. Twenty at once would take the processors from
somebody who waits for a worklist.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

from flask import current_app

from nkk.priority import thread_gives_way

NICENESS = 10

Received = TypeVar("Received")


class TooManyUploadsError(Exception):
    """As many uploads arrive as may at once."""


class Places:
    """How many requests may do at once what takes long."""

    def __init__(self, most: int) -> None:
        self._free = threading.Semaphore(most)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Take a place until the end. Raises TooManyUploadsError where none is free."""
        if not self._free.acquire(blocking=False):
            raise TooManyUploadsError
        try:
            yield
        finally:
            self._free.release()


class Slots(Places):
    """The places for uploads whose bytes arrive, each with a thread."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._threads = ThreadPoolExecutor(most, "upload", thread_gives_way, (NICENESS,))

    def run(self, receive: Callable[[], Received]) -> Received:
        """Return what `receive` returns, which runs in one of the places with the caller's request.

        Raises TooManyUploadsError where no place is free, and what `receive` raises.
        """
        with self.one():
            return self._threads.submit(copy_context().run, receive).result()


def slots() -> Slots:
    """Return the places of the current application for uploads."""
    found: Slots = current_app.extensions["upload_slots"]
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
