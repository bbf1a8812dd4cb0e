"""The preview of a PDF's first page, made in a process of its own: where that fails, the file has none."""

import os
import resource
from typing import BinaryIO

from gateway.files.inspection.memory import memory_file, path_of

SECONDS = 15


def first_page(file: BinaryIO) -> bytes | None:
    """Return the first page of the PDF in `file` as a small JPEG, or None."""
    drawn = memory_file()
    process = os.fork()
    if process == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
            drawn.write(_draw(path_of(file)))
            drawn.flush()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(process, 0)
    drawn.seek(0)
    return (drawn.read() or None) if status == 0 else None


def _draw(path: str) -> bytes:
    import pypdfium2

    from gateway.files.inspection.pictures import PREVIEW_SIDE, preview_of

    with open(path, "rb") as file, pypdfium2.PdfDocument(file.read()) as document:
        page = document[0]
        longest = max(page.get_size())
        picture = page.render(scale=min(4.0, PREVIEW_SIDE / max(longest, 1.0))).to_pil()
    return preview_of(picture)
