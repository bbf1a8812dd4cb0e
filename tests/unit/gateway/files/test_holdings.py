"""An account has no more in the store that is attached to nothing than it may, and the store always keeps some room."""

from io import BytesIO
from pathlib import Path

import pytest

from gateway.files.checking import Checker
from gateway.files.errors import FileRefusedError
from gateway.files.refusals import UploadInUse, UploadsFull
from gateway.files.sealing import SEGMENT
from gateway.files.stores import StoreFullError
from gateway.files.uploads import GRACE_SECONDS, Limits, Uploads
from tests.unit.gateway.files.stand_ins import OTHER, REPORTER, RING, BadStore, uploads_in
from tests.unit.gateway.files.test_checking import Inspection

LIMITS = Limits(file_bytes=2 * SEGMENT, files_bytes=3 * SEGMENT, unattached_bytes=3 * SEGMENT)


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return uploads_in(tmp_path, LIMITS)


def begin(uploads: Uploads, length: int | None = SEGMENT, owner: str = REPORTER) -> str:
    return uploads.create(owner, length, "surat.pdf")


def sent(uploads: Uploads) -> str:
    id = begin(uploads, 1)
    uploads.write(REPORTER, id, 0, BytesIO(b"x"))
    return id


def refuse(uploads: Uploads, owner: str = REPORTER) -> None:
    with pytest.raises(UploadsFull) as refused:
        begin(uploads, owner=owner)
    assert refused.value.details == {"most": 3 * SEGMENT * (10 if owner.startswith("website") else 1) // 1_000_000}


@pytest.mark.parametrize("length", [0, 1, SEGMENT], ids=["empty", "short", "long"])
def test_an_account_has_no_more_than_it_may_and_others_go_on(uploads: Uploads, tmp_path: Path, length: int) -> None:
    for _ in range(3):
        begin(uploads, length)
    before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    refuse(uploads)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == before
    begin(uploads, owner=OTHER)


def test_a_websites_server_may_have_more(uploads: Uploads) -> None:
    for _ in range(30):
        begin(uploads, owner="website:1")
    refuse(uploads, "website:1")


def test_what_is_attached_counts_no_more(uploads: Uploads) -> None:
    ids = [begin(uploads) for _ in range(3)]
    uploads.holdings.attached = lambda asked: set(asked) & set(ids[:2])
    more = [begin(uploads) for _ in range(2)]
    refuse(uploads)
    uploads.holdings.attached = lambda asked: set(asked) & set(more)
    begin(uploads)


def test_where_nobody_says_what_is_attached_nothing_is_begun_or_forgotten(uploads: Uploads) -> None:
    def away(_ids: list[str]) -> set[str]:
        raise TimeoutError

    ids = [begin(uploads) for _ in range(3)]
    uploads.holdings.attached = away
    for _ in range(2):
        with pytest.raises(TimeoutError):
            begin(uploads)
    uploads.holdings.attached = lambda _: set()
    refuse(uploads)
    uploads.holdings.attached = lambda asked: set(asked) & set(ids)
    for _ in range(3):
        begin(uploads)
    refuse(uploads)


def test_what_was_removed_or_refused_counts_no_more(uploads: Uploads) -> None:
    inspection = Inspection()
    checker = Checker(uploads, inspection)
    unfinished, refused = begin(uploads), sent(uploads)
    inspection.fails = FileRefusedError("broken")
    checker.check_all()
    begin(uploads)
    begin(uploads)
    refuse(uploads)
    uploads.discard(REPORTER, unfinished, lambda _: set())
    begin(uploads)
    refuse(uploads)
    assert refused


def test_what_could_be_attached_counts_until_it_is_removed(tmp_path: Path) -> None:
    now = [1_000_000.0]
    uploads = Uploads(BadStore(tmp_path), RING, LIMITS, clock=lambda: now[0])
    id = sent(uploads)
    Checker(uploads, Inspection()).check_all()
    begin(uploads)
    begin(uploads)
    uploads.discard(REPORTER, id, lambda _: set())
    refuse(uploads)
    now[0] += GRACE_SECONDS + 1
    begin(uploads)


def test_after_a_day_it_counts_no_more(tmp_path: Path) -> None:
    now = [1_000_000.0]
    uploads = Uploads(BadStore(tmp_path), RING, LIMITS, clock=lambda: now[0])
    for _ in range(3):
        begin(uploads)
    now[0] += 24 * 3600 + 1
    begin(uploads)


def test_a_forms_files_count_as_long_as_they_are(uploads: Uploads) -> None:
    for _ in range(2):
        id = begin(uploads, None)
        uploads.write(REPORTER, id, 0, BytesIO(b"x"))
        uploads.finish(REPORTER, id)
    with pytest.raises(UploadsFull):
        begin(uploads, None)
    begin(uploads)
    refuse(uploads)


def test_the_list_tells_nobody_whose_it_is_and_goes_with_its_last_upload(uploads: Uploads, tmp_path: Path) -> None:
    id = begin(uploads)
    [listed] = (tmp_path / "held").glob("*/list")
    assert REPORTER not in str(listed)
    assert REPORTER.encode() not in listed.read_bytes()
    assert id.encode() not in listed.read_bytes()
    uploads.discard(REPORTER, id, lambda _: set())
    assert list((tmp_path / "held").iterdir()) == []


def test_a_list_that_another_key_sealed_is_begun_anew(uploads: Uploads, tmp_path: Path) -> None:
    begin(uploads)
    [listed] = (tmp_path / "held").glob("*/list")
    listed.write_bytes(listed.read_bytes()[:-1] + b"!")
    for _ in range(3):
        begin(uploads)
    refuse(uploads)


def test_lists_that_nobody_reads_any_more_are_removed(uploads: Uploads, tmp_path: Path) -> None:
    begin(uploads)
    uploads.holdings.expire(grace=0)
    assert list((tmp_path / "held").iterdir())
    uploads.holdings.expire(grace=-24 * 3600 - 60)
    assert list((tmp_path / "held").iterdir()) == []


def test_at_the_same_time_one_waits_for_the_other(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.files.holdings.PATIENCE_SECONDS", 0)
    begin(uploads)
    [folder] = [f"held/{name}" for name, _ in uploads.store.ages("held")]
    with uploads.store.hold(f"{folder}/lock"), pytest.raises(UploadInUse):
        begin(uploads)


def test_uploads_leave_room_in_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uploads = uploads_in(tmp_path, Limits(spare_bytes=5 * SEGMENT))
    monkeypatch.setattr(BadStore, "spare", lambda _: 7 * SEGMENT)
    id = begin(uploads)
    with pytest.raises(StoreFullError):
        begin(uploads, 3 * SEGMENT)
    monkeypatch.setattr(BadStore, "spare", lambda _: 5 * SEGMENT - 1)
    with pytest.raises(StoreFullError):
        begin(uploads, 1)
    with pytest.raises(StoreFullError):
        uploads.write(REPORTER, id, 0, BytesIO(bytes(SEGMENT)), SEGMENT)
    monkeypatch.setattr(BadStore, "spare", lambda _: None)
    assert uploads.write(REPORTER, id, 0, BytesIO(bytes(SEGMENT)), SEGMENT) == SEGMENT


def test_a_folder_knows_its_room_and_one_that_is_not_there_yet_does_not(tmp_path: Path) -> None:
    assert (BadStore(tmp_path).spare() or 0) > 0
    assert BadStore(tmp_path / "later").spare() is None
