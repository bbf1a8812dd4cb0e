"""Sound and video come out of a real ffmpeg without their tags, and play as before."""

import io
import json
import subprocess
from pathlib import Path

import pytest

from gateway.files.inspection import recordings as cleaning
from gateway.files.kinds import AMR, M4A, MOV, MP3, MP4, OGG, THREE_GP, WAV, WEBM
from tests.corpus import recordings
from tests.corpus.hiding import hidden_in
from tests.unit.gateway.files.inspecting import inspected, refusal

pytestmark = pytest.mark.usefixtures("media_tools")

KINDS = {
    "mp3": MP3,
    "m4a": M4A,
    "ogg": OGG,
    "opus": OGG,
    "wav": WAV,
    "mp4": MP4,
    "hevc.mp4": MP4,
    "mpeg4.mp4": MP4,
    "3gp": THREE_GP,
    "webm": WEBM,
    "mov": MOV,
}


def probed(content: bytes, folder: Path) -> dict:
    path = folder / "probed"
    path.write_bytes(content)
    shown = ["-count_packets", "-show_format", "-show_streams", "-show_chapters", "-of", "json"]
    done = subprocess.run(["ffprobe", "-v", "error", *shown, path], capture_output=True, check=True)
    assert not done.stderr, done.stderr
    return json.loads(done.stdout)


def decoded(content: bytes, folder: Path) -> bytes:
    """Return the digests of all pictures and sounds."""
    path = folder / "decoded"
    path.write_bytes(content)
    streams = ["-map", "0:V?", "-map", "0:a?", "-f", "streamhash", "-"]
    return subprocess.run(["ffmpeg", "-v", "error", "-i", path, *streams], capture_output=True, check=True).stdout


@pytest.mark.parametrize("name", KINDS)
def test_nothing_hidden_comes_out_and_it_plays_the_same(name: str, tmp_path: Path) -> None:
    content, kind = recordings.made(name), KINDS[name]
    assert len(hidden_in(content)) > 5
    kept = inspected(content)
    assert (kept.kind, kept.cleaned, kept.readable, kept.preview) == (kind, True, True, None)
    assert hidden_in(kept.content) == set()
    told = probed(kept.content, tmp_path)
    assert told["chapters"] == []
    assert all(not stream["disposition"]["attached_pic"] for stream in told["streams"])
    if name != "mp3":  # whose tags at the end were decoded as if they were sound
        assert decoded(kept.content, tmp_path) == decoded(content, tmp_path)
    assert 0.9 < float(told["format"]["duration"]) < 1.2


@pytest.mark.parametrize(
    ("codec", "unit"),
    [
        *(("libx264", bytes([number])) for number in (9, 10, 12, 22, 24)),
        *(("libx265", bytes([number << 1, 1])) for number in (38, 41, 50)),
    ],
)
def test_between_the_pictures_of_a_video_nothing_stays_that_is_none(codec: str, unit: bytes, tmp_path: Path) -> None:
    content = recordings.filmed(codec, unit)
    assert hidden_in(content)
    kept = inspected(content).content
    assert hidden_in(kept) == set()
    assert decoded(kept, tmp_path) == decoded(content, tmp_path)


@pytest.mark.parametrize("name", ["exiftool", "ffprobe"])
@pytest.mark.parametrize("recording", KINDS)
def test_an_independent_reader_finds_neither_person_nor_place_nor_time(
    name: str, recording: str, tmp_path: Path
) -> None:
    path = tmp_path / f"kept.{KINDS[recording].extension}"
    path.write_bytes(inspected(recordings.made(recording)).content)
    command = ["exiftool", "-G", "-a", "-u"] if name == "exiftool" else ["ffprobe", "-hide_banner"]
    done = subprocess.run([*command, path], capture_output=True, text=True, errors="replace", check=True)
    said = (done.stdout + done.stderr).lower()
    for word in ("penanda", "gps", "location", "artist", "author", "2026:03:02", "2026-03-02", "comment"):
        assert word not in said.replace(str(path).lower(), ""), said


def test_a_recording_of_speech_is_kept() -> None:
    kept = inspected(recordings.AMR)
    assert (kept.kind, kept.cleaned, kept.content) == (AMR, True, recordings.AMR)


@pytest.mark.parametrize("is_filmed", [True, False])
def test_a_telephones_speech_is_kept(is_filmed: bool, tmp_path: Path) -> None:
    content = recordings.spoken(is_filmed)
    kept = inspected(content)
    assert (kept.kind, kept.cleaned) == (THREE_GP, True)
    assert len(hidden_in(content)) > 5
    assert hidden_in(kept.content) == set()
    codecs = [stream["codec_name"] for stream in probed(kept.content, tmp_path)["streams"]]
    assert codecs == (["h263"] if is_filmed else []) + ["amr_nb"]
    # The same sound as that of the speech alone.
    (heard,) = decoded(recordings.AMR, tmp_path).splitlines()
    assert decoded(kept.content, tmp_path).splitlines()[-1].split(b",")[1:] == heard.split(b",")[1:]


@pytest.mark.parametrize("name", KINDS)
def test_an_original_is_kept_to_the_last_byte(name: str) -> None:
    kept = inspected(recordings.made(name), original=True)
    assert (kept.kind, kept.cleaned, kept.content) == (KINDS[name], False, recordings.made(name))


@pytest.mark.parametrize("name", KINDS)
def test_without_ffmpeg_it_is_kept_as_it_came(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    content = recordings.made(name)
    monkeypatch.setenv("PATH", str(tmp_path))
    kept = inspected(content)
    assert (kept.kind, kept.cleaned, kept.content) == (KINDS[name], False, content)
    assert not KINDS[name].cleanable


def test_a_video_is_seen_as_it_was_held(tmp_path: Path) -> None:
    path, turned = tmp_path / "a.mp4", tmp_path / "b.mp4"
    path.write_bytes(recordings.made("mp4"))
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", path, "-c", "copy", "-metadata:s:v", "rotate=90", turned], check=True
    )
    before, after = (
        _rotation(content, tmp_path) for content in (turned.read_bytes(), inspected(turned.read_bytes()).content)
    )
    assert abs(before) == 90
    assert after == before


def _rotation(content: bytes, folder: Path) -> int:
    video = next(each for each in probed(content, folder)["streams"] if each["codec_type"] == "video")
    return next(each["rotation"] for each in video["side_data_list"] if "rotation" in each)


def test_sound_in_the_box_of_a_video_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    subprocess.run(["ffmpeg", "-v", "error", *recordings.TONE, "-c:a", "aac", "-f", "mp4", path], check=True)
    assert inspected(path.read_bytes()).kind is M4A


def test_sound_alone_in_a_webm_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.webm"
    subprocess.run(["ffmpeg", "-v", "error", *recordings.TONE, "-c:a", "libopus", path], check=True)
    assert inspected(path.read_bytes()).cleaned


def test_a_video_of_single_photographs_cannot_be_cleaned(tmp_path: Path) -> None:
    path = tmp_path / "a.mov"
    subprocess.run(["ffmpeg", "-v", "error", *recordings.SCREEN, "-c:v", "mjpeg", path], check=True)
    assert refusal(path.read_bytes()) == "uncleanable"
    assert inspected(path.read_bytes(), original=True).content == path.read_bytes()


@pytest.mark.parametrize("original", [False, True])
@pytest.mark.parametrize("name", ["m4a", "mp4", "mov", "3gp"])
def test_a_recording_that_was_cut_off_is_refused(name: str, original: bool) -> None:
    content = recordings.made(name)
    assert content.index(b"moov") > len(content) // 2
    assert refusal(content[: len(content) // 2], original) == "broken"


@pytest.mark.parametrize("original", [False, True])
def test_a_wav_that_was_cut_off_is_refused_and_one_that_says_nothing_of_its_length_is_not(original: bool) -> None:
    content = recordings.made("wav")
    assert refusal(content[:-2], original) == "broken"
    for length in (b"\0\0\0\0", b"\xff\xff\xff\xff"):
        assert inspected(content[:4] + length + content[8:], original).kind is WAV


@pytest.mark.parametrize("original", [False, True])
def test_one_that_was_cut_off_behind_its_list_of_tracks_is_refused(original: bool) -> None:
    content = inspected(recordings.made("mp4")).content
    assert content.index(b"moov") < len(content) // 2
    for end in (len(content) * 2 // 3, -1):
        assert refusal(content[:end], original) == "broken"


@pytest.mark.parametrize("head", [b"ID3\3\0\0\0\0\0\0", b"RIFF\0\0\0\0WAVEfmt ", b"OggS\0\2" + bytes(22) + b"OpusHead"])
def test_what_only_begins_like_a_recording_is_refused(head: bytes) -> None:
    assert refusal(head + b"MZ" * 2000) in ("broken", "uncleanable")


def test_a_recording_opens_no_other_file(tmp_path: Path) -> None:
    """A list that names other files is none of the kinds, and inside a recording nothing is followed."""
    (tmp_path / "secret").write_text("PENANDA-Rahasia")
    playlist = f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\n{tmp_path}/secret\n#EXT-X-ENDLIST\n"
    kept = inspected(playlist.encode())
    assert kept.kind.media == "text"
    concat = f"ffconcat version 1.0\nfile {tmp_path}/secret\n"
    assert inspected(concat.encode()).kind.media == "text"


def test_both_programs_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning.shutil, "which", lambda name: None if name == "ffprobe" else "/usr/bin/ffmpeg")
    assert not cleaning.keep(io.BytesIO(b"a"), WAV, original=False).cleaned
