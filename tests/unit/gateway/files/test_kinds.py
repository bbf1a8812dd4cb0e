"""What a file is, is told by its content, and what is not taken is refused by its own name."""

import io
import zipfile

import pytest

from gateway.files import kinds
from gateway.files.errors import FileRefusedError
from gateway.files.inspection import recognising
from gateway.files.kinds import ACCEPT, KINDS
from tests.corpus import pdfs, pictures
from tests.unit.gateway.files.inspecting import inspected, refusal

PE = b"MZ\x90\0" + bytes(200) + b"PE\0\0"


def archive(**members: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as package:
        for name, content in members.items():
            package.writestr(name, content)
    return written.getvalue()


REFUSED = {
    "nothing": (b"", "empty"),
    "a program of Windows": (PE, "program"),
    "a program of Linux": (b"\x7fELF\x02\x01\x01" + bytes(60), "program"),
    "a shell script": (b"#!/bin/sh\nrm -rf /\n", "program"),
    "a Java class": (b"\xca\xfe\xba\xbe\0\0\0\x34", "program"),
    "a Java archive": (archive(**{"META-INF/MANIFEST.MF": b"Main-Class: a"}), "program"),
    "a link of Windows": (b"L\0\0\0\x01\x14\x02\0" + bytes(60), "program"),
    "a page": (b"<!DOCTYPE html><p>", "web-page"),
    "a page without its beginning": (b"\n  <script>alert(1)</script>", "web-page"),
    "a page with a mark": (b"\xef\xbb\xbf<html>", "web-page"),
    "a page in UTF-16": ("<html><script>".encode("utf-16"), "web-page"),
    "a drawing": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "web-page"),
    "a remark and a page": (b"<!-- a --><svg/>", "web-page"),
    "an archive": (archive(a=b"b"), "archive"),
    "an archive of RAR": (b"Rar!\x1a\x07\x01\0", "archive"),
    "an archive of 7-Zip": (b"7z\xbc\xaf\x27\x1c\0\x04", "archive"),
    "a packed file": (b"\x1f\x8b\x08\0", "archive"),
    "a tape": (b"a".ljust(257, b"\0") + b"ustar\0", "archive"),
    "a rich text": (b"{\\rtf1\\ansi", "old-office"),
    "a document of 1997": (recognising._COMPOUND + bytes(600) + "WordDocument\0".encode("utf-16-le"), "old-office"),
    "a compound file": (recognising._COMPOUND + bytes(600), "not-taken"),
    "a font": (b"\0\x01\0\0\0\x0f\0\x80" + bytes(90), "not-taken"),
    "a font of the web": (b"wOF2\0\x01\0\0" + bytes(90), "not-taken"),
    "bytes": (bytes(range(256)) * 10, "not-taken"),
    "a GIF": (pictures.gif(), "not-taken"),
    "a Matroska": (b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska", "not-taken"),
    "an AVI": (b"RIFF\0\0\0\0AVI LIST", "not-taken"),
    "half an archive": (archive(a=bytes(500))[:300], "broken"),
}


@pytest.mark.parametrize("original", [False, True])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_taken_is_refused_for_what_it_is(name: str, original: bool) -> None:
    content, code = REFUSED[name]
    assert refusal(content, original) == code


@pytest.mark.parametrize(
    "content", [b"\xff\xd8\xff" + PE, b"\xff\xd8\xff<script>alert(1)</script>", b"\x89PNG\r\n\x1a\n" + PE]
)
@pytest.mark.parametrize("original", [False, True])
def test_a_program_or_page_that_begins_like_a_picture_is_refused(content: bytes, original: bool) -> None:
    assert refusal(content, original) in ("broken", "several-types")


POLYGLOTS = {
    "a picture and an archive": pictures.jpeg() + archive(a=b"PENANDA-Archive"),
    "a picture and a PDF": pictures.jpeg()[:2] + pictures.segment(0xFE, b"\n" + pdfs.plain()) + pictures.jpeg()[2:],
    "a picture and a page": pictures.jpeg()[:2] + pictures.segment(0xFE, b"<script>1</script>") + pictures.jpeg()[2:],
    "a PDF and an archive": pdfs.plain() + archive(a=b"PENANDA-Archive"),
    "a PDF and a page": b"%PDF-1.7\n%<script>alert(1)</script>\n" + pdfs.plain().split(b"\n", 1)[1],
}


@pytest.mark.parametrize("name", POLYGLOTS)
def test_a_file_of_two_types_has_one_afterwards_and_is_no_original(name: str) -> None:
    kept = inspected(POLYGLOTS[name])
    assert not zipfile.is_zipfile(io.BytesIO(kept.content))
    for sign in (b"<script", b"PENANDA", *([b"%PDF"] if kept.kind is not kinds.PDF else [])):
        assert sign not in kept.content
    assert refusal(POLYGLOTS[name], original=True) == "several-types"


def test_an_archive_of_a_hundred_thousand_members_is_refused_without_being_read() -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as package:
        for number in range(100_000):
            package.writestr(zipfile.ZipInfo(str(number)), b"")
    assert refusal(written.getvalue()) == "archive"


def test_what_can_be_sent_and_what_is_taken_agree() -> None:
    offered = set(ACCEPT.split(","))
    assert {f".{kind.extension}" for kind in KINDS.values()} - offered == {".office"}
    assert all(kind.media_type == media_type for media_type, kind in KINDS.items())


def test_sound_and_video_are_cleaned_where_ffmpeg_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for there, path in ((True, "/usr/bin/ffmpeg"), (False, None)):
        monkeypatch.setattr(kinds.shutil, "which", lambda _name, path=path: path)
        assert {kind for kind in KINDS.values() if not kind.cleanable} == (
            {kinds.SEALED} | (set() if there else {kind for kind in KINDS.values() if kind.played})
        )


def test_a_refusal_names_a_code_that_has_a_sentence() -> None:
    with pytest.raises(ValueError, match="something"):
        FileRefusedError("something")
    with pytest.raises(FileRefusedError):
        recognising.recognise(io.BytesIO(b""))
