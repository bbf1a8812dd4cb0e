"""The stores of files do the same, whether they are folders or buckets, and say what they cannot do."""

import importlib
import threading
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from werkzeug.serving import make_server

from gateway.files.checking import Checker
from gateway.files.facts import State
from gateway.files.refusals import FileLost
from gateway.files.sealing import SEGMENT
from gateway.files.setting_up import store_at
from gateway.files.stores import HeldError, MissingError, Store, StoreAwayError, bucket
from gateway.files.stores.directory import Directory
from gateway.files.uploads import Uploads
from nkk.settings import NKK_FILES
from tests.installations import eventually
from tests.unit.gateway.files.stand_ins import REPORTER, RING, pattern
from tests.unit.gateway.files.test_checking import Inspection, send


class Moto:
    """An S3-compatible server that fails as told."""

    def __init__(self) -> None:
        # Imported late, because that takes half a second of each process that collects the tests.
        self._app = importlib.import_module("moto.server").create_backend_app("s3")
        self.failures = 0
        """How many of the next requests are answered 503."""
        self.asked: list[str] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        # The servers of one process have the same buckets.
        self.bucket = f"bukti-{self._server.server_port}"
        assert httpx.put(f"{self.url}/{self.bucket}").status_code == 200

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked.append(environ["REQUEST_METHOD"])
        self.may_answer.wait(20)
        if self.failures > 0:
            self.failures -= 1
            start_response("503 Slow Down", [("Content-Length", "0")])
            return [b""]
        return self._app(environ, start_response)

    def names(self) -> list[str]:
        """Return the names of all objects."""
        text = httpx.get(f"{self.url}/{self.bucket}").text
        return [part.partition("</Key>")[0] for part in text.split("<Key>")[1:]]

    def close(self) -> None:
        self.may_answer.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def moto() -> Iterator[Moto]:
    found = Moto()
    yield found
    found.close()


def in_bucket(moto: Moto) -> Store:
    place = f"s3://key:secret@{moto.url.removeprefix('http://')}/{moto.bucket}/nkk?tls=0"
    return store_at(NKK_FILES.get({"NKK_FILES": place}))


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return store_at(tmp_path)
    return in_bucket(request.getfixturevalue("moto"))


def test_an_object_is_what_was_last_put(store: Store) -> None:
    store.put("files/an-id/head", b"first")
    store.put("files/an-id/head", b"0123456789")
    assert store.get("files/an-id/head") == b"0123456789"
    assert store.get("files/an-id/head", 2, 5) == b"234"
    assert store.get("files/an-id/head", 7) == b"789"
    assert store.get("files/an-id/head", 7, 100) == b"789"
    assert store.get("files/an-id/head", 0, 0) == b""


def test_what_is_not_there_is_missing(store: Store) -> None:
    for start, stop in ((0, None), (0, 1), (5, None)):
        with pytest.raises(MissingError):
            store.get("files/an-id/head", start, stop)
    store.delete("files/an-id/head")
    store.delete_all("files/an-id")
    assert store.sizes("files/an-id") == {}
    assert list(store.ages("files")) == list(store.ages("unclaimed")) == []
    with pytest.raises(MissingError), store.hold("files/an-id/write"):
        raise AssertionError


def test_a_folder_tells_its_objects_and_goes_as_a_whole(store: Store) -> None:
    for name, content in (("head", b"1"), ("came-000000", b"22"), ("came-000001", b"")):
        store.put(f"files/an-id/{name}", content)
    store.put("files/an-id-too/head", b"1")
    store.put("unclaimed/an-id", b"")
    with store.hold("files/an-id/write"):
        assert store.sizes("files/an-id") == {"head": 1, "came-000000": 2, "came-000001": 0}
        store.delete("files/an-id/came-000001")
        assert store.sizes("files/an-id") == {"head": 1, "came-000000": 2}
        assert sorted(name for name, age in store.ages("files") if age < 60) == ["an-id", "an-id-too"]
        store.delete_all("files/an-id")
    assert [name for name, _ in store.ages("files")] == ["an-id-too"]
    assert [name for name, age in store.ages("unclaimed") if -60 < age < 60] == ["an-id"]


def test_a_folder_goes_also_where_somebody_asks_for_its_lock_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, remove, asking = Directory(tmp_path), Path.rmdir, iter([".write"])
    store.put("files/an-id/head", b"1")

    def asked(path: Path) -> None:
        for lock in asking:
            (path / lock).touch()
        remove(path)

    monkeypatch.setattr(Path, "rmdir", asked)
    store.delete_all("files/an-id")
    assert list(store.ages("files")) == []


def test_a_lock_has_one_holder_at_a_time(store: Store) -> None:
    store.put("files/an-id/head", b"")
    inside, most = [], []

    def work() -> None:
        for _ in range(3):
            with store.hold("files/an-id/write", patience=60):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 12


def test_who_waits_is_noticed_and_who_does_not_is_refused_at_once(store: Store) -> None:
    store.put("files/an-id/head", b"")
    with store.hold("files/an-id/write") as lock:
        assert not lock.is_wanted()
        with pytest.raises(HeldError), store.hold("files/an-id/write"):
            raise AssertionError
        with store.hold("files/an-id/check"):
            assert not lock.is_wanted()

        def wait() -> None:
            with store.hold("files/an-id/write", patience=60):
                pass

        waiting = threading.Thread(target=wait)
        waiting.start()
        eventually(lock.is_wanted)
    waiting.join()


def test_an_upload_goes_its_whole_way(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    uploads = Uploads(store, RING)
    plain = pattern(2 * SEGMENT + 5)
    id = uploads.create(REPORTER, len(plain), "a.pdf", original=True)
    uploads.write(REPORTER, id, 0, BytesIO(plain[: SEGMENT + 7]))
    assert uploads.state(REPORTER, id).offset == SEGMENT + 7
    uploads.write(REPORTER, id, SEGMENT + 7, BytesIO(plain[SEGMENT + 7 :]))
    checker = Checker(uploads, Inspection(), known=lambda _: set())
    checker.check_all()
    assert uploads.ready(REPORTER, [id])[0].size == len(plain)
    opened = uploads.open(id)
    assert b"".join(opened.chunks()) == plain
    assert b"".join(opened.chunks(SEGMENT - 1, SEGMENT + 1)) == plain[SEGMENT - 1 : SEGMENT + 1]
    assert {name.partition(".")[0] for name in store.sizes(f"files/{id}")} == {"head", "kept", "preview"}
    uploads.discard(REPORTER, id, lambda _: set())
    monkeypatch.setattr("gateway.files.checking.GRACE_SECONDS", -60.0)
    checker.expire()
    assert store.sizes(f"files/{id}") == {}


def test_parts_are_objects_of_their_own_and_tell_nothing(moto: Moto) -> None:
    uploads = Uploads(in_bucket(moto), RING)
    id = uploads.create(REPORTER, 2 * SEGMENT + 5, "surat-budi.pdf")
    uploads.write(REPORTER, id, 0, BytesIO(bytes(2 * SEGMENT + 5)))
    [listed] = [name for name in moto.names() if name.startswith("nkk/held/")]
    assert REPORTER not in listed
    assert sorted(moto.names()) == [
        *(f"nkk/files/{id}/came-00000{number}" for number in range(3)),
        f"nkk/files/{id}/head",
        listed,
        f"nkk/unchecked/{id}",
        f"nkk/unclaimed/{id}",
    ]


def test_a_bucket_that_is_busy_for_a_moment_is_asked_again(moto: Moto) -> None:
    uploads = Uploads(in_bucket(moto), RING)
    id = uploads.create(REPORTER, 10, "")
    moto.failures = 2
    assert uploads.write(REPORTER, id, 0, BytesIO(b"1234567890")) == 10


def test_a_bucket_that_stays_busy_is_away_and_loses_nothing(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "RETRY_SECONDS", 1)
    uploads = Uploads(in_bucket(moto), RING)
    plain = pattern(2 * SEGMENT)
    id = uploads.create(REPORTER, len(plain), "", original=True)
    uploads.write(REPORTER, id, 0, BytesIO(plain[:SEGMENT]))
    moto.failures = 10**6
    for refused in (
        lambda: uploads.write(REPORTER, id, SEGMENT, BytesIO(plain[SEGMENT:])),
        lambda: uploads.state(REPORTER, id),
        lambda: uploads.create(REPORTER, 1, ""),
    ):
        with pytest.raises(StoreAwayError):
            refused()
    moto.failures = 0

    def stored() -> int:
        try:
            return uploads.state(REPORTER, id).offset
        except StoreAwayError:
            return 0

    stands = eventually(stored)
    uploads.write(REPORTER, id, stands, BytesIO(plain[stands:]))
    Checker(uploads, Inspection()).check_all()
    assert b"".join(uploads.open(id).chunks()) == plain


def test_a_bucket_that_hangs_is_waited_for_once_and_not_by_every_thread(
    moto: Moto, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("ANSWER_SECONDS", 1), ("RETRY_SECONDS", 1), ("AWAY_SECONDS", 3.0)):
        monkeypatch.setattr(bucket, name, seconds)
    store = in_bucket(moto)
    store.put("files/an-id/head", b"1")
    moto.may_answer.clear()
    with pytest.raises(StoreAwayError):
        store.get("files/an-id/head")
    asked = len(moto.asked)
    for _ in range(50):
        with pytest.raises(StoreAwayError):
            store.get("files/an-id/head")
    assert len(moto.asked) == asked
    moto.may_answer.set()

    def is_back() -> bool:
        try:
            return store.get("files/an-id/head") == b"1"
        except StoreAwayError:
            return False

    eventually(is_back)
    assert store.get("files/an-id/head") == b"1"


def test_a_bucket_at_which_nothing_listens_is_away(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "RETRY_SECONDS", 1)
    store = in_bucket(moto)
    moto.close()
    with pytest.raises(StoreAwayError):
        store.get("files/an-id/head")
    with pytest.raises(StoreAwayError):
        store.put("files/an-id/head", b"")
    with pytest.raises(StoreAwayError):
        list(store.ages("files"))


def test_a_lost_part_is_said_to_be_lost(store: Store) -> None:
    uploads = Uploads(store, RING)
    id = send(uploads, pattern(3 * SEGMENT), original=True)
    Checker(uploads, Inspection()).check_all()
    (lost,) = [name for name in store.sizes(f"files/{id}") if name.startswith("kept") and name.endswith("-000001")]
    store.delete(f"files/{id}/{lost}")
    opened = uploads.open(id)
    assert len(b"".join(opened.chunks(0, SEGMENT))) == SEGMENT
    with pytest.raises(FileLost):
        list(opened.chunks())


def test_a_lock_of_a_bucket_is_renewed_while_it_is_held(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "RENEWAL_SECONDS", 0.1)
    monkeypatch.setattr(bucket, "LEASE_SECONDS", 0.6)
    store, other = in_bucket(moto), in_bucket(moto)
    store.put("files/an-id/head", b"")
    with store.hold("files/an-id/write") as lock:
        with pytest.raises(HeldError), other.hold("files/an-id/write", patience=2):
            raise AssertionError
        assert not lock.is_wanted()


def test_a_lock_of_a_bucket_whose_holder_died_is_taken_over(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "LEASE_SECONDS", 0.6)
    monkeypatch.setattr(bucket, "RENEWAL_SECONDS", 1000)
    dead, store = in_bucket(moto), in_bucket(moto)
    store.put("files/an-id/head", b"")
    with dead.hold("files/an-id/write") as lock:
        with store.hold("files/an-id/write", patience=30):
            assert "nkk/files/an-id/.write" in moto.names()
        # It finds out as soon as it would renew it, or asks.
        lock._is_lost = True  # type: ignore[attr-defined]
        with pytest.raises(HeldError):
            lock.is_wanted()


def test_an_upload_is_checked_in_a_bucket_by_one_process_alone(moto: Moto) -> None:
    uploads = Uploads(in_bucket(moto), RING)
    inspection = Inspection()
    id = send(uploads, b"x")
    with in_bucket(moto).hold(f"files/{id}/check"):
        Checker(uploads, inspection).check_all()
    assert inspection.asked == 0
    Checker(uploads, inspection).check_all()
    assert uploads.state(REPORTER, id).state is State.READY
