"""Where files lie: a store of objects by their names, which holds locks too, so that any gateway process can go on.

Names are paths: `files/<id>/<object>`, and marks such as `unclaimed/<id>`, which are empty.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol


class StoreError(Exception):
    """The store did not do what it was asked to."""


class StoreAwayError(StoreError):
    """The store does not answer, cannot be written, or fails."""


class StoreFullError(StoreError):
    """The store has no room left."""


class MissingError(StoreError):
    """There is no such object."""


class HeldError(StoreError):
    """Another request or process holds the lock."""


class Lock(Protocol):
    """A lock that is held."""

    def is_wanted(self) -> bool:
        """Return whether somebody waits for it, and renew it. Raises HeldError where it was lost."""


class Store(Protocol):
    """A store. Every method raises StoreAwayError."""

    def put(self, name: str, content: bytes) -> None:
        """Store an object whole or not at all, and durably, in place of any of that name. Raises StoreFullError."""

    def get(self, name: str, start: int = 0, stop: int | None = None) -> bytes:
        """Return an object's bytes from `start` to before `stop`. Raises MissingError."""

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the sizes of the objects in `folder` by their names within it."""

    def delete(self, name: str) -> None:
        """Remove an object, if it is there."""

    def delete_all(self, folder: str) -> None:
        """Remove all objects and locks in `folder`."""

    def ages(self, folder: str) -> Iterator[tuple[str, float]]:
        """Yield the names in `folder` (`files`: those of the folders in it) with their ages in seconds."""

    def spare(self) -> int | None:
        """Return how many bytes there is room for; None where that is not known."""

    def hold(self, name: str, patience: float = 0) -> AbstractContextManager[Lock]:
        """Hold the lock `name`, such as `files/<id>/write`, after at most `patience` seconds.

        It ends with its holder, however that ends. Raises HeldError, or MissingError where its folder is gone.
        """
