"""Photographs with position, thumbnail, maker's notes, remarks and trailing data."""

import io
import struct
import zlib

import pillow_heif
from PIL import Image, ImageCms, PngImagePlugin

from tests.corpus.hiding import hidden

TURNED = 6
"""The EXIF orientation of a picture whose top is at its left side, as telephones write it."""


def scene(width: int = 120, height: int = 80) -> Image.Image:
    """Return a picture of four colours: red, green over blue, white."""
    picture = Image.new("RGB", (width, height))
    for box, colour in (
        ((0, 0, width // 2, height // 2), "red"),
        ((width // 2, 0, width, height // 2), "lime"),
        ((0, height // 2, width // 2, height), "blue"),
        ((width // 2, height // 2, width, height), "white"),
    ):
        picture.paste(colour, box)
    return picture


def exif(orientation: int = 1) -> bytes:
    """Return EXIF data with a position, a device, an author and a maker's notes."""
    data = Image.Exif()
    data[0x0112] = orientation
    data[0x010F] = hidden("Make")
    data[0x0110] = hidden("Model")
    data[0x013B] = hidden("Artist")
    data[0x010E] = hidden("Description")
    data[0x9C9D] = hidden("XPAuthor").encode("utf-16-le")
    data.get_ifd(0x8769).update(
        {
            0x9003: "2026:03:02 08:00:00",
            0x927C: hidden("MakerNote").encode(),
            0x9286: b"ASCII\0\0\0" + hidden("UserComment").encode(),
            0xA431: hidden("Serial"),
            0xA434: hidden("Lens"),
        }
    )
    data.get_ifd(0x8825).update(
        {1: "S", 2: (6.0, 10.0, 30.0), 3: "E", 4: (106.0, 49.0, 40.0), 0x1B: b"ASCII\0\0\0" + hidden("GPS").encode()}
    )
    return data.tobytes()


def xmp(place: str) -> bytes:
    """Return an XMP packet."""
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:creator="{hidden(place)}"/></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def profile(place: str = "Profile") -> bytes:
    """Return a colour profile whose red and blue are exchanged, and whose texts name somebody."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", made[128:132])[0]
    at = {bytes(made[start : start + 4]): start for start in range(132, 132 + 12 * count, 12)}
    red, blue = made[at[b"rXYZ"] + 4 : at[b"rXYZ"] + 12], made[at[b"bXYZ"] + 4 : at[b"bXYZ"] + 12]
    made[at[b"rXYZ"] + 4 : at[b"rXYZ"] + 12], made[at[b"bXYZ"] + 4 : at[b"bXYZ"] + 12] = blue, red
    text = b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", 2 * len(hidden(place)), 28)
    text += hidden(place).encode("utf-16-be")
    for tag in (b"desc", b"cprt"):
        made[at[tag] + 4 : at[tag] + 12] = struct.pack(">II", len(made), len(text))
    made += text
    made[:4] = struct.pack(">I", len(made))
    return bytes(made)


def segment(marker: int, content: bytes) -> bytes:
    """Return a segment of a JPEG."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def jpeg(orientation: int = 1, icc: bytes | None = None) -> bytes:
    """Return a JPEG with everything that may be hidden in one."""
    written, thumbnail = io.BytesIO(), io.BytesIO()
    scene(40, 30).save(thumbnail, "JPEG", comment=hidden("Thumbnail"))
    scene().save(written, "JPEG", quality=95, exif=exif(orientation), comment=hidden("Comment"), icc_profile=icc)
    more = b"".join(
        (
            segment(0xE0, b"JFXX\0\x10" + thumbnail.getvalue()),
            segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp("XMP")),
            segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x20" + hidden("IPTC").encode().ljust(32)),
            segment(0xEC, b"Ducky" + hidden("Ducky").encode()),
            segment(0xE4, hidden("Maker").encode()),
        )
    )
    content = written.getvalue()
    return content[:20] + more + content[20:] + hidden("Trailer").encode()


def png(icc: bytes | None = None) -> bytes:
    """Return a PNG with texts, EXIF data and a chunk of somebody's program."""
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", hidden("Author"))
    texts.add_text("Packed", hidden("Packed"), zip=True)
    texts.add_itxt("XML:com.adobe.xmp", xmp("XMP").decode(), zip=True)
    texts.add(b"prVt", hidden("Private").encode())
    written = io.BytesIO()
    scene().save(written, "PNG", pnginfo=texts, exif=exif(), icc_profile=icc)
    return written.getvalue() + hidden("Trailer").encode()


def webp(orientation: int = 1) -> bytes:
    """Return a WebP with EXIF and XMP data."""
    written = io.BytesIO()
    scene().save(written, "WEBP", lossless=True, exif=exif(orientation), xmp=xmp("XMP"))
    return written.getvalue()


def gif() -> bytes:
    """Return a GIF with a remark, as documents embed it."""
    written = io.BytesIO()
    scene().save(written, "GIF", comment=hidden("Comment").encode())
    return written.getvalue()


def png_of_size(width: int, height: int) -> bytes:
    """Return a PNG of one colour, which is small whatever its size."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    # All rows are the same zeros: one is packed so that it can be repeated, and Adler-32 of zeros is their number.
    packer, row = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS), bytes(1 + width)
    packed = packer.compress(row) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = struct.pack(">HH", len(row) * height % 65_521, 1)
    pixels = b"\x78\xda" + packed * height + packer.flush() + checksum
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def heic(orientation: int = 1) -> bytes:
    """Return a HEIC with EXIF and XMP data, as telephones make it."""
    written = io.BytesIO()
    pillow_heif.from_pillow(scene(128, 96)).save(written, exif=exif(orientation), xmp=xmp("XMP"), quality=90)
    return written.getvalue()
