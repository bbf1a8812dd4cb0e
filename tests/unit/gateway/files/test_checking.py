"""What came is checked by one process at a time, and what nobody attached goes after a day."""

import hashlib
import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest

from gateway.files import kinds
from gateway.files.checking import NICENESS, Checker
from gateway.files.errors import FileRefusedError, InspectionUnavailableError, ScannerAwayError, ScannerSilentError
from gateway.files.facts import State
from gateway.files.refusals import FileHeldBack, FileLost, FilesTooLong, UnknownUpload, UploadAttached, UploadRefused
from gateway.files.sealing import SEGMENT
from gateway.files.uploads import Limits, Uploads
from nkk.sop.files import Scan
from tests.installations import eventually
from tests.unit.gateway.files.stand_ins import REPORTER, BadStore, pattern, uploads_in


@dataclass
class Found:
    """What the stand-in for the inspection found."""

    content: Iterable[bytes]
    original: bool
    kind: kinds.Kind = kinds.PDF
    readable: bool = True
    preview: bytes | None = b"a picture"

    @property
    def cleaned(self) -> bool:
        return not self.original

    def chunks(self) -> Iterator[bytes]:
        """Yield the content without its author."""
        for chunk in self.content:
            yield chunk if self.original else chunk.replace(b"Budi", b"")


class Inspection:
    """A stand-in for the inspection, which fails as told."""

    def __init__(self) -> None:
        self.fails: Exception | None = None
        self.asked = 0
        self.niceness = 0

    @contextmanager
    def __call__(self, content: Iterable[bytes], *, original: bool) -> Iterator[Found]:
        self.asked += 1
        self.niceness = niceness()
        if self.fails:
            raise self.fails
        yield Found(content, original)


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return uploads_in(tmp_path)


@pytest.fixture
def inspection() -> Inspection:
    return Inspection()


@pytest.fixture
def checker(uploads: Uploads, inspection: Inspection) -> Checker:
    return Checker(uploads, inspection)


def send(uploads: Uploads, plain: bytes, original: bool = False) -> str:
    id = uploads.create(REPORTER, len(plain), "surat.pdf", original)
    uploads.write(REPORTER, id, 0, BytesIO(plain))
    return id


def objects(folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")
    )


def sha256(plain: bytes) -> str:
    return hashlib.sha256(plain).hexdigest()


def test_what_is_kept_is_what_the_inspection_gives_back(uploads: Uploads, checker: Checker) -> None:
    id = send(uploads, b"by Budi: 1 2 3")
    checker.check_all()
    (ready,) = uploads.ready(REPORTER, [id])
    assert (ready.state, ready.media_type, ready.size, ready.came_size) == (State.READY, "application/pdf", 10, 14)
    assert (ready.sha256, ready.came_sha256) == (sha256(b"by : 1 2 3"), sha256(b"by Budi: 1 2 3"))
    assert (ready.cleaned, ready.readable, ready.scan, ready.previewed) == (True, True, Scan.NONE, True)
    opened = uploads.open(id)
    assert b"".join(opened.chunks()) == b"by : 1 2 3"
    assert b"".join(opened.chunks(3, 6)) == b": 1"
    assert uploads.preview(id) == b"a picture"


def test_whoever_sends_many_files_lets_others_take_their_turn(uploads: Uploads, inspection: Inspection) -> None:
    taken: list[bytes] = []

    @contextmanager
    def inspect(content: Iterable[bytes], *, original: bool) -> Iterator[Found]:
        plain = b"".join(content)
        taken.append(plain)
        if len(taken) == 1:
            # What comes while the first is inspected does not wait for all that came before it.
            other = uploads.create("another", 5, "foto.jpg")
            uploads.write("another", other, 0, BytesIO(b"other"))
        yield Found([plain], original)

    for number in range(5):
        send(uploads, b"many %d" % number)
    Checker(uploads, inspect).check_all()
    assert sorted(taken) == [*(b"many %d" % number for number in range(5)), b"other"]
    assert taken[1] == b"other"


def test_an_original_is_kept_as_it_came(uploads: Uploads, checker: Checker) -> None:
    plain = pattern(2 * SEGMENT) + b"Budi"
    id = send(uploads, plain, original=True)
    checker.check_all()
    (ready,) = uploads.ready(REPORTER, [id])
    assert ready.sha256 == ready.came_sha256 == sha256(plain)
    assert not ready.cleaned
    assert b"".join(uploads.open(id).chunks()) == plain


def test_what_came_is_not_kept_beside_what_is_kept(uploads: Uploads, checker: Checker, tmp_path: Path) -> None:
    id = send(uploads, b"by Budi")
    checker.check_all()
    kinds_of = {name.rpartition("/")[2].partition(".")[0] for name in objects(tmp_path) if id in name} - {id}
    assert kinds_of == {"head", "kept", "preview"}
    assert not (tmp_path / "unchecked" / id).exists()
    assert (tmp_path / "unclaimed" / id).exists()


def test_a_refused_one_is_said_to_be_and_leaves_nothing_but_that(
    uploads: Uploads, checker: Checker, inspection: Inspection, tmp_path: Path
) -> None:
    inspection.fails = FileRefusedError("macros")
    id = send(uploads, b"x")
    checker.check_all()
    refused = uploads.state(REPORTER, id)
    assert (refused.state, refused.refusal) == (State.REFUSED, "macros")
    with pytest.raises(UploadRefused) as error:
        uploads.ready(REPORTER, [id])
    assert error.value.details == {"id": id, "refusal": "macros"}
    with pytest.raises(FileLost):
        uploads.open(id)
    assert objects(tmp_path / "files") == [f"{id[:2]}/{id}/head"]


@pytest.mark.parametrize("failure", [InspectionUnavailableError("away"), ValueError("of ours")])
def test_a_failure_of_ours_is_tried_again_and_not_at_once(
    uploads: Uploads, checker: Checker, inspection: Inspection, failure: Exception
) -> None:
    inspection.fails = failure
    id = send(uploads, b"x")
    checker.check_all()
    checker.check_all()
    assert inspection.asked == 1
    assert uploads.state(REPORTER, id).state is State.CHECKING
    inspection.fails = None
    eventually(lambda: checker.check_all() or uploads.state(REPORTER, id).state is State.READY)


def test_a_store_that_fails_meanwhile_spoils_nothing(uploads: Uploads, checker: Checker) -> None:
    assert isinstance(uploads.store, BadStore)
    id = send(uploads, b"by Budi")
    uploads.store.room = 0
    checker.check_all()
    uploads.store.room = None
    assert uploads.state(REPORTER, id).state is State.CHECKING
    eventually(lambda: checker.check_all() or uploads.state(REPORTER, id).state is State.READY)


def test_another_process_leaves_it_alone_and_takes_it_over_when_the_first_dies(
    uploads: Uploads, checker: Checker, inspection: Inspection
) -> None:
    id = send(uploads, b"x")
    with uploads.store.hold(f"files/{id}/check"):
        checker.check_all()
        assert inspection.asked == 0
    checker.check_all()
    assert uploads.state(REPORTER, id).state is State.READY


def test_one_that_died_half_way_leaves_no_more_than_a_whole_check(
    uploads: Uploads, checker: Checker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    id = send(uploads, b"by Budi")
    for dies_at in ("_settle", "_tidy"):
        with monkeypatch.context() as dying:
            dying.setattr(Checker, dies_at, lambda *_: (_ for _ in ()).throw(SystemExit))
            with pytest.raises(SystemExit):
                checker.check_all()
    checker.check_all()
    assert uploads.state(REPORTER, id).state is State.READY
    assert b"".join(uploads.open(id).chunks()) == b"by "
    assert len(objects(tmp_path / "files")) == 3


def test_one_discarded_while_it_is_checked_stays_away(
    uploads: Uploads, checker: Checker, inspection: Inspection, tmp_path: Path
) -> None:
    id = send(uploads, b"x")
    found = inspection.__call__

    @contextmanager
    def discarding(content: Iterable[bytes], *, original: bool) -> Iterator[Found]:
        with found(content, original=original) as each:
            yield each
            uploads.discard(REPORTER, id, lambda _: set())

    Checker(uploads, discarding).check_all()
    checker.check_all()
    with pytest.raises(UnknownUpload):
        uploads.state(REPORTER, id)
    assert objects(tmp_path) == []


def test_a_held_one_may_be_attached_and_is_opened_once_it_is_judged(uploads: Uploads, inspection: Inspection) -> None:
    away = [True]
    seen = []

    def scan(content: Iterable[bytes]) -> bool:
        seen.append(b"".join(content))
        if away[0]:
            raise ScannerAwayError
        return True

    checker = Checker(uploads, inspection, scan)
    id = send(uploads, b"by Budi")
    checker.check_all()
    (ready,) = uploads.ready(REPORTER, [id])
    assert (ready.state, ready.scan) == (State.READY, Scan.HELD)
    for opening in (uploads.open, uploads.preview):
        with pytest.raises(FileHeldBack):
            opening(id)
    away[0] = False
    eventually(lambda: checker.check_all() or uploads.state(REPORTER, id).scan is Scan.CLEAN)
    assert b"".join(uploads.open(id).chunks()) == b"by "
    assert seen[0] == b"by Budi"
    assert seen[-1] == b"by "
    facts = uploads.known(id)
    assert facts
    assert facts.scan is Scan.CLEAN
    assert uploads.known("x" * 22) is None


def test_a_scanner_that_is_silent_is_not_asked_for_each_file(
    uploads: Uploads, inspection: Inspection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def scan(_content: Iterable[bytes]) -> bool:
        asked.append(1)
        raise ScannerSilentError

    checker = Checker(uploads, inspection, scan)
    ids = [send(uploads, b"x") for _ in range(5)]
    checker.check_all()
    assert [(found.state, found.scan) for found in uploads.ready(REPORTER, ids)] == [(State.READY, Scan.HELD)] * 5
    assert len(asked) == 1
    monkeypatch.setattr("gateway.files.checking.SCANNER_AWAY_SECONDS", -1)
    again = Checker(uploads, inspection, scan)
    again.check_all()
    assert len(asked) == 6


def test_one_that_the_scanner_does_not_take_holds_up_no_other(uploads: Uploads, inspection: Inspection) -> None:
    def scan(content: Iterable[bytes]) -> bool:
        if b"".join(content) == b"long":
            raise ScannerAwayError
        return True

    first, second = send(uploads, b"long"), send(uploads, b"short")
    Checker(uploads, inspection, scan).check_all()
    assert [found.scan for found in uploads.ready(REPORTER, [first, second])] == [Scan.HELD, Scan.CLEAN]


def test_one_that_is_damaged_in_the_store_is_refused_also_where_it_is_scanned(
    uploads: Uploads, inspection: Inspection, tmp_path: Path
) -> None:
    id = send(uploads, b"x")
    [came] = tmp_path.rglob("came-*")
    came.write_bytes(came.read_bytes()[:-1] + b"!")
    Checker(uploads, inspection, lambda content: bool(list(content))).check_all()
    assert uploads.state(REPORTER, id).refusal == "broken"


def test_what_was_attached_and_is_found_infected_later_is_not_removed_by_its_owner(
    uploads: Uploads, inspection: Inspection
) -> None:
    verdicts: list[bool | None] = [None, False]

    def scan(_content: Iterable[bytes]) -> bool:
        verdict = verdicts.pop(0)
        if verdict is None:
            raise ScannerAwayError
        return verdict

    checker, id = Checker(uploads, inspection, scan), send(uploads, b"x")
    checker.check_all()
    eventually(lambda: checker.check_all() or uploads.state(REPORTER, id).scan is Scan.INFECTED)
    with pytest.raises(UploadAttached):
        uploads.discard(REPORTER, id, lambda ids: set(ids))
    assert uploads.known(id) is not None


def test_an_infected_one_is_refused_or_where_it_is_attached_opened_by_nobody(
    uploads: Uploads, inspection: Inspection
) -> None:
    verdicts: list[bool | None] = [False, None, False]

    def scan(_content: Iterable[bytes]) -> bool:
        verdict = verdicts.pop(0)
        if verdict is None:
            raise ScannerAwayError
        return verdict

    checker = Checker(uploads, inspection, scan)
    at_once = send(uploads, b"x")
    checker.check_all()
    later = send(uploads, b"y")
    checker.check_all()
    assert uploads.state(REPORTER, later).scan is Scan.HELD
    eventually(lambda: checker.check_all() or uploads.state(REPORTER, later).scan is Scan.INFECTED)
    for id in (at_once, later):
        refused = uploads.state(REPORTER, id)
        assert (refused.state, refused.refusal, refused.scan) == (State.REFUSED, "infected", Scan.INFECTED)
        with pytest.raises(FileHeldBack) as error:
            uploads.open(id)
        assert error.value.code == "file-infected"


def test_files_together_have_no_more_bytes_than_they_may(tmp_path: Path, inspection: Inspection) -> None:
    uploads = uploads_in(tmp_path, Limits(files_bytes=2_000_000))
    checker = Checker(uploads, inspection)
    ids = [send(uploads, bytes(size)) for size in (1_000_000, 1_000_000, 1)]
    checker.check_all()
    assert len(uploads.ready(REPORTER, ids[:2])) == 2
    # Named twice, a file counts once.
    assert len(uploads.ready(REPORTER, [*ids[:2], ids[0]])) == 2
    with pytest.raises(FilesTooLong):
        uploads.ready(REPORTER, ids)


def test_in_the_background_it_is_checked_as_soon_as_it_is_there_by_a_thread_that_gives_way(
    uploads: Uploads, inspection: Inspection, checker: Checker
) -> None:
    checker.start()
    try:
        id = send(uploads, b"x")
        eventually(lambda: uploads.state(REPORTER, id).state is State.READY)
    finally:
        checker.stop()
    assert inspection.niceness == min(19, niceness() + NICENESS)


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def make_old(folder: Path, id: str, hours: float) -> None:
    then = time.time() - hours * 3600
    os.utime(folder / "unclaimed" / id, (then, then))


def test_what_nobody_attached_is_gone_after_a_day_at_whatever_stage_it_was(
    uploads: Uploads, checker: Checker, tmp_path: Path
) -> None:
    begun = uploads.create(REPORTER, 10, "")
    partly = uploads.create(REPORTER, 10, "")
    uploads.write(REPORTER, partly, 0, BytesIO(b"12345"))
    ready, attached = send(uploads, b"x"), send(uploads, b"y")
    checker.check_all()
    unchecked, young = send(uploads, b"z"), uploads.create(REPORTER, 10, "")
    for id in (begun, partly, ready, attached, unchecked):
        make_old(tmp_path, id, 24.3)
    make_old(tmp_path, young, 24.2)
    asked: list[list[str]] = []

    def known(ids: list[str]) -> set[str]:
        asked.append(ids)
        return {attached}

    checker.known = known
    checker.expire()
    assert sorted(asked[0]) == sorted([begun, partly, ready, attached, unchecked])
    left = {part for name in objects(tmp_path) for part in name.split("/") if len(part) == 22}
    assert left == {attached, young}
    # Once it is known to be attached it is never asked about again.
    asked.clear()
    checker.expire()
    assert asked == []
    assert b"".join(uploads.open(attached).chunks()) == b"y"


def test_where_it_is_not_known_what_is_attached_nothing_is_removed(
    uploads: Uploads, checker: Checker, tmp_path: Path
) -> None:
    id = uploads.create(REPORTER, 10, "")
    make_old(tmp_path, id, 48)

    def known(_ids: list[str]) -> set[str]:
        raise TimeoutError

    checker.known = known
    with pytest.raises(TimeoutError):
        checker.expire()
    checker.known = None
    checker.expire()
    assert uploads.state(REPORTER, id).offset == 0


def test_one_at_which_somebody_is_stays_until_the_next_time(uploads: Uploads, checker: Checker, tmp_path: Path) -> None:
    id = uploads.create(REPORTER, 10, "")
    make_old(tmp_path, id, 48)
    checker.known = lambda _: set()
    with uploads.store.hold(f"files/{id}/write"):
        checker.expire()
    assert uploads.state(REPORTER, id).offset == 0
    checker.expire()
    assert objects(tmp_path) == []


def test_what_is_attached_is_not_discarded(uploads: Uploads, inspection: Inspection) -> None:
    checker = Checker(uploads, inspection)
    id = send(uploads, b"evidence")
    checker.check_all()
    with pytest.raises(UploadAttached):
        uploads.discard(REPORTER, id, lambda ids: set(ids))
    assert uploads.state(REPORTER, id).state is State.READY
    assert b"".join(uploads.open(id).chunks())


def test_what_was_discarded_is_removed_later_unless_a_report_was_attaching_it(
    uploads: Uploads, inspection: Inspection, monkeypatch: pytest.MonkeyPatch
) -> None:
    attached: set[str] = set()
    checker = Checker(uploads, inspection, known=lambda ids: attached & set(ids))
    dropped, taken = send(uploads, b"one"), send(uploads, b"two")
    checker.check_all()
    for id in (dropped, taken):
        uploads.discard(REPORTER, id, lambda _: set())
        with pytest.raises(UnknownUpload):
            uploads.ready(REPORTER, [id])
    attached.add(taken)
    checker.expire()
    assert b"".join(uploads.open(dropped).chunks())
    monkeypatch.setattr("gateway.files.checking.GRACE_SECONDS", -1.0)
    checker.expire()
    with pytest.raises(FileLost):
        uploads.open(dropped)
    assert b"".join(uploads.open(taken).chunks())
    assert list(uploads.store.ages("discarded")) == []
