"""An upload goes on from wherever it broke off, is its owner's alone, and is never more than it was said to be."""

import subprocess
import sys
import threading
from io import BytesIO
from pathlib import Path

import pytest

from gateway.files import uploads as module
from gateway.files.arriving import BrokenOffError
from gateway.files.facts import State
from gateway.files.refusals import (
    TooManyFiles,
    UnknownUpload,
    UploadInUse,
    UploadNotReady,
    UploadOverrun,
    UploadTooLong,
    WrongOffset,
)
from gateway.files.sealing import CHUNK, SEGMENT
from gateway.files.stores import StoreAwayError, StoreFullError
from gateway.files.uploads import Limits, Uploads
from tests.installations import eventually
from tests.unit.gateway.files.stand_ins import BROKEN, OTHER, REPORTER, BadStore, Bodies, pattern, uploads_in


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return uploads_in(tmp_path)


@pytest.fixture
def store(uploads: Uploads) -> BadStore:
    assert isinstance(uploads.store, BadStore)
    return uploads.store


def none(_ids: list[str]) -> set[str]:
    """Return nothing: none of these uploads is attached."""
    return set()


def came(uploads: Uploads, id: str, length: int) -> bytes:
    """Return what is stored of an upload that has come."""
    key, _ = uploads.headers.read(id)
    return uploads._content(id, "came", key).all_of(length)


def test_what_is_sent_whole_is_to_be_checked(uploads: Uploads) -> None:
    id = uploads.create(REPORTER, 5, "foto.jpg")
    begun = uploads.state(REPORTER, id)
    assert (begun.state, begun.offset, begun.length, begun.name, begun.original) == (
        State.RECEIVING,
        0,
        5,
        "foto.jpg",
        False,
    )
    assert uploads.write(REPORTER, id, 0, BytesIO(b"bytes")) == 5
    whole = uploads.state(REPORTER, id)
    assert (whole.state, whole.offset, whole.came_size) == (State.CHECKING, 5, 5)
    assert came(uploads, id, 5) == b"bytes"


def test_it_goes_on_where_it_broke_off_in_another_process_of_the_gateway(uploads: Uploads, tmp_path: Path) -> None:
    plain = pattern(2 * SEGMENT + 3 * CHUNK + 11)
    id = uploads.create(REPORTER, len(plain), "")
    for end in (10, CHUNK, SEGMENT - 5, SEGMENT + 1, 2 * SEGMENT):
        process = uploads_in(tmp_path)
        process.headers = uploads.headers
        stands = process.state(REPORTER, id).offset
        with pytest.raises(BrokenOffError):
            process.write(REPORTER, id, stands, Bodies(plain[stands:end], BROKEN))
        assert process.state(REPORTER, id).offset == end
    stands = uploads.state(REPORTER, id).offset
    assert uploads.write(REPORTER, id, stands, BytesIO(plain[stands:])) == len(plain)
    assert came(uploads, id, len(plain)) == plain


def test_what_came_before_a_pause_is_kept_while_the_connection_stands(uploads: Uploads) -> None:
    id = uploads.create(REPORTER, 10, "")
    seen: list[int] = []

    class Pausing(Bodies):
        def take(self, _most: int, _seconds: float) -> bytes | None:
            seen.append(uploads.state(REPORTER, id).offset)
            return super().take(_most, _seconds)

    uploads.write(REPORTER, id, 0, Pausing(b"12345", None, b"67890"))
    assert seen == [0, 0, 5, 5]


@pytest.mark.parametrize("offset", [0, 4, 6, 10, 11, -1, 2**70])
def test_bytes_that_do_not_begin_where_it_stands_are_refused_with_where_it_does(uploads: Uploads, offset: int) -> None:
    id = uploads.create(REPORTER, 10, "")
    uploads.write(REPORTER, id, 0, BytesIO(b"12345"))
    with pytest.raises(WrongOffset) as refused:
        uploads.write(REPORTER, id, offset, BytesIO(b"67890"))
    assert refused.value.details == {"offset": 5}
    assert uploads.state(REPORTER, id).offset == 5


def test_a_part_that_is_sent_twice_is_stored_once(uploads: Uploads) -> None:
    id = uploads.create(REPORTER, 10, "")
    uploads.write(REPORTER, id, 0, BytesIO(b"12345"))
    with pytest.raises(WrongOffset):
        uploads.write(REPORTER, id, 0, BytesIO(b"12345"))
    uploads.write(REPORTER, id, 5, BytesIO(b"67890"))
    with pytest.raises(WrongOffset):
        uploads.write(REPORTER, id, 5, BytesIO(b"67890"))
    # The answer to the last part was lost, and the client asks with nothing left to send.
    assert uploads.write(REPORTER, id, 10, BytesIO(b""), 0) == 10
    assert came(uploads, id, 10) == b"1234567890"


def test_more_than_it_was_said_to_have_is_refused_and_what_was_said_can_still_come(uploads: Uploads) -> None:
    id = uploads.create(REPORTER, 5, "")
    with pytest.raises(UploadOverrun):
        uploads.write(REPORTER, id, 0, BytesIO(b"123456"), 6)
    with pytest.raises(UploadOverrun):
        uploads.write(REPORTER, id, 0, Bodies(b"123", b"456"))
    stands = uploads.state(REPORTER, id).offset
    assert stands == 3
    assert uploads.write(REPORTER, id, stands, BytesIO(b"45")) == 5
    with pytest.raises(UploadOverrun):
        uploads.write(REPORTER, id, 5, BytesIO(b"6"), 1)


def test_a_file_has_at_most_the_bytes_that_a_file_may_have(tmp_path: Path) -> None:
    uploads = uploads_in(tmp_path, Limits(file_bytes=3_000_000))
    uploads.create(REPORTER, 3_000_000, "")
    with pytest.raises(UploadTooLong) as refused:
        uploads.create(REPORTER, 3_000_001, "")
    assert refused.value.details == {"most": 3}
    id = uploads.create(REPORTER, None, "")
    with pytest.raises(UploadTooLong):
        uploads.write(REPORTER, id, 0, BytesIO(bytes(3_000_001)))


@pytest.mark.parametrize("length", [0, 1, SEGMENT, SEGMENT + CHUNK, 2 * SEGMENT])
def test_one_whose_length_was_not_known_is_whole_once_its_end_has_come(uploads: Uploads, length: int) -> None:
    id = uploads.create(REPORTER, None, "")
    uploads.write(REPORTER, id, 0, BytesIO(pattern(length)))
    assert uploads.state(REPORTER, id).state is State.RECEIVING
    uploads.finish(REPORTER, id)
    whole = uploads.state(REPORTER, id)
    assert (whole.state, whole.came_size) == (State.CHECKING, length)
    assert came(uploads, id, length) == pattern(length)


@pytest.mark.parametrize("id", ["", "x", "x" * 22, "../../../../etc/passwd", "x" * 21 + "/", "\0" * 22, "x" * 23])
def test_an_unknown_one_and_anothers_are_the_same(uploads: Uploads, id: str) -> None:
    theirs = uploads.create(OTHER, 5, "")
    for each in (id, theirs):
        for refused in (
            lambda each=each: uploads.state(REPORTER, each),
            lambda each=each: uploads.write(REPORTER, each, 0, BytesIO(b"12345")),
            lambda each=each: uploads.discard(REPORTER, each, none),
            lambda each=each: uploads.ready(REPORTER, [each]),
            lambda each=each: uploads.finish(REPORTER, each),
        ):
            with pytest.raises(UnknownUpload):
                refused()
    assert uploads.state(OTHER, theirs).offset == 0


def test_a_discarded_one_leaves_nothing_behind(uploads: Uploads, tmp_path: Path) -> None:
    id = uploads.create(REPORTER, 5, "")
    uploads.write(REPORTER, id, 0, BytesIO(b"12345"))
    uploads.discard(REPORTER, id, none)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with pytest.raises(UnknownUpload):
        uploads.state(REPORTER, id)


def test_nothing_in_the_store_names_anybody_or_the_file(uploads: Uploads, tmp_path: Path) -> None:
    id = uploads.create("reporter:4711", 2_000, "surat-budi.pdf")
    uploads.write("reporter:4711", id, 0, BytesIO(b"rahasia " * 250))
    for path in tmp_path.rglob("*"):
        for written in (str(path.relative_to(tmp_path)).encode(), path.read_bytes() if path.is_file() else b""):
            assert not any(word in written for word in (b"4711", b"reporter", b"budi", b"pdf", b"rahasia"))
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("foto.jpg", "foto.jpg"),
        ("/etc/passwd", "passwd"),
        ("C:\\Data\\surat.doc", "surat.doc"),
        ("a\r\nb: c", "ab: c"),
        ("foto\u202egpj.exe", "fotogpj.exe"),
        ("x" * 300, "x" * 255),
        ("...", ""),
        ("", ""),
        ("\ud800.txt", ".txt".strip(".")),
        ("foto bukti ☂.png", "foto bukti ☂.png"),
    ],
)
def test_a_name_is_kept_without_what_it_could_do(uploads: Uploads, name: str, kept: str) -> None:
    assert uploads.state(REPORTER, uploads.create(REPORTER, 1, name)).name == kept


def test_a_second_sender_waits_for_no_one_who_is_at_work(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.2)
    id = uploads.create(REPORTER, 10, "")
    may_end, has_begun = threading.Event(), threading.Event()

    class Working(Bodies):
        def take(self, _most: int, _seconds: float) -> bytes | None:
            has_begun.set()
            may_end.wait(20)
            return super().take(_most, _seconds)

    first = threading.Thread(target=uploads.write, args=(REPORTER, id, 0, Working(b"12345")))
    first.start()
    has_begun.wait(20)
    with pytest.raises(UploadInUse):
        uploads.write(REPORTER, id, 0, BytesIO(b"67890"))
    with pytest.raises(UploadInUse):
        uploads.discard(REPORTER, id, none)
    may_end.set()
    first.join()
    assert uploads.state(REPORTER, id).offset == 5


def test_one_whose_line_has_gone_silent_gives_way(uploads: Uploads) -> None:
    id = uploads.create(REPORTER, 10, "")
    gave_way = threading.Event()
    pause = threading.Event()

    class Silent(Bodies):
        def take(self, _most: int, _seconds: float) -> bytes | None:
            pause.wait(0.02)
            return super().take(_most, _seconds)

    def send() -> None:
        with pytest.raises(UploadInUse):
            uploads.write(REPORTER, id, 0, Silent(b"12345", *[None] * 1000))
        gave_way.set()

    first = threading.Thread(target=send)
    first.start()
    eventually(lambda: uploads.state(REPORTER, id).offset == 5)
    assert uploads.write(REPORTER, id, 5, BytesIO(b"67890")) == 10
    first.join()
    assert gave_way.is_set()


def test_a_lock_ends_with_the_process_that_held_it(uploads: Uploads, tmp_path: Path) -> None:
    id = uploads.create(REPORTER, 5, "")
    code = (
        "import sys, time; from pathlib import Path; from gateway.files.stores.directory import Directory\n"
        f"with Directory(Path({str(tmp_path)!r})).hold('files/{id}/write'):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UploadInUse), uploads._held(id):
            raise AssertionError
        holder.kill()
    assert uploads.write(REPORTER, id, 0, BytesIO(b"12345")) == 5


def test_a_full_store_keeps_what_came_before_and_takes_the_rest_later(uploads: Uploads, store: BadStore) -> None:
    plain = pattern(3 * SEGMENT)
    id = uploads.create(REPORTER, len(plain), "")
    store.room = 2 * SEGMENT
    with pytest.raises(StoreFullError):
        uploads.write(REPORTER, id, 0, BytesIO(plain))
    stands = uploads.state(REPORTER, id).offset
    assert stands == SEGMENT
    store.room = None
    assert uploads.write(REPORTER, id, stands, BytesIO(plain[stands:])) == len(plain)
    assert came(uploads, id, len(plain)) == plain


def test_a_store_that_goes_away_in_the_middle_loses_nothing_that_was_stored(uploads: Uploads, store: BadStore) -> None:
    plain = pattern(2 * SEGMENT)
    id = uploads.create(REPORTER, len(plain), "")

    class Leaving(Bodies):
        def take(self, _most: int, _seconds: float) -> bytes | None:
            part = super().take(_most, _seconds)
            store.is_away |= part == plain[SEGMENT + 5 :]
            return part

    with pytest.raises(StoreAwayError):
        uploads.write(REPORTER, id, 0, Leaving(plain[: SEGMENT + 5], plain[SEGMENT + 5 :]))
    with pytest.raises(StoreAwayError):
        uploads.state(REPORTER, id)
    store.is_away = False
    stands = uploads.state(REPORTER, id).offset
    assert stands == SEGMENT
    uploads.write(REPORTER, id, stands, BytesIO(plain[stands:]))
    assert came(uploads, id, len(plain)) == plain


def test_a_process_that_ends_with_the_last_byte_loses_nothing(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = uploads.create(REPORTER, 5, "")
    with monkeypatch.context() as dying:
        dying.setattr(Uploads, "_complete", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            uploads.write(REPORTER, id, 0, BytesIO(b"12345"))
    assert uploads.headers.read(id)[1].state is State.RECEIVING
    assert uploads.state(REPORTER, id).state is State.CHECKING


def test_only_what_is_ready_is_attached_and_not_too_much_of_it(tmp_path: Path) -> None:
    uploads = uploads_in(tmp_path, Limits(files=2))
    id = uploads.create(REPORTER, 5, "")
    with pytest.raises(UploadNotReady) as refused:
        uploads.ready(REPORTER, [id])
    assert refused.value.code == "upload-not-ready"
    uploads.write(REPORTER, id, 0, BytesIO(b"12345"))
    with pytest.raises(UploadNotReady) as refused:
        uploads.ready(REPORTER, [id])
    assert refused.value.code == "upload-being-checked"
    with pytest.raises(TooManyFiles):
        uploads.ready(REPORTER, [id] * 3)
    assert uploads.ready(REPORTER, []) == []


def test_after_its_time_it_is_attached_no_more(uploads: Uploads) -> None:
    id = uploads.create(REPORTER, 5, "")
    expires = uploads.state(REPORTER, id).expires
    assert expires == pytest.approx(uploads.clock() + 24 * 3600, abs=60)
    uploads.clock = lambda: expires - 1
    assert uploads.state(REPORTER, id).offset == 0
    uploads.clock = lambda: expires + 1
    for refused in (
        uploads.state,
        lambda owner, id: uploads.discard(owner, id, none),
        lambda owner, id: uploads.ready(owner, [id]),
    ):
        with pytest.raises(UnknownUpload):
            refused(REPORTER, id)
