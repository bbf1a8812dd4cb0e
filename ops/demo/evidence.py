"""The files that the demonstration makes and attaches: a photograph with hidden data, and a note."""

import io
import time
from collections.abc import Iterator

from PIL import Image, ImageDraw

from ops.demo.visitor import Declined, Visitor

EVERY = 6
"""Each sixth report has evidence."""

READY_SECONDS = 60.0
LOOK_SECONDS = 0.2

_MAKER, _MODEL, _ARTIST, _TAKEN_AT = 0x010F, 0x0110, 0x013B, 0x0132


def photograph(subject: str) -> bytes:
    """Return a drawn photograph of a notice, with the hidden data of a telephone's camera."""
    picture = Image.new("RGB", (1200, 800), (206, 214, 210))
    drawing = ImageDraw.Draw(picture)
    drawing.rectangle((150, 150, 1050, 650), fill=(250, 249, 244), outline=(40, 60, 70), width=8)
    drawing.multiline_text((200, 300), f"FOTO PERAGAAN\n\n{subject[:60]}", fill=(30, 40, 50), spacing=16)
    hidden = Image.Exif()
    hidden[_MAKER], hidden[_MODEL], hidden[_ARTIST] = "Kamera Contoh", "Ponsel Peragaan", "Pemilik Ponsel"
    hidden[_TAKEN_AT] = "2026:03:02 08:00:00"
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=80, exif=hidden)
    return file.getvalue()


def note(subject: str) -> bytes:
    """Return a note as a text file."""
    return f"Catatan peragaan\n\n{subject}\nDicatat di tempat, dengan jam dan nama loket.\n".encode()


def attached(reporter: Visitor, subject: str) -> list[str]:
    """Upload a photograph and a note, and return their ids once they are checked. Raises Declined."""
    files = {"foto-loket.jpg": photograph(subject), "catatan.txt": note(subject)}
    return list(_ready(reporter, [reporter.upload(name, content) for name, content in files.items()]))


def _ready(reporter: Visitor, ids: list[str]) -> Iterator[str]:
    until = time.monotonic() + READY_SECONDS
    for id_ in ids:
        while (state := reporter.get(f"/uploads/{id_}")["state"]) != "ready":
            if state == "refused" or time.monotonic() > until:
                raise Declined(0, f"berkas peragaan tidak diterima: {state}")
            time.sleep(LOOK_SECONDS)
        yield id_
