"""Files passed through the inspection in one go."""

from dataclasses import dataclass

import pytest

from gateway.files.errors import FileRefusedError
from gateway.files.inspection import inspect
from gateway.files.kinds import Kind


@dataclass(frozen=True)
class Result:
    """What an inspection came to, with the whole file."""

    kind: Kind
    cleaned: bool
    readable: bool
    preview: bytes | None
    content: bytes


def inspected(content: bytes, original: bool = False, seconds: float = 60) -> Result:
    """Return what is kept of `content`."""
    parts = (content[at : at + 50_000] for at in range(0, len(content), 50_000))
    with inspect(parts, original=original, seconds=seconds) as found:
        kept = b"".join(found.chunks())
        assert len(kept) == found.size
        return Result(found.kind, found.cleaned, found.readable, found.preview, kept)


def refusal(content: bytes, original: bool = False, seconds: float = 60) -> str:
    """Return the code by which `content` is refused."""
    with pytest.raises(FileRefusedError) as refused:
        inspected(content, original, seconds)
    return refused.value.code
