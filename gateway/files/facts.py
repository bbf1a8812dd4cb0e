"""What the gateway knows of a file; it stands in the file's header in the store, sealed."""

from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from gateway.files import sealing
from gateway.files.stores import MissingError, Store
from nkk.sop.files import Scan

HEAD = "head"


class State(StrEnum):
    """How far an upload is."""

    RECEIVING = "receiving"
    CHECKING = "checking"
    READY = "ready"
    REFUSED = "refused"


@dataclass(frozen=True)
class Facts:
    """The facts about a file; times are seconds since 1970."""

    owner: str
    name: str
    original: bool
    created: float
    length: int | None
    """How many bytes it is to have as it comes; None where that is not known before its end."""
    metadata: str = ""
    """What was said of it when it began, as it was written."""
    state: State = State.RECEIVING
    refusal: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    """The values for the refusal's sentence."""
    media_type: str | None = None
    size: int | None = None
    sha256: str | None = None
    came_sha256: str | None = None
    cleaned: bool = False
    readable: bool = True
    scan: Scan = Scan.NONE
    kept: str | None = None
    """The name of the content that is kept."""
    preview: str | None = None
    preview_size: int = 0
    discarded: float | None = None
    """When its owner discarded it, after it could be attached."""


class Headers:
    """The headers in a store, opened and sealed with the ring of NKK_FILES_KEYS."""

    def __init__(self, store: Store, ring: list[bytes]) -> None:
        self._store, self._ring = store, ring

    def read(self, id: str) -> tuple[bytes, Facts]:
        """Return a file's key and facts. Raises MissingError or DamagedError."""
        key, told = sealing.open_header(self._ring, id.encode(), self._store.get(_name(id)))
        known = {each.name for each in fields(Facts)}
        facts = Facts(**{name: value for name, value in told.items() if name in known})
        return key, replace(facts, state=State(facts.state), scan=Scan(facts.scan))

    def write(self, id: str, key: bytes, facts: Facts) -> None:
        """Store a file's header. Raises StoreFullError."""
        self._store.put(_name(id), sealing.seal_header(self._ring, id.encode(), key, asdict(facts)))

    def rotate(self, id: str) -> bool:
        """Wrap a file's key with the ring's newest, and return whether another wrapped it. The file's lock is held."""
        header = self._store.get(_name(id))
        if sealing.unwrapped(self._ring, id.encode(), header)[1] == 0:
            return False
        self.write(id, *self.read(id))
        return True

    def exists(self, id: str) -> bool:
        """Return whether there is one."""
        try:
            self._store.get(_name(id), 0, 1)
        except MissingError:
            return False
        return True


def _name(id: str) -> str:
    return f"files/{id}/{HEAD}"
