"""What an inspection comes to."""

from dataclasses import dataclass
from typing import BinaryIO

from gateway.files.kinds import Kind


@dataclass(frozen=True)
class Kept:
    """A file as it is kept. `readable` is False where it is encrypted; `cleaned` is False where it is as it came."""

    kind: Kind
    file: BinaryIO
    cleaned: bool
    readable: bool = True
    preview: bytes | None = None
