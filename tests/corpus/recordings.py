"""Sound and video with tags, a cover, chapters and a position, made by ffmpeg."""

import functools
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.corpus import pictures
from tests.corpus.hiding import hidden

TONE = ["-f", "lavfi", "-i", "sine=frequency=440:duration=1"]
SCREEN = ["-f", "lavfi", "-i", "testsrc=size=176x144:rate=10:duration=1"]
TAGS = [
    option
    for name in ("title", "artist", "album", "comment", "author", "description", "copyright", "encoder")
    for option in ("-metadata", f"{name}={hidden(name)}")
]
PLACE = [
    "-metadata",
    f"location=+06.1753-106.8271/{hidden('Position')}",
    "-metadata",
    "creation_time=2026-03-02T08:00:00Z",
]
OF_STREAMS = ["-metadata:s", f"handler_name={hidden('Handler')}", "-metadata:s", f"title={hidden('StreamTitle')}"]

MADE = {
    "mp3": [*TONE, *TAGS, "-c:a", "libmp3lame", "-id3v2_version", "3", "-write_id3v1", "1"],
    "m4a": [*TONE, *TAGS, *PLACE, *OF_STREAMS, "-c:a", "aac"],
    "ogg": [*TONE, *TAGS, "-c:a", "libvorbis"],
    "opus": [*TONE, *TAGS, "-c:a", "libopus"],
    "wav": [*TONE, *TAGS, "-write_bext", "1", "-metadata", f"originator={hidden('Originator')}"],
    "mp4": [*SCREEN, *TONE, *TAGS, *PLACE, *OF_STREAMS, "-c:v", "libx264", "-c:a", "aac", "-shortest"],
    "hevc.mp4": [*SCREEN, *TAGS, *PLACE, "-c:v", "libx265", "-x265-params", "log-level=none", "-tag:v", "hvc1"],
    "mpeg4.mp4": [*SCREEN, *TONE, *TAGS, *PLACE, "-c:v", "mpeg4", "-c:a", "aac", "-shortest"],
    "3gp": [*SCREEN, *TAGS, *PLACE, "-c:v", "h263", "-s", "176x144"],
    "webm": [*SCREEN, *TONE, *TAGS, *OF_STREAMS, "-c:v", "libvpx", "-c:a", "libopus", "-shortest"],
    "mov": [
        *SCREEN,
        *TONE,
        *TAGS,
        *PLACE,
        *OF_STREAMS,
        "-c:v",
        "libx264",
        "-c:a",
        "aac",
        "-movflags",
        "use_metadata_tags",
    ],
}
"""The options by which ffmpeg makes each, by the ending of its name."""

_BETWEEN = f"h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+{hidden('BetweenPictures')}"


_BETWEEN = f"h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+{hidden('BetweenPictures')}"

AMR = b"#!AMR\n" + (b"\x3c" + bytes(31)) * 50
"""A second of silence. No encoder of Debian's makes any, and nothing can be hidden beside its frames."""


@functools.cache
def made(name: str) -> bytes:
    """Return a recording with everything that may be hidden in one."""
    with TemporaryDirectory() as folder:
        cover, chapters = Path(folder, "cover.jpg"), Path(folder, "chapters")
        cover.write_bytes(pictures.jpeg())
        chapters.write_text(f";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=900\ntitle={hidden('Chapter')}\n")
        sources = 8 if MADE[name][4] == "-f" else 4
        command = MADE[name][:sources]
        if name in ("mp3", "m4a"):
            command += [
                "-i",
                str(cover),
                "-map",
                "0:a",
                "-map",
                "1:v",
                "-c:v",
                "copy",
                "-disposition:v:0",
                "attached_pic",
            ]
        if name in ("mp4", "webm", "mov"):
            command += ["-f", "ffmetadata", "-i", str(chapters), "-map_chapters", "2"]
        command += MADE[name][sources:] + (["-bsf:v", _BETWEEN] if name in ("mp4", "mov") else [])
        target = Path(folder, f"made.{name}")
        subprocess.run(["ffmpeg", "-loglevel", "error", "-y", *command, str(target)], check=True)
        content = target.read_bytes()
    if name == "mp3":
        return _between_frames(content) + _at_the_end()
    # What an encoder writes between the pictures of MPEG-4 has the same length as this.
    return re.sub(rb"(\x00\x00\x01\xb2)Lavc[\d.]{9}", rb"\1" + hidden("Coder").encode(), content)


def filmed(codec: str, unit: bytes) -> bytes:
    """Return a video with a unit between its pictures that shows nothing."""
    form, quiet = {"libx264": ("h264", []), "libx265": ("hevc", ["-x265-params", "log-level=none"])}[codec]
    with TemporaryDirectory() as folder:
        stream, target = Path(folder, f"stream.{form}"), Path(folder, "made.mp4")
        made_by = ["ffmpeg", "-loglevel", "error", "-y"]
        subprocess.run([*made_by, *SCREEN, "-c:v", codec, *quiet, str(stream)], check=True)
        content = stream.read_bytes()
        at = content.index(b"\0\0\1", len(content) // 2)
        stream.write_bytes(content[:at] + b"\0\0\1" + unit + hidden("Unit").encode() + b"\x80" + content[at:])
        subprocess.run([*made_by, "-r", "10", "-f", form, "-i", str(stream), "-c", "copy", str(target)], check=True)
        return target.read_bytes()


@functools.cache
def spoken(is_filmed: bool) -> bytes:
    """Return a recording of a telephone: 3GP with speech, of which two frames are in each sample if it is alone."""
    with TemporaryDirectory() as folder:
        speech, target = Path(folder, "speech.amr"), Path(folder, "made.3gp")
        speech.write_bytes(AMR)
        filmed = [*SCREEN, "-c:v", "h263"] if is_filmed else []
        sound = ["-i", str(speech)]
        command = [*filmed[:4], *sound, *filmed[4:], "-c:a", "copy", *TAGS, *PLACE, str(target)]
        subprocess.run(["ffmpeg", "-loglevel", "error", "-y", *command], check=True)
        content = target.read_bytes()
    return content if is_filmed else _paired(content)


def _paired(content: bytes) -> bytes:
    """Return a file of boxes whose samples of speech are two of those of `content`."""
    at = content.index(b"samr")
    tables = {name: content.index(name, at) for name in (b"stts", b"stsc", b"stsz")}
    paired = bytearray(content)

    def put(name: bytes, place: int, change: Callable[[int], int]) -> None:
        start = tables[name] + place
        paired[start : start + 4] = change(int.from_bytes(paired[start : start + 4], "big")).to_bytes(4, "big")

    put(b"stts", 12, lambda count: count // 2)
    put(b"stts", 16, lambda duration: duration * 2)
    put(b"stsz", 8, lambda size: size * 2)
    put(b"stsz", 12, lambda count: count // 2)
    for entry in range(int.from_bytes(content[tables[b"stsc"] + 8 : tables[b"stsc"] + 12], "big")):
        put(b"stsc", 16 + 12 * entry, lambda count: count // 2)
    return bytes(paired)


def _between_frames(content: bytes) -> bytes:
    """Return an MP3 with something between its frames that is no sound."""
    at = content.rindex(content[content.index(b"\xff\xfb") :][:2])
    return content[:at] + hidden("BetweenFrames").encode() + content[at:]


def _at_the_end() -> bytes:
    """Return tags that other programs put behind an MP3."""
    item = hidden("ApeItem").encode()
    items = len(item).to_bytes(4, "little") + bytes(4) + b"Artist\0" + item
    size = len(items) + 32

    def edge(flags: int) -> bytes:
        figures = (2000, size, 1, flags)
        return b"APETAGEX" + b"".join(figure.to_bytes(4, "little") for figure in figures) + bytes(8)

    first = b"TAG" + hidden("Id3v1").encode().ljust(125, b"\0")
    words = b"LYRICSBEGINLYR00014" + hidden("Lyrics").encode() + b"000033LYRICS200"
    return edge(0xA0000000) + items + edge(0x80000000) + words + first
