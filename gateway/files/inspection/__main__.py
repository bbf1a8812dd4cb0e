"""The child process that inspects a file: it reads it from standard input and writes what is kept to standard output.

Its arguments are its time in seconds, and `clean` or `original`. The answer is the length of a header, the header as
JSON, the preview and the file. A refusal is a header alone. Nothing else is written anywhere, since it could quote the
file.
"""

import json
import os
import sys
from typing import Any, BinaryIO

from gateway.children import limit
from gateway.files.errors import FileRefusedError
from gateway.files.inspection.confining import confine
from gateway.files.inspection.kept import Kept
from gateway.files.inspection.memory import memory_file

MEMORY = 3 << 29
"""The limit of the address space, in bytes. The largest WebP with transparency needs nearly all of it."""

CHUNK = 1 << 20


def _received(stream: BinaryIO) -> BinaryIO:
    file = memory_file()
    while chunk := stream.read(CHUNK):
        file.write(chunk)
    file.seek(0)
    return file


def _say(header: dict[str, Any], *parts: bytes) -> None:
    written = json.dumps(header).encode()
    for part in (len(written).to_bytes(4, "big"), written, *parts):
        sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()


def _tell(kept: Kept) -> None:
    size = kept.file.seek(0, os.SEEK_END)
    preview = kept.preview or b""
    header = {
        "kind": kept.kind.media_type,
        "cleaned": kept.cleaned,
        "readable": kept.readable,
        "size": size,
        "preview": len(preview),
    }
    _say(header, preview)
    kept.file.seek(0)
    while chunk := kept.file.read(CHUNK):
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def main() -> None:
    """Answer for the file on standard input."""
    limit(float(sys.argv[1]), MEMORY)
    confine()
    from gateway.files.inspection import cleaning

    try:
        kept = cleaning.keep(_received(sys.stdin.buffer), original=sys.argv[2] == "original")
    except FileRefusedError as error:
        _say({"refused": error.code})
    except (MemoryError, RecursionError):
        _say({"refused": "too-complex"})
    except ImportError:
        # Ours to mend: the file is tried again.
        os._exit(1)
    except Exception:  # noqa: BLE001 - whatever a broken file makes a library raise
        _say({"refused": "broken"})
    else:
        _tell(kept)


if __name__ == "__main__":
    main()
    # Exits directly, because cleaning up costs time and nothing needs it.
    os._exit(0)
