"""Pictures come out upright, in the colours of sRGB, and with nothing beside their pixels."""

import io

import pytest
from PIL import Image, PngImagePlugin

from gateway.files.kinds import JPEG, PNG, WEBP
from tests.corpus import pictures
from tests.corpus.hiding import hidden_in
from tests.unit.gateway.files.inspecting import inspected, refusal

RED, LIME, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
MADE = {
    "jpeg": (pictures.jpeg(), JPEG),
    "png": (pictures.png(), PNG),
    "webp": (pictures.webp(), WEBP),
    "heic": (pictures.heic(), JPEG),
}


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def corners(picture: Image.Image) -> list[tuple[int, int, int]]:
    """Return the colours near the four corners, row by row, each rounded to what a lossy picture meant."""
    across, down = picture.width // 8, picture.height // 8
    places = [(x, y) for y in (down, picture.height - down) for x in (across, picture.width - across)]
    return [tuple(255 * round(value / 255) for value in picture.convert("RGB").getpixel(place)) for place in places]


@pytest.mark.parametrize("name", MADE)
def test_nothing_hidden_comes_out_and_the_picture_is_the_same(name: str) -> None:
    content, kind = MADE[name]
    assert len(hidden_in(content)) > 8
    kept = inspected(content)
    assert (kept.kind, kept.cleaned, kept.readable) == (kind, True, True)
    assert hidden_in(kept.content) == hidden_in(kept.preview) == set()
    picture = opened(kept.content)
    assert corners(picture) == [RED, LIME, BLUE, WHITE]
    assert not picture.getexif()
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"} | {
        *("loop", "background", "timestamp", "duration")
    }


@pytest.mark.parametrize("made", [pictures.jpeg, pictures.webp, pictures.heic])
def test_a_picture_is_turned_as_its_camera_was_held(made) -> None:
    kept = inspected(made(pictures.TURNED))
    picture = opened(kept.content)
    assert picture.width < picture.height
    assert corners(picture) == corners(opened(kept.preview)) == [BLUE, RED, WHITE, LIME]


@pytest.mark.parametrize(
    "made", [pictures.png(pictures.profile()), pictures.jpeg(icc=pictures.profile())], ids=["png", "jpeg"]
)
def test_the_colours_of_a_profile_become_those_of_srgb(made: bytes) -> None:
    kept = inspected(made)
    picture = opened(kept.content)
    assert "icc_profile" not in picture.info
    assert corners(picture) == corners(opened(kept.preview)) == [BLUE, LIME, RED, WHITE]


def test_a_broken_profile_leaves_the_colours_as_they_are() -> None:
    kept = inspected(pictures.png(pictures.profile()[:140]))
    assert corners(opened(kept.content)) == [RED, LIME, BLUE, WHITE]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_a_picture_of_any_sort_of_colours_comes_out(mode: str) -> None:
    written = io.BytesIO()
    picture = (
        pictures.scene().convert("L").convert("I").convert("I;16") if mode == "I;16" else pictures.scene().convert(mode)
    )
    picture.save(written, "JPEG" if mode == "CMYK" else "PNG")
    kept = inspected(written.getvalue())
    assert opened(kept.content).size == picture.size
    assert opened(kept.preview).mode in ("L", "RGB")


def test_what_is_transparent_stays_so_and_is_white_in_the_preview() -> None:
    written = io.BytesIO()
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(written, "PNG")
    kept = inspected(written.getvalue())
    assert opened(kept.content).getpixel((5, 5)) == (0, 0, 0, 0)
    assert opened(kept.preview).convert("RGB").getpixel((5, 5)) == WHITE


@pytest.mark.parametrize("name", MADE)
def test_an_original_is_kept_to_the_last_byte_and_previewed(name: str) -> None:
    content, _ = MADE[name]
    kept = inspected(content, original=True)
    assert kept.content == content
    assert not kept.cleaned
    assert hidden_in(kept.preview) == set()
    assert opened(kept.preview).format == "JPEG"


def test_a_preview_is_small() -> None:
    written = io.BytesIO()
    Image.effect_noise((3000, 2000), 100).convert("RGB").save(written, "JPEG", quality=60)
    preview = inspected(written.getvalue()).preview
    assert len(preview) <= 200_000
    assert max(opened(preview).size) == 1024


@pytest.mark.parametrize("original", [False, True])
@pytest.mark.parametrize("name", MADE)
def test_a_picture_that_was_cut_off_is_refused(name: str, original: bool) -> None:
    content = opened_noise(name)
    assert refusal(content[: len(content) * 2 // 3], original) == "broken"


@pytest.mark.parametrize("original", [False, True])
@pytest.mark.parametrize("missing", [1, 100])
def test_a_heic_whose_last_bytes_are_missing_is_refused(missing: int, original: bool) -> None:
    """Its decoder would fill in what is missing, in green."""
    assert refusal(pictures.heic()[:-missing], original) == "broken"


def opened_noise(name: str) -> bytes:
    written = io.BytesIO()
    noise = Image.effect_noise((200, 200), 100).convert("RGB")
    if name == "heic":
        return pictures.heic()
    noise.save(written, name)
    return written.getvalue()


@pytest.mark.parametrize("original", [False, True])
@pytest.mark.parametrize(("width", "height"), [(10_000, 10_000), (30_000, 30_000), (65_000, 800)])
def test_a_picture_of_too_many_pixels_is_refused(width: int, height: int, original: bool) -> None:
    assert refusal(pictures.png_of_size(width, height), original) == "too-many-pixels"


def test_a_picture_of_as_many_pixels_as_may_be_comes_out() -> None:
    assert opened(inspected(pictures.png_of_size(10_000, 5_000)).content).size == (10_000, 5_000)


@pytest.mark.long
def test_a_large_picture_with_transparency_comes_out_too() -> None:
    written = io.BytesIO()
    Image.new("RGBA", (10_000, 5_000), (9, 9, 9, 9)).save(
        written, "WEBP", lossless=True, quality=0, method=0, exif=pictures.exif(pictures.TURNED)
    )
    assert opened(inspected(written.getvalue()).content).size == (5_000, 10_000)


def test_a_picture_with_long_texts_comes_out_without_them() -> None:
    texts, written = PngImagePlugin.PngInfo(), io.BytesIO()
    for name in ("parameters", "workflow"):
        texts.add_text(name, "PENANDA-Text " * 200_000, zip=True)
    pictures.scene().save(written, "PNG", pnginfo=texts)
    assert hidden_in(inspected(written.getvalue()).content) == set()


@pytest.mark.parametrize("fmt", ["PNG", "WEBP"])
def test_a_moving_picture_is_refused(fmt: str) -> None:
    written = io.BytesIO()
    frames = [pictures.scene(), pictures.scene().rotate(90), pictures.scene().rotate(180)]
    frames[0].save(written, fmt, save_all=True, append_images=frames[1:])
    assert refusal(written.getvalue()) == "moving-picture"
