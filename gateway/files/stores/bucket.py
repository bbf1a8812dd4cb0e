"""A bucket of an S3-compatible store.

It has to know conditional writes (If-None-Match and If-Match on PUT), by which its locks are made: a lock is an object
that its holder writes again every few seconds. Whoever finds it unchanged for longer than that takes it over.
"""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError, PreconditionError
from obstore.store import S3Store

from gateway.files.stores import HeldError, MissingError, StoreAwayError
from nkk.settings.paths import Bucket as Place

CONNECT_SECONDS, ANSWER_SECONDS, RETRY_SECONDS = 3, 10, 10
"""How long the store is waited for: until it takes a connection, for an answer, and in all where it fails."""

AWAY_SECONDS = 5.0
"""For how long a store that was away is not asked again."""

RENEWAL_SECONDS, LEASE_SECONDS = 3.0, 12.0
"""How often the holder of a lock writes it, and after how long unchanged another may take it."""

PAUSE_SECONDS = 0.2
HIDDEN = "."


class BucketStore:
    """The store in a bucket."""

    def __init__(self, place: Place) -> None:
        self._store = S3Store(
            place.name,
            prefix=place.prefix or None,
            endpoint=place.endpoint,
            region=place.region,
            access_key_id=place.key,
            secret_access_key=place.secret,
            client_options={
                "allow_http": place.endpoint.startswith("http:"),
                "connect_timeout": f"{CONNECT_SECONDS}s",
                "timeout": f"{ANSWER_SECONDS}s",
            },
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=RETRY_SECONDS)},
        )
        self._away_until, self._was_away, self._looking = 0.0, False, threading.Lock()
        self._seen: dict[str, tuple[str, float]] = {}
        """The locks of others that were met, with their version and when it was met first."""

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Ask the store, or raise StoreAwayError at once where it was away a moment ago.

        After that, one caller tries it again. Threat: where the store hangs, all threads would soon wait for it, also
        those that desks need.
        """
        with self._looking:
            now = time.monotonic()
            if now < self._away_until:
                raise StoreAwayError("it was away a moment ago")
            if self._was_away:
                self._away_until = now + AWAY_SECONDS
        try:
            with _faults():
                yield
        except StoreAwayError:
            self._note(is_away=True)
            raise
        except MissingError:
            self._note(is_away=False)
            raise
        self._note(is_away=False)

    def _note(self, is_away: bool) -> None:
        with self._looking:
            self._was_away = is_away
            self._away_until = time.monotonic() + AWAY_SECONDS if is_away else 0.0

    def put(self, name: str, content: bytes) -> None:
        with self._asking():
            obstore.put(self._store, name, content, use_multipart=False)

    def get(self, name: str, start: int = 0, stop: int | None = None) -> bytes:
        with self._asking():
            if stop is None and not start:
                return bytes(obstore.get(self._store, name).bytes())
            end = obstore.head(self._store, name)["size"] if stop is None else stop
            return bytes(obstore.get_range(self._store, name, start=start, end=end)) if end > start else b""

    def sizes(self, folder: str) -> dict[str, int]:
        return {
            name: each["size"]
            for each in self._listed(folder)
            if not (name := each["path"].rpartition("/")[2]).startswith(HIDDEN)
        }

    def delete(self, name: str) -> None:
        with suppress(MissingError), self._asking():
            obstore.delete(self._store, name)

    def delete_all(self, folder: str) -> None:
        # The header is first, so that of a file that is removed only in part nothing can be opened.
        for path in sorted(
            (each["path"] for each in self._listed(folder)), key=lambda path: not path.endswith("/head")
        ):
            self.delete(path)

    def ages(self, folder: str) -> Iterator[tuple[str, float]]:
        now = datetime.now(UTC)
        for name, objects in groupby(self._listed(folder), lambda each: each["path"].split("/")[1]):
            yield name, min((now - each["last_modified"]).total_seconds() for each in objects)

    def spare(self) -> int | None:
        return None

    @contextmanager
    def hold(self, name: str, patience: float = 0) -> Iterator["Lease"]:
        folder, _, last = name.rpartition("/")
        name = f"{folder}/{HIDDEN}{last}"
        until, wish = time.monotonic() + patience, f"{name}.wish"
        try:
            while (version := self._taken(name)) is None:
                if patience:
                    self.put(wish, b"")
                if time.monotonic() >= until:
                    raise HeldError(name)
                time.sleep(PAUSE_SECONDS)
        finally:
            if patience and name in self._seen:
                self.delete(wish)
        self._seen.pop(name, None)
        lease = Lease(self._store, name, version)
        try:
            if not self.sizes(folder):
                raise MissingError(folder)
            yield lease
        finally:
            lease.end()

    def _taken(self, name: str) -> str | None:
        """Take a lock, or one that its holder has left, and return its version; None where somebody has it."""
        with self._asking():
            try:
                return _version(obstore.put(self._store, name, _token(), mode="create", use_multipart=False))
            except (AlreadyExistsError, PreconditionError):
                pass
            try:
                found = _version(obstore.head(self._store, name))
            except (NotFoundError, FileNotFoundError):
                return None
            version, since = self._seen.get(name, ("", 0.0))
            if found != version:
                self._seen[name] = found, time.monotonic()
                return None
            if time.monotonic() < since + LEASE_SECONDS:
                return None
            return _written_again(self._store, name, found)

    def _listed(self, folder: str) -> Iterator[Any]:
        with self._asking():
            for batch in obstore.list(self._store, prefix=folder + "/"):
                yield from sorted(batch, key=lambda each: each["path"])


class Lease:
    """A lock that is held, and written again until it ends."""

    def __init__(self, store: S3Store, name: str, version: str) -> None:
        self._store, self._name, self._version = store, name, version
        self._is_lost = False
        self._ends = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._renewing.start()

    def is_wanted(self) -> bool:
        """Return whether somebody waits for it. Raises HeldError where another has taken it over."""
        if self._is_lost:
            raise HeldError(self._name)
        with _faults():
            try:
                obstore.head(self._store, f"{self._name}.wish")
            except (NotFoundError, FileNotFoundError):
                return False
        return True

    def end(self) -> None:
        """Let go."""
        self._ends.set()
        self._renewing.join()
        if not self._is_lost:
            # Where that fails, it lapses.
            with suppress(BaseError, FileNotFoundError):
                obstore.delete(self._store, self._name)

    def _renew(self) -> None:
        while not self._ends.wait(RENEWAL_SECONDS):
            with suppress(BaseError):
                version = _written_again(self._store, self._name, self._version)
                if version is None:
                    self._is_lost = True
                    return
                self._version = version


@contextmanager
def _faults() -> Iterator[None]:
    """Raise what the bucket refuses as an error of the store. Its own words name addresses, and are left out."""
    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        raise MissingError("there is no such object") from error
    except (BaseError, OSError) as error:
        raise StoreAwayError(type(error).__name__) from error


def _written_again(store: S3Store, name: str, version: str) -> str | None:
    """Write a lock again that is still of this `version`, and return its new one; None where it is of another."""
    try:
        return _version(obstore.put(store, name, _token(), mode={"e_tag": version}, use_multipart=False))
    except (PreconditionError, AlreadyExistsError, NotFoundError, FileNotFoundError):
        return None


def _version(found: Any) -> str:
    return str(found["e_tag"])


def _token() -> bytes:
    # Of other content each time, so that each writing has a version of its own.
    return secrets.token_bytes(16)
