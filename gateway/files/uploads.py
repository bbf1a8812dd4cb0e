"""Uploads: begun, sent in as many goes as it takes, checked, and attached or removed after a day.

Their state and locks lie in the store, so that any process of the gateway, on any machine, goes on with them.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from flask import current_app, g

from gateway.files.arriving import pieces
from gateway.files.content import Content, Writing
from gateway.files.facts import Facts, Headers, State
from gateway.files.holdings import Holdings
from gateway.files.refusals import (
    FileHeldBack,
    FileLost,
    FilesTooLong,
    TooManyFiles,
    UnknownUpload,
    UploadAttached,
    UploadInUse,
    UploadNotReady,
    UploadOverrun,
    UploadRefused,
    UploadTooLong,
    WrongOffset,
)
from gateway.files.sealing import DamagedError, new_key
from gateway.files.stores import HeldError, Lock, MissingError, Store, StoreError, StoreFullError
from nkk.sop.files import Scan

ID = re.compile(r"[A-Za-z0-9_-]{22}")
MB = 1_000_000
NAME = 255
"""The longest name that is kept of a file, in characters."""

Known = Callable[[list[str]], set[str]]
"""Returns which of these ids are attached to something. Raises anything where that is not known."""

CAME = "came"
UNCLAIMED, UNCHECKED, DISCARDED = "unclaimed", "unchecked", "discarded"
"""The marks of uploads that may expire, of those to be checked or scanned, and of those that their owner discarded."""

GRACE_SECONDS = 900.0
"""How much later an upload is removed than it can be attached, so that one that is being attached is not removed."""

FLUSH_SECONDS = 5
"""How much time of a slow upload is lost at most where the gateway ends suddenly."""

PATIENCE_SECONDS = 3
"""How long a request waits for another that sends the same upload and may have stalled."""


@dataclass(frozen=True)
class Limits:
    """How much is taken."""

    file_bytes: int = 25 * MB
    files_bytes: int = 100 * MB
    files: int = 10
    hours: int = 24
    unattached_bytes: int = 300 * MB
    """The most of one account's uploads that are attached to nothing."""
    spare_bytes: int = 0
    """How much room uploads leave in the store, where it is known how much that has."""


@dataclass(frozen=True)
class Upload:
    """An upload as its owner sees it."""

    id: str
    state: State
    offset: int
    length: int | None
    name: str
    original: bool
    expires: float
    """Seconds since 1970."""
    refusal: str | None = None
    parameters: dict[str, Any] | None = None
    media_type: str | None = None
    size: int | None = None
    sha256: str | None = None
    came_size: int | None = None
    came_sha256: str | None = None
    cleaned: bool = False
    readable: bool = True
    scan: Scan = Scan.NONE
    previewed: bool = False
    metadata: str = ""


@dataclass(frozen=True)
class Opened:
    """A file to be read."""

    media_type: str
    size: int
    sha256: str
    scan: Scan
    content: Content

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from `start` to before `stop`. Raises FileLost where they are not what was stored."""
        try:
            yield from self.content.read(start, self.size if stop is None else min(stop, self.size), self.size)
        except (MissingError, DamagedError) as error:
            raise FileLost from error


class Uploads:
    """The uploads and files in a store. Every method raises StoreError where the store is away or full.

    `wake` is called where there is something to check, and `pace` with the number of bytes that were received, before
    more are.
    """

    def __init__(
        self,
        store: Store,
        ring: Sequence[bytes],
        limits: Limits | None = None,
        wake: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
        pace: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.store, self.limits, self.wake, self.clock = store, limits or Limits(), wake, clock
        self._pace = pace
        self.headers = Headers(store, list(ring))
        most = max(self.limits.unattached_bytes, self.limits.files_bytes)
        self.holdings = Holdings(store, list(ring), most, self.limits.hours, clock)

    # -- uploading

    def create(self, owner: str, length: int | None, name: str, original: bool = False, metadata: str = "") -> str:
        """Begin an upload of `length` bytes and return its id. Raises UploadTooLong, UploadsFull or StoreFullError."""
        if length is not None and length > self.limits.file_bytes:
            raise UploadTooLong({"most": self.limits.file_bytes // MB})
        most = self.limits.file_bytes if length is None else length
        self._leave_room(most)
        id = secrets.token_urlsafe(16)
        self.holdings.take(owner, id, most)
        try:
            self.store.put(f"{UNCLAIMED}/{id}", b"")
            facts = Facts(owner, _plain(name), original, self.clock(), length, metadata)
            self.headers.write(id, new_key(), facts)
        except StoreError:
            self.holdings.release(owner, id)
            raise
        if length == 0:
            self._complete(id)
        return id

    def write(self, owner: str, id: str, offset: int, stream: Any, length: int | None = None) -> int:
        """Add the bytes of `stream` from `offset` on, and return where the upload stands then.

        What came of a stream that breaks off is stored too. `length` is that of the stream, where it is known. Raises
        UnknownUpload, WrongOffset, UploadOverrun or UploadInUse.
        """
        self._owned(owner, id)
        with self._held(id, PATIENCE_SECONDS) as lock:
            key, facts = self._owned(owner, id)
            stands = self._offset(id, key, facts)
            if offset != stands:
                raise WrongOffset({"offset": stands})
            if facts.state is not State.RECEIVING:
                if length:
                    raise UploadOverrun
                return stands
            room = self._room(facts)
            if length is not None and offset + length > room:
                raise _overrun(facts, self.limits)
            self._leave_room(length or 0)
            writing = Writing(self._content(id, CAME, key), offset, facts.length)
            self._receive(writing, stream, room, facts, lock)
            if writing.offset == facts.length:
                self._complete(id)
            return writing.offset

    def finish(self, owner: str, id: str) -> None:
        """Say that an upload whose length was not known has come to its end."""
        self._owned(owner, id)
        with self._held(id, PATIENCE_SECONDS):
            key, facts = self._owned(owner, id)
            stands = self._offset(id, key, facts)
            # Stored again, because its last chunk is marked as the last.
            Writing(self._content(id, CAME, key), stands, None).flush(ends=True)
            self.headers.write(id, key, replace(facts, length=stands))
            self._complete(id)
        self.holdings.correct(owner, id, stands)

    def state(self, owner: str, id: str) -> Upload:
        """Return an upload as it stands. Raises UnknownUpload."""
        key, facts = self._owned(owner, id)
        offset = self._offset(id, key, facts)
        if facts.state is State.RECEIVING and offset == facts.length:
            # The process that had the last byte ended before it could say so.
            with suppress(UploadInUse), self._held(id):
                facts = self._complete(id)
        return self._upload(id, facts, offset)

    def ready(self, owner: str, ids: Sequence[str]) -> list[Upload]:
        """Return uploads that may be attached together.

        Raises UnknownUpload, UploadNotReady, UploadRefused, TooManyFiles or FilesTooLong.
        """
        if len(ids) > self.limits.files:
            raise TooManyFiles({"most": self.limits.files})
        found = [self.state(owner, id) for id in dict.fromkeys(ids)]
        for upload in found:
            if upload.state is State.REFUSED:
                raise UploadRefused({"id": upload.id, "refusal": upload.refusal})
            if upload.state is not State.READY:
                is_checked = upload.state is State.CHECKING
                raise UploadNotReady({"id": upload.id}, "upload-being-checked" if is_checked else None)
        if sum(upload.came_size or 0 for upload in found) > self.limits.files_bytes:
            raise FilesTooLong({"most": self.limits.files_bytes // MB})
        return found

    def discard(self, owner: str, id: str, attached: Known) -> None:
        """Discard an upload, unless it is attached, which `attached` says. Raises UnknownUpload or UploadInUse.

        One that could be attached is not there any more for its owner, and is removed some minutes later: a report may
        be attaching it at this moment. Raises UploadAttached.
        """
        self._owned(owner, id)
        with self._held(id, PATIENCE_SECONDS):
            key, facts = self._owned(owner, id)
            if facts.kept is None:
                self.drop(owner, id)
                return
            if id in attached([id]):
                raise UploadAttached
            self.store.put(f"{DISCARDED}/{id}", b"")
            self.headers.write(id, key, replace(facts, discarded=self.clock()))
        self.holdings.lapse(owner, id, GRACE_SECONDS)

    def drop(self, owner: str, id: str) -> None:
        """Remove all of an upload that cannot be attached."""
        self.remove(id)
        self.holdings.release(owner, id)

    def remove(self, id: str) -> None:
        """Remove all of an upload."""
        self.store.delete_all(f"files/{id}")
        self.store.delete(f"{UNCHECKED}/{id}")
        self.store.delete(f"{UNCLAIMED}/{id}")
        self.store.delete(f"{DISCARDED}/{id}")

    # -- opening

    def open(self, id: str) -> Opened:
        """Return a file to be read. Raises FileLost where it is not there, and FileHeldBack until it may be opened."""
        key, facts = self._of_file(id)
        return Opened(
            str(facts.media_type),
            facts.size or 0,
            str(facts.sha256),
            facts.scan,
            self._content(id, str(facts.kept), key),
        )

    def preview(self, id: str) -> bytes | None:
        """Return a file's preview, a JPEG, where it has one. Raises as `open` does."""
        key, facts = self._of_file(id)
        if facts.preview is None:
            return None
        try:
            return self._content(id, facts.preview, key).all_of(facts.preview_size)
        except (MissingError, DamagedError) as error:
            raise FileLost from error

    def known(self, id: str) -> Facts | None:
        """Return what is known of a file; None where it is not there."""
        try:
            return self.headers.read(id)[1]
        except (MissingError, DamagedError):
            return None

    # -- within

    def _of_file(self, id: str) -> tuple[bytes, Facts]:
        try:
            key, facts = self.headers.read(id)
        except (MissingError, DamagedError) as error:
            raise FileLost from error
        if facts.scan is Scan.INFECTED:
            raise FileHeldBack({}, "file-infected")
        if facts.scan is Scan.HELD:
            raise FileHeldBack
        if facts.state is not State.READY:
            raise FileLost
        return key, facts

    def _leave_room(self, length: int) -> None:
        """Raise StoreFullError where `length` bytes more would take the room that uploads leave."""
        spare = self.store.spare() if self.limits.spare_bytes else None
        if spare is not None and spare - length < self.limits.spare_bytes:
            raise StoreFullError("uploads leave the rest")

    def _owned(self, owner: str, id: str) -> tuple[bytes, Facts]:
        if not ID.fullmatch(id):
            raise UnknownUpload
        try:
            key, facts = self.headers.read(id)
        except (MissingError, DamagedError) as error:
            raise UnknownUpload from error
        if facts.owner != owner or facts.discarded is not None or self.clock() > self._expires(facts):
            raise UnknownUpload
        return key, facts

    def _offset(self, id: str, key: bytes, facts: Facts) -> int:
        return self._content(id, CAME, key).stored() if facts.state is State.RECEIVING else facts.length or 0

    def _content(self, id: str, name: str, key: bytes) -> Content:
        return Content(self.store, id, name, key)

    def _expires(self, facts: Facts) -> float:
        return facts.created + self.limits.hours * 3600

    def _room(self, facts: Facts) -> int:
        return self.limits.file_bytes if facts.length is None else facts.length

    @contextmanager
    def _held(self, id: str, patience: float = 0) -> Iterator[Lock]:
        try:
            with self.store.hold(f"files/{id}/write", patience) as lock:
                yield lock
        except HeldError as error:
            raise UploadInUse from error
        except MissingError as error:
            raise UnknownUpload from error

    def _receive(self, writing: Writing, stream: Any, room: int, facts: Facts, lock: Lock) -> None:
        flushed_at = time.monotonic()
        try:
            for piece in pieces(stream):
                if writing.offset + len(piece) > room:
                    raise _overrun(facts, self.limits)
                writing.add(piece)
                self._pace(len(piece))
                if not piece or time.monotonic() > flushed_at + FLUSH_SECONDS:
                    writing.flush()
                    flushed_at = time.monotonic()
                    if lock.is_wanted() and not piece:
                        # The line has probably broken unnoticed, and its owner goes on by another.
                        raise UploadInUse
        finally:
            writing.flush()

    def _complete(self, id: str) -> Facts:
        """Hand the upload, whose lock is held, on to be checked."""
        key, facts = self.headers.read(id)
        if facts.state is State.RECEIVING:
            self.store.put(f"{UNCHECKED}/{id}", b"")
            facts = replace(facts, state=State.CHECKING)
            self.headers.write(id, key, facts)
        self.wake()
        return facts

    def _upload(self, id: str, facts: Facts, offset: int) -> Upload:
        is_whole = facts.state is not State.RECEIVING
        return Upload(
            id,
            facts.state,
            offset,
            facts.length,
            facts.name,
            facts.original,
            self._expires(facts),
            facts.refusal,
            facts.parameters,
            facts.media_type,
            facts.size,
            facts.sha256,
            facts.length if is_whole else None,
            facts.came_sha256,
            facts.cleaned,
            facts.readable,
            facts.scan,
            facts.preview is not None,
            facts.metadata,
        )


def uploads() -> Uploads:
    """Return the uploads of the current application."""
    found: Uploads = current_app.extensions["uploads"]
    return found


def owner() -> str:
    """Return the owner of what the caller uploads."""
    return f"{g.actor.role}:{g.actor.id}"


def _overrun(facts: Facts, limits: Limits) -> UploadOverrun | UploadTooLong:
    return UploadOverrun() if facts.length is not None else UploadTooLong({"most": limits.file_bytes // MB})


def _plain(name: str) -> str:
    """Return the last part of a file's name, without characters that are not shown or turn the writing round."""
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join(letter for letter in last if letter.isprintable()).strip(" .")
    return shown[:NAME]
