"""Sound and video, written anew by ffmpeg from their streams: no tag, no position, no cover.

The streams themselves are not encoded anew. Where ffmpeg is not installed they are kept as they came.
"""

import json
import re
import shutil
import subprocess
from typing import Any, BinaryIO

from gateway.files.errors import FileRefusedError
from gateway.files.inspection.frames import only_frames
from gateway.files.inspection.kept import Kept
from gateway.files.inspection.memory import memory_file, path_of
from gateway.files.kinds import AMR, M4A, MOV, MP3, MP4, OGG, THREE_GP, WAV, WEBM, Kind

_READ = {M4A: "mov", MP4: "mov", THREE_GP: "mov", MOV: "mov", WEBM: "matroska"}
_READ |= {MP3: "mp3", OGG: "ogg", AMR: "amr", WAV: "wav"}
_WRITTEN = {M4A: "ipod", MP4: "mp4", THREE_GP: "3gp", MOV: "mov", WEBM: "webm"}
_WRITTEN |= {MP3: "mp3", OGG: "ogg", AMR: "amr", WAV: "wav"}
_FAST_START = ["-movflags", "+faststart"]
_PICTURES = {
    # Pictures and what they need. A device writes its name, its settings and sometimes where it is between them.
    "h264": "filter_units=pass_types=1-5|7-8|13-15|19-20",
    "hevc": "filter_units=pass_types=0-9|16-21|32-34",
    "av1": "filter_units=pass_types=1|3-4|6-7",
}
_SEEN_CODECS = {*_PICTURES, "vp8", "vp9", "h263", "mpeg4"}
"""Codecs of video in whose pictures nothing else is hidden: those of Motion JPEG have EXIF data of their own."""

_REMARK = re.compile(rb"\x00\x00\x01\xb2(.*?)(?=\x00\x00\x01|\Z)", re.DOTALL)
"""What a device writes between the pictures of MPEG-4 (ISO/IEC 14496-2, user_data), up to the next start code."""

_SETTINGS = re.compile(rb"\x05(\x80*[\x01-\x7f])(?=\x00\x00\x01)")
"""Before the settings of a coder in a list of tracks: their mark and their length."""

_SPOKEN = {"amr_nb", "amr_wb"}

_UNTOLD = ["-map_metadata", "-1", "-map_metadata:s", "-1", "-map_metadata:c", "-1", "-map_chapters", "-1"]
_UNTOLD += ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]

_WORDS = ["-hide_banner", "-loglevel", "quiet", "-nostdin", "-threads", "1"]
# Neither a network nor another file, whatever the recording refers to.
_ALONE = ["-protocol_whitelist", "file"]


def keep(file: BinaryIO, kind: Kind, original: bool) -> Kept:
    """Return the recording in `file`, cleaned unless `original` or without ffmpeg."""
    ffmpeg, ffprobe = shutil.which("ffmpeg"), shutil.which("ffprobe")
    if not ffmpeg or not ffprobe:
        return Kept(kind, file, cleaned=False)
    source = [*_ALONE, "-f", _READ[kind], "-i", path_of(file)]
    codecs = _codecs(ffprobe, source, file)
    wanted = "video" if kind.played == "video" else "audio"
    if wanted not in codecs and not (kind in (WEBM, THREE_GP) and "audio" in codecs):
        raise FileRefusedError("broken")
    if original:
        return Kept(kind, file, cleaned=False)
    return Kept(kind, _cleaned(ffmpeg, ffprobe, source, kind, codecs, file), cleaned=True)


def _codecs(ffprobe: str, source: list[str], file: BinaryIO) -> dict[str, str]:
    """Return the codecs of the streams, by `audio` and `video`; a cover is no video."""
    shown = ["-show_entries", "stream=codec_type,codec_name:stream_disposition=attached_pic", "-of", "json"]
    done = _run([ffprobe, *_WORDS[:3], *source, *shown], file)
    streams: list[dict[str, Any]] = json.loads(done.stdout or b"{}").get("streams", []) if not done.returncode else []
    found: dict[str, str] = {}
    for stream in streams:
        if not stream.get("disposition", {}).get("attached_pic"):
            found.setdefault(stream.get("codec_type", ""), stream.get("codec_name", ""))
    return found


def _cleaned(
    ffmpeg: str, ffprobe: str, source: list[str], kind: Kind, codecs: dict[str, str], file: BinaryIO
) -> BinaryIO:
    if kind.played == "video" and codecs.get("video", "h264") not in _SEEN_CODECS:
        raise FileRefusedError("uncleanable")
    read, copy = [ffmpeg, *_WORDS, "-xerror", *source], ["-c", "copy", *_UNTOLD]
    files, kept, sounds = [file], memory_file(), "0:a?"
    if codecs.get("audio") in _SPOKEN and _READ[kind] == "mov":
        # A telephone puts several frames of speech together, which ffmpeg takes apart in a file of speech alone.
        speech = memory_file()
        _must([*read, "-map", "0:a:0", *copy, "-f", "amr", "-y", path_of(speech)], file, speech)
        read, sounds, files = [*read, "-f", "amr", "-i", path_of(speech)], "1:a", [file, speech]
    streams = ["-map", sounds] if kind.played == "audio" else ["-map", "0:V:0?", "-map", sounds]
    pictures = _PICTURES.get(codecs.get("video", "")) if kind.played == "video" else None
    options = ["-bsf:v", pictures] if pictures else []
    options += _FAST_START if _READ[kind] == "mov" else []
    _must([*read, *streams, *copy, *options, "-f", _WRITTEN[kind], "-y", path_of(kept)], *files, kept)
    if codecs.get("video") == "mpeg4":
        _blank_remarks(ffprobe, kept)
    return only_frames(kept) if kind is MP3 else kept


def _blank_remarks(ffprobe: str, kept: BinaryIO) -> None:
    """Make spaces of what a device wrote between the pictures of MPEG-4, which ffmpeg leaves: their places count."""
    told = ["-select_streams", "V:0", "-show_entries", "packet=pos,size", "-of", "json"]
    done = _must([ffprobe, *_WORDS[:3], *_ALONE, "-f", "mov", "-i", path_of(kept), *told], kept)
    kept.seek(0)
    content = kept.read()
    samples = [(int(each["pos"]), int(each["size"])) for each in json.loads(done.stdout)["packets"] if "pos" in each]
    ranges = [(at, at + size) for at, size in samples]
    ranges += [(found.end(), found.end() + found[1][-1]) for found in _SETTINGS.finditer(content)]
    for start, stop in ranges:
        for remark in _REMARK.finditer(content, start, stop):
            kept.seek(remark.start(1))
            kept.write(b" " * len(remark[1]))


def _must(command: list[str], *files: BinaryIO) -> "subprocess.CompletedProcess[bytes]":
    done = _run(command, *files)
    if done.returncode:
        raise FileRefusedError("uncleanable")
    return done


def _run(command: list[str], *files: BinaryIO) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=[file.fileno() for file in files],
    )
