"""Files in memory, which libraries and programs open by a path while nothing of them is on a disk."""

import os
from typing import BinaryIO


def memory_file(content: bytes = b"") -> BinaryIO:
    """Return a new file in memory with `content`, at its beginning."""
    file = os.fdopen(os.memfd_create("file", 0), "w+b")
    file.write(content)
    file.seek(0)
    return file


def path_of(file: BinaryIO) -> str:
    """Return a path by which this process, and the programs it passes the file to, open it."""
    file.flush()
    return f"/proc/self/fd/{file.fileno()}"
