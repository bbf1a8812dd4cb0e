"""The files of an installation as a whole: their keys wrapped anew, and the store compared with the stages."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.files.content import Content
from gateway.files.facts import Facts, Headers, State
from gateway.files.sealing import DamagedError
from gateway.files.stores import HeldError, MissingError, Store
from nkk.sop.files import Scan

STAGES = ("intake", "opd_response", "notification")
"""The stages that attach files."""

PATIENCE_SECONDS = 20

Attached = Callable[[str, str], list[str]]
"""Returns some ids behind the one that is given, of what a stage has attached, in order; none at the end."""


@dataclass(frozen=True)
class Fault:
    """A file that is not as it should be: `missing`, `changed`, `infected` or `unattached`."""

    file: str
    fault: str
    stage: str | None = None


class Files:
    """The files in a store, opened with the ring of NKK_FILES_KEYS."""

    def __init__(self, store: Store, ring: list[bytes]) -> None:
        self._store, self._headers = store, Headers(store, ring)

    def rotate(self, told: Callable[[str, str], None]) -> tuple[int, int]:
        """Wrap every file's key with the ring's newest; return how many were, and how many were not.

        `told` is called with the id and the reason of one that was not.
        """
        done = failed = 0
        for id, _ in self._store.ages("files"):
            try:
                with self._store.hold(f"files/{id}/write", PATIENCE_SECONDS):
                    done += self._headers.rotate(id)
            except MissingError:
                continue
            except HeldError:
                failed += 1
                told(id, "bytes of it arrive just now; try again later")
            except DamagedError:
                failed += 1
                told(id, "its header cannot be opened with any key of NKK_FILES_KEYS")
        return done, failed

    def check(self, attached: Attached, hours: float) -> Iterator[Fault]:
        """Yield what is missing, changed or infected, and what nothing has attached within `hours`.

        What is attached while it is compared is younger than that.
        """
        known: set[str] = set()
        for stage in STAGES:
            last = ""
            while ids := attached(stage, last):
                last = ids[-1]
                for id in ids:
                    known.add(id)
                    if fault := self._fault(id):
                        yield Fault(id, fault, stage)
        for id, age in self._store.ages("files"):
            if id not in known and age > hours * 3600:
                yield Fault(id, "unattached")

    def _fault(self, id: str) -> str | None:
        try:
            key, facts = self._headers.read(id)
            if facts.scan is Scan.INFECTED:
                return "infected"
            return None if facts.state is State.READY and self._is_whole(id, key, facts) else "changed"
        except MissingError:
            return "missing"
        except DamagedError:
            return "changed"

    def _is_whole(self, id: str, key: bytes, facts: Facts) -> bool:
        digest, size = hashlib.sha256(), facts.size or 0
        for chunk in Content(self._store, id, str(facts.kept), key).read(0, size, size):
            digest.update(chunk)
        if facts.preview:
            Content(self._store, id, facts.preview, key).all_of(facts.preview_size)
        return digest.hexdigest() == facts.sha256
