"""What each account has in the store that is attached to nothing: a limit, since a disk has one.

An account's list lies in the store, sealed, under a keyed hash: the store shows neither whose it is nor which uploads.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from gateway.files.refusals import UploadInUse, UploadsFull
from gateway.files.sealing import SEGMENT, DamagedError, new_key, open_header, seal_header
from gateway.files.stores import HeldError, MissingError, Store, StoreError

FOLDER = "held"
AT_ONCE = 200
"""How many ids are asked about at once."""

PATIENCE_SECONDS, TRIES = 3, 5
WEBSITE, WEBSITES_SHARE = "website:", 10
"""How many times as much a website's server may have, which sends for all its visitors."""

MB = 1_000_000
Known = Callable[[list[str]], set[str]]
Listed = dict[str, tuple[int, float]]
"""The bytes of each upload and when it was begun (seconds since 1970), by its id."""


class Holdings:
    """The lists of all accounts. Each upload counts as a segment at least."""

    def __init__(self, store: Store, ring: list[bytes], most: int, hours: int, clock: Callable[[], float]) -> None:
        self._store, self._ring, self._most = store, ring, most
        self._seconds, self._clock = hours * 3600, clock
        self.attached: Known = lambda _ids: set()
        """Returns which uploads are attached, and no more counted. Raises anything where that is not known."""

    def take(self, owner: str, id: str, length: int) -> None:
        """Count a new upload as `owner`'s. Raises UploadsFull where they would have too much, and UploadInUse."""
        most = self._most * (WEBSITES_SHARE if owner.startswith(WEBSITE) else 1)
        with self._changed(owner) as listed:
            taken = max(length, SEGMENT)
            if _sum(listed) + taken > most:
                for attached in self._attached(list(listed)):
                    listed.pop(attached, None)
            if _sum(listed) + taken > most:
                raise UploadsFull({"most": most // MB})
            listed[id] = taken, self._clock()

    def correct(self, owner: str, id: str, length: int) -> None:
        """Count an upload whose length is known now."""
        with suppress(UploadInUse, StoreError), self._changed(owner) as listed:
            if id in listed:
                listed[id] = max(length, SEGMENT), listed[id][1]

    def release(self, owner: str, id: str) -> None:
        """Count an upload no more: it was removed."""
        with suppress(UploadInUse, StoreError), self._changed(owner) as listed:
            listed.pop(id, None)

    def lapse(self, owner: str, id: str, seconds: float) -> None:
        """Count an upload for `seconds` more: it was discarded, and is removed then."""
        with suppress(UploadInUse, StoreError), self._changed(owner) as listed:
            if id in listed:
                listed[id] = listed[id][0], self._clock() - self._seconds + seconds

    def expire(self, grace: float) -> None:
        """Remove the lists of accounts that have begun nothing for as long as an upload is kept."""
        for name, age in list(self._store.ages(FOLDER)):
            if age > self._seconds + grace:
                self._store.delete_all(f"{FOLDER}/{name}")

    def _attached(self, ids: Sequence[str]) -> Iterator[str]:
        for start in range(0, len(ids), AT_ONCE):
            yield from self.attached(list(ids[start : start + AT_ONCE]))

    @contextmanager
    def _changed(self, owner: str) -> Iterator[Listed]:
        """Give an account's list to be changed, and store it, also where that was refused."""
        folder = f"{FOLDER}/{hashlib.blake2b(owner.encode(), key=self._ring[0], digest_size=16).hexdigest()}"
        name = f"{folder}/list"
        with ExitStack() as held:
            self._hold(folder, held)
            found = self._read(name)
            before = dict(found)
            try:
                yield found
            finally:
                if not found:
                    self._store.delete_all(folder)
                elif found != before:
                    self._store.put(name, seal_header(self._ring, name.encode(), new_key(), found))

    def _hold(self, folder: str, held: ExitStack) -> None:
        """Hold an account's list until the end of `held`. Raises UploadInUse."""
        for _ in range(TRIES):
            try:
                held.enter_context(self._store.hold(f"{folder}/lock", PATIENCE_SECONDS))
                return
            except MissingError:
                # The account has none, or its last upload was removed at this moment.
                self._store.put(f"{folder}/list", b"")
            except HeldError as error:
                raise UploadInUse from error
        raise UploadInUse

    def _read(self, name: str) -> Listed:
        try:
            listed = open_header(self._ring, name.encode(), self._store.get(name))[1]
        except (MissingError, DamagedError):
            return {}
        since = self._clock() - self._seconds
        return {id: (length, begun) for id, (length, begun) in listed.items() if begun > since}


def _sum(listed: Listed) -> int:
    return sum(length for length, _ in listed.values())
