"""What comes out of the inspection, read by programs that know nothing of ours: exiftool and poppler."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.corpus import pdfs, pictures
from tests.unit.gateway.files.inspecting import inspected

pytestmark = pytest.mark.usefixtures("media_tools")

MADE = {
    "jpeg": pictures.jpeg(pictures.TURNED, pictures.profile()),
    "png": pictures.png(pictures.profile()),
    "webp": pictures.webp(pictures.TURNED),
    "heic": pictures.heic(),
    "pdf": pdfs.telling(),
}
HARMLESS = {"SourceFile", "ExifTool", "File", "Composite"}
"""The groups of what exiftool says of any file."""

SHOWN = {
    "JFIF": {"JFIFVersion", "ResolutionUnit", "XResolution", "YResolution"},
    "PNG": {"ImageWidth", "ImageHeight", "BitDepth", "ColorType", "Compression", "Filter", "Interlace"},
    "RIFF": {"VP8Version", "ImageWidth", "HorizontalScale", "ImageHeight", "VerticalScale"},
    "PDF": {"PDFVersion", "Linearized", "PageCount", "HasXFA"},
}
"""What may be said besides: sizes and versions."""


def told(content: bytes, name: str, folder: Path) -> dict[str, str]:
    path = folder / f"kept.{name}"
    path.write_bytes(content)
    command = ["exiftool", "-json", "-G", "-a", "-u", path]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)[0]


@pytest.mark.parametrize("name", MADE)
def test_exiftool_finds_sizes_and_versions_alone(name: str, tmp_path: Path) -> None:
    assert "PENANDA" in str(told(MADE[name], name, tmp_path))
    kept = inspected(MADE[name])
    found = told(kept.content, kept.kind.extension, tmp_path)
    assert found["File:MIMEType"] == kept.kind.media_type
    assert "ExifTool:Error" not in found
    assert "ExifTool:Warning" not in found
    groups = [tuple(key.split(":")) for key in found if key.partition(":")[0] not in HARMLESS]
    assert [(group, tag) for group, tag in groups if tag not in SHOWN.get(group, set())] == []


@pytest.mark.parametrize("name", MADE)
def test_what_comes_out_is_recognised_and_cleaned_again(name: str) -> None:
    kept = inspected(MADE[name])
    again = inspected(kept.content)
    assert (again.kind, again.cleaned) == (kept.kind, True)


def test_poppler_reads_the_pages_and_finds_no_author(tmp_path: Path) -> None:
    path = tmp_path / "kept.pdf"
    path.write_bytes(inspected(pdfs.telling()).content)
    read = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True)
    # The last is a letter of a font whose letters are drawings.
    assert read.stdout.split() == ["TAMPAK-Halaman1", "TAMPAK-Halaman2", "A"]
    assert read.stderr == ""
    info = subprocess.run(["pdfinfo", path], capture_output=True, text=True, check=True).stdout
    facts = {name: value.strip() for name, _, value in (line.partition(":") for line in info.splitlines())}
    assert facts["Pages"] == "2"
    assert (facts["JavaScript"], facts["Encrypted"], facts["Metadata Stream"]) == ("no", "no", "no")
    assert not {"Author", "Creator", "Producer", "Title", "CreationDate"} & set(facts)
    attached = subprocess.run(["pdfdetach", "-list", path], capture_output=True, text=True, check=True).stdout
    assert attached.startswith("0 embedded files")
    images = subprocess.run(["pdfimages", "-list", path], capture_output=True, text=True, check=True).stdout
    assert images.count("jpeg") == 4
