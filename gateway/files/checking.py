"""Uploads that have come are checked in the background, and those that nobody attached are removed.

A thread in each process of the gateway takes what is to be checked. A lock in the store lets one process at a time have
an upload; where that process dies, the lock ends and another takes it over.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import Any, Protocol

from gateway.files.content import Content, Writing
from gateway.files.errors import FileRefusedError, InspectionUnavailableError, ScannerAwayError, ScannerSilentError
from gateway.files.facts import Facts, State
from gateway.files.refusals import FileLost
from gateway.files.sealing import DamagedError
from gateway.files.stores import HeldError, MissingError, StoreError
from gateway.files.uploads import CAME, DISCARDED, GRACE_SECONDS, UNCHECKED, UNCLAIMED, Known, Uploads
from nkk.log import get_logger
from nkk.priority import thread_gives_way
from nkk.sop.files import Scan

LOOK_SECONDS = 2.0
"""How often a process looks for uploads that another had and left."""

AGAIN_SECONDS = (2.0, 60.0)
"""The first and the longest pause before what failed for a reason that lies with us is tried again."""

SCANNER_AWAY_SECONDS = 20.0
"""For how long a scanner that was silent is not asked again: all files would wait while each asks it in vain."""

EXPIRY_SECONDS = 600.0
NICENESS = 10
AT_ONCE = 200
"""How many ids are asked about at once before uploads are removed."""

log = get_logger()


class Result(Protocol):
    """What an inspection gives: see `gateway.files.inspection`."""

    @property
    def kind(self) -> Any: ...
    @property
    def cleaned(self) -> bool: ...
    @property
    def readable(self) -> bool: ...
    @property
    def preview(self) -> bytes | None: ...
    def chunks(self) -> Iterator[bytes]:
        """Yield what is kept."""


class Inspect(Protocol):
    """`gateway.files.inspection.inspect`."""

    def __call__(self, content: Iterable[bytes], *, original: bool) -> AbstractContextManager[Result]: ...


Scanner = Callable[[Iterable[bytes]], bool]
"""Returns whether a content is clean. Raises ScannerAwayError."""


class Checker:
    """The checks of a process. `scan` is None where there is no scanner; without `known`, nothing expires.

    `pace` is called with the number of bytes that were given to the inspection, before more are.
    """

    def __init__(
        self,
        uploads: Uploads,
        inspect: Inspect,
        scan: Scanner | None = None,
        known: Known | None = None,
        pace: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._uploads, self._inspect, self._scan, self.known, self._pace = uploads, inspect, scan, known, pace
        self._store = uploads.store
        self._failed: dict[str, tuple[float, float]] = {}
        """The pause and the time of the next try of what failed, by id."""
        self._owners: dict[str, str] = {}
        self._turns: dict[str, float] = {}
        """Whose the waiting uploads are, by id, and when each of these accounts had its last turn."""
        self._scanner_away_until = 0.0
        self._wakes, self._ends, self._expires_at = threading.Event(), threading.Event(), 0.0
        self._thread: threading.Thread | None = None
        uploads.wake = self._wakes.set

    def start(self) -> None:
        """Check in the background from now on."""
        self._ends.clear()
        self._thread = threading.Thread(target=self._run, name="checker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the upload that is being checked."""
        self._ends.set()
        self._wakes.set()
        if self._thread:
            self._thread.join()

    def check_all(self) -> None:
        """Check every upload that is to be checked and that no other process has; each account in its turn."""
        tried: set[str] = set()
        while not self._ends.is_set() and (id := self._next(tried)) is not None:
            tried.add(id)
            try:
                self._check(id)
                self._failed.pop(id, None)
            except HeldError:
                continue
            except (InspectionUnavailableError, ScannerAwayError, StoreError) as error:
                log.warning("upload not checked", why=type(error).__name__, said=str(error))
                self._try_later(id)
            except Exception:
                log.error("upload not checked", exc_info=True)
                self._try_later(id)

    def _next(self, tried: set[str]) -> str | None:
        """Return an upload to check next, of the account whose last turn was longest ago; None where there is none.

        Threat: an account with many files that take long to inspect would otherwise hold up those of all others.
        """
        now = time.monotonic()
        waiting = [
            id for id, _ in self._store.ages(UNCHECKED) if id not in tried and self._failed.get(id, (0, 0))[1] <= now
        ]
        self._owners = {id: self._owners.get(id) or self._owner_of(id) for id in waiting}
        self._turns = {owner: self._turns.get(owner, 0.0) for owner in self._owners.values()}
        if not waiting:
            return None
        id = min(waiting, key=lambda each: self._turns[self._owners[each]])
        self._turns[self._owners[id]] = now
        return id

    def _owner_of(self, id: str) -> str:
        facts = self._uploads.known(id)
        return facts.owner if facts else ""

    def expire(self) -> None:
        """Remove what was not attached to anything within its time, and what was discarded."""
        if self.known is None:
            return
        hours = self._uploads.limits.hours
        self._uploads.holdings.expire(GRACE_SECONDS)
        for mark, seconds in ((UNCLAIMED, hours * 3600 + GRACE_SECONDS), (DISCARDED, GRACE_SECONDS)):
            old = [id for id, age in self._store.ages(mark) if age > seconds]
            for start in range(0, len(old), AT_ONCE):
                self._remove_unless_attached(old[start : start + AT_ONCE], mark, self.known)

    def _remove_unless_attached(self, ids: list[str], mark: str, known: Known) -> None:
        attached = known(ids)
        for id in ids:
            if id in attached:
                self._store.delete(f"{mark}/{id}")
            else:
                self._remove(id)

    def _run(self) -> None:
        thread_gives_way(NICENESS)
        while not self._ends.is_set():
            self._wakes.wait(LOOK_SECONDS)
            self._wakes.clear()
            with suppress(StoreError):
                self.check_all()
            if time.monotonic() >= self._expires_at and not self._ends.is_set():
                self._expires_at = time.monotonic() + EXPIRY_SECONDS
                try:
                    self.expire()
                except Exception:
                    log.error("uploads not expired", exc_info=True)

    def _try_later(self, id: str) -> None:
        pause = min(2 * self._failed.get(id, (AGAIN_SECONDS[0] / 2, 0.0))[0], AGAIN_SECONDS[1])
        self._failed[id] = pause, time.monotonic() + pause

    def _remove(self, id: str) -> None:
        """Remove an upload, unless somebody is at it at this moment."""
        facts = self._uploads.known(id)
        with suppress(HeldError):
            try:
                with self._store.hold(f"files/{id}/write"):
                    self._uploads.remove(id)
            except MissingError:
                self._uploads.remove(id)
            if facts:
                self._uploads.holdings.release(facts.owner, id)

    def _check(self, id: str) -> None:
        try:
            with self._store.hold(f"files/{id}/check"):
                key, facts = self._uploads.headers.read(id)
                if facts.state is State.CHECKING:
                    facts = self._judge(id, key, facts)
                elif facts.scan is Scan.HELD:
                    facts = self._scan_later(id, key, facts)
                if facts.state is not State.RECEIVING:
                    self._tidy(id, key, facts)
        except MissingError:
            self._store.delete(f"{UNCHECKED}/{id}")

    def _judge(self, id: str, key: bytes, facts: Facts) -> Facts:
        """Scan and inspect what came, and keep what is to be kept."""
        came = Content(self._store, id, CAME, key)
        length, scan = facts.length or 0, facts.scan
        try:
            scan = self._scanned(came.read(0, length, length))
            if scan is Scan.INFECTED:
                return self._settle(id, key, replace(facts, state=State.REFUSED, refusal="infected", scan=scan))
            kept = self._kept(id, key, facts, came)
        except FileRefusedError as error:
            refused = replace(facts, state=State.REFUSED, refusal=error.code, parameters=error.parameters, scan=scan)
            return self._settle(id, key, refused)
        except DamagedError:
            log.error("upload damaged in the store")
            return self._settle(id, key, replace(facts, state=State.REFUSED, refusal="broken", scan=scan))
        return self._settle(id, key, replace(kept, scan=scan))

    def _kept(self, id: str, key: bytes, facts: Facts, came: Content) -> Facts:
        length = facts.length or 0
        digest, kept_digest = hashlib.sha256(), hashlib.sha256()

        def content() -> Iterator[bytes]:
            for chunk in came.read(0, length, length):
                digest.update(chunk)
                self._pace(len(chunk))
                yield chunk

        coming = content()
        # A name of its own: where this process is taken for dead, another writes at the same time.
        kept, preview = (f"{name}.{secrets.token_hex(4)}" for name in ("kept", "preview"))
        with self._inspect(coming, original=facts.original) as found:
            writing = Writing(Content(self._store, id, kept, key))
            for chunk in found.chunks():
                kept_digest.update(chunk)
                writing.add(chunk)
            writing.flush(ends=True)
            # What the inspection did not need is part of what came, too.
            for _ in coming:
                pass
            self._keep_preview(found.preview, Content(self._store, id, preview, key))
            return replace(
                facts,
                state=State.READY,
                media_type=found.kind.media_type,
                size=writing.offset,
                sha256=kept_digest.hexdigest(),
                came_sha256=digest.hexdigest(),
                cleaned=found.cleaned,
                readable=found.readable,
                kept=kept,
                preview=preview if found.preview is not None else None,
                preview_size=len(found.preview or b""),
            )

    @staticmethod
    def _keep_preview(preview: bytes | None, content: Content) -> None:
        if preview is not None:
            writing = Writing(content)
            writing.add(preview)
            writing.flush(ends=True)

    def _scanned(self, content: Iterable[bytes]) -> Scan:
        if self._scan is None:
            return Scan.NONE
        if time.monotonic() < self._scanner_away_until:
            return Scan.HELD
        try:
            return Scan.CLEAN if self._scan(content) else Scan.INFECTED
        except ScannerSilentError:
            self._scanner_away_until = time.monotonic() + SCANNER_AWAY_SECONDS
            return Scan.HELD
        except ScannerAwayError:
            return Scan.HELD

    def _scan_later(self, id: str, key: bytes, facts: Facts) -> Facts:
        """Scan what is kept, which the scanner has not seen. Raises ScannerAwayError while it is away."""
        opened = Content(self._store, id, str(facts.kept), key)
        size = facts.size or 0
        try:
            scan = self._scanned(opened.read(0, size, size))
        except (MissingError, DamagedError) as error:
            raise FileLost from error
        if scan is Scan.HELD:
            raise ScannerAwayError
        if scan is Scan.INFECTED:
            return self._settle(id, key, replace(facts, state=State.REFUSED, refusal="infected", scan=scan))
        return self._settle(id, key, replace(facts, scan=scan))

    def _settle(self, id: str, key: bytes, facts: Facts) -> Facts:
        """Store the outcome, unless another process was faster; return the facts as they stand."""
        with self._store.hold(f"files/{id}/write", patience=10):
            _, stands = self._uploads.headers.read(id)
            if stands.state is State.CHECKING or stands.scan is Scan.HELD:
                self._uploads.headers.write(id, key, facts)
                if facts.state is State.REFUSED:
                    self._uploads.holdings.release(facts.owner, id)
                return facts
            return stands

    def _tidy(self, id: str, key: bytes, facts: Facts) -> None:
        """Remove what the checked upload has no more use for."""
        wanted = {"head"} | {name for name in (facts.kept, facts.preview) if name}
        for name in self._store.sizes(f"files/{id}"):
            if name.rpartition("-")[0] not in wanted and name not in wanted:
                self._store.delete(f"files/{id}/{name}")
        if facts.scan is not Scan.HELD:
            self._store.delete(f"{UNCHECKED}/{id}")
