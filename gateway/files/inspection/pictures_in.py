"""The pictures of office documents, by their content."""

import io

from PIL import Image, UnidentifiedImageError

from gateway.files.errors import MEGAPIXELS, FileRefusedError
from gateway.files.inspection.embedded import bare_gif, bare_jpeg, bare_png
from gateway.files.inspection.metafiles import bare_emf, bare_wmf

Image.MAX_IMAGE_PIXELS = None


def bare_picture(content: bytes) -> bytes:
    """Return a picture of a document without its hidden data. Raises FileRefusedError where it cannot be cleaned."""
    try:
        return _bare(content)
    except (IndexError, ValueError, OSError, SyntaxError, UnidentifiedImageError) as error:
        raise FileRefusedError("broken") from error


def _bare(content: bytes) -> bytes:
    if content.startswith(b"\xff\xd8\xff"):
        return bare_jpeg(content)
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return bare_png(content)
    if content.startswith((b"GIF87a", b"GIF89a")):
        return bare_gif(content)
    if content.startswith((b"II*\0", b"MM\0*", b"BM")):
        return _encoded_anew(content)
    if content[40:44] == b" EMF":
        return bare_emf(content)
    if content.startswith((b"\xd7\xcd\xc6\x9a", b"\x01\0\x09\0")):
        return bare_wmf(content)
    raise FileRefusedError("embedded")


def _encoded_anew(content: bytes) -> bytes:
    picture = Image.open(io.BytesIO(content), formats=("TIFF", "BMP"))
    if picture.width * picture.height > MEGAPIXELS * 1_000_000:
        raise FileRefusedError("too-many-pixels")
    name = picture.format or "TIFF"
    picture.load()
    bare = Image.frombytes(picture.mode, picture.size, picture.tobytes())
    if picture.mode == "P":
        bare.putpalette(picture.getpalette() or [])
    written = io.BytesIO()
    bare.save(written, name)
    return written.getvalue()
