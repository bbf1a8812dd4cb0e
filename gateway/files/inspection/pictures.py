"""Pictures, decoded and encoded anew: upright, in the colours of sRGB, and without anything beside the pixels."""

import io
from contextlib import suppress
from typing import Any, BinaryIO

import pi_heif
from PIL import Image, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError

from gateway.files.errors import MEGAPIXELS, FileRefusedError
from gateway.files.inspection.kept import Kept
from gateway.files.inspection.memory import memory_file
from gateway.files.kinds import HEIC, JPEG, PNG, WEBP, Kind

PREVIEW_SIDE, PREVIEW_BYTES = 1024, 200_000
"""The longest side of a preview in pixels, and its largest size."""

_FORMATS = {JPEG: ("JPEG",), PNG: ("PNG",), WEBP: ("WEBP",), HEIC: ("HEIF",)}
_WRITTEN: dict[Kind, tuple[str, dict[str, Any]]] = {
    JPEG: ("JPEG", {"quality": 92, "subsampling": 1}),
    PNG: ("PNG", {"compress_level": 4}),
    WEBP: ("WEBP", {"quality": 90, "method": 2}),
}
_PLAIN_MODES = {"L", "RGB", "RGBA", "LA", "P", "1", "I;16"}

# We check the size ourselves, and refuse.
Image.MAX_IMAGE_PIXELS = None
# Programs write long texts beside the pixels. They are left out, and are no reason to refuse a picture.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = 128 << 20
pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def keep(file: BinaryIO, kind: Kind, original: bool) -> Kept:
    """Return the picture in `file`, cleaned unless `original`. A HEIC becomes a JPEG, which every browser shows."""
    picture = decoded(file, kind)
    preview = preview_of(picture)
    if original:
        return Kept(kind, file, cleaned=False, preview=preview)
    kind = JPEG if kind is HEIC else kind
    kept = memory_file()
    name, options = _WRITTEN[kind]
    try:
        bare(picture, name).save(kept, name, **options)
    except (OSError, ValueError) as error:
        # It could be decoded; to encode it, memory is at its limit.
        raise FileRefusedError("too-complex") from error
    return Kept(kind, kept, cleaned=True, preview=preview)


def decoded(file: BinaryIO, kind: Kind) -> Image.Image:
    """Return the whole picture, upright and in the colours of sRGB."""
    try:
        picture = Image.open(file, formats=_FORMATS[kind])
        if picture.width * picture.height > MEGAPIXELS * 1_000_000:
            raise FileRefusedError("too-many-pixels")
        if kind in (PNG, WEBP) and getattr(picture, "n_frames", 1) > 1:
            raise FileRefusedError("moving-picture")
        picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise FileRefusedError("broken") from error
    ImageOps.exif_transpose(picture, in_place=True)
    return _in_srgb(picture)


def bare(picture: Image.Image, name: str) -> Image.Image:
    """Return `picture` without what Pillow would write beside the pixels, in a mode that the format `name` has."""
    if name == "JPEG" and picture.mode not in ("L", "RGB"):
        picture = on_white(picture)
    elif picture.mode not in _PLAIN_MODES:
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    transparency = picture.info.get("transparency")
    picture.info = {} if transparency is None or name == "JPEG" else {"transparency": transparency}
    return picture


def on_white(picture: Image.Image) -> Image.Image:
    """Return `picture` in RGB; what is transparent becomes white."""
    if picture.mode == "I;16":
        return picture.point(lambda value: value / 256).convert("L").convert("RGB")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    picture = picture.convert("RGBA")
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture.getchannel("A"))
    return white


def preview_of(picture: Image.Image) -> bytes:
    """Return `picture` as a small JPEG."""
    small = picture.copy() if picture.mode in ("L", "RGB") else on_white(picture)
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), reducing_gap=2.0)
    small = bare(small, "JPEG")
    for quality in (80, 65, 50, 35, 20):
        written = io.BytesIO()
        small.save(written, "JPEG", quality=quality)
        if written.tell() <= PREVIEW_BYTES:
            break
    return written.getvalue()


def _in_srgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    if not profile:
        return picture
    if picture.mode in ("P", "PA", "LA"):
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    target = "RGBA" if picture.mode == "RGBA" else "RGB"
    # A profile that cannot be used leaves the colours as they are.
    with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return picture
        in_place = picture.mode == target
        turned = ImageCms.profileToProfile(
            picture, source, ImageCms.createProfile("sRGB"), outputMode=target, inPlace=in_place
        )
        return turned or picture
    return picture
