"""How many uploads a process takes at once: each holds a thread while its bytes arrive, and others need threads too."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app


class TooManyUploadsError(Exception):
    """As many uploads arrive as may at once."""


class Slots:
    """The places for uploads whose bytes arrive."""

    def __init__(self, most: int) -> None:
        self._free = threading.Semaphore(most)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Have one of the places. Raises TooManyUploadsError."""
        if not self._free.acquire(blocking=False):
            raise TooManyUploadsError
        try:
            yield
        finally:
            self._free.release()


def slots() -> Slots:
    """Return the places of the current application."""
    found: Slots = current_app.extensions["upload_slots"]
    return found
