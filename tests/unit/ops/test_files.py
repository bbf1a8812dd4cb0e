"""The files of an installation as a whole: rotated, and compared with what the stages have attached."""

import os
import time
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from gateway.files.checking import Checker
from gateway.files.sealing import ring_of
from gateway.files.uploads import Uploads
from ops.files import Fault, Files
from tests.unit.gateway.files.stand_ins import RING, pattern, uploads_in
from tests.unit.gateway.files.test_checking import Inspection, send

NEW = ring_of([Fernet.generate_key().decode()])


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return uploads_in(tmp_path)


def ready(uploads: Uploads, plain: bytes = b"x") -> str:
    id = send(uploads, plain, original=True)
    Checker(uploads, Inspection()).check_all()
    return id


def told(_id: str, _why: str) -> None:
    raise AssertionError


def test_after_a_rotation_the_new_key_alone_opens_every_file(uploads: Uploads) -> None:
    ids = [ready(uploads, pattern(number)) for number in (1, 70_000)]
    begun = uploads.create("reporter:1", 5, "")
    sizes = {id: uploads.store.sizes(f"files/{id}") for id in ids}
    assert Files(uploads.store, [*NEW, *RING]).rotate(told) == (3, 0)
    assert Files(uploads.store, [*NEW, *RING]).rotate(told) == (0, 0)
    after = Uploads(uploads.store, NEW)
    assert [b"".join(after.open(id).chunks()) for id in ids] == [pattern(1), pattern(70_000)]
    assert after.state("reporter:1", begun).offset == 0
    assert {id: uploads.store.sizes(f"files/{id}") for id in ids} == sizes


def test_what_no_key_opens_and_what_is_in_use_is_told_and_the_rest_is_rotated(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.files.PATIENCE_SECONDS", 0)
    foreign = Uploads(uploads.store, ring_of([Fernet.generate_key().decode()])).create("reporter:1", 5, "")
    used, good = ready(uploads), ready(uploads)
    failed: dict[str, str] = {}
    with uploads.store.hold(f"files/{used}/write"):
        done = Files(uploads.store, [*NEW, *RING]).rotate(failed.__setitem__)
    assert done == (1, 2)
    assert failed.keys() == {foreign, used}
    assert b"".join(Uploads(uploads.store, NEW).open(good).chunks()) == b"x"


def test_what_is_missing_changed_or_attached_to_nothing_is_found(uploads: Uploads, tmp_path: Path) -> None:
    good, gone, cut, bent, headless, loose, young = (ready(uploads, pattern(70_000)) for _ in range(7))
    uploads.store.delete_all(f"files/{gone}")
    for id, harm in ((cut, "delete"), (bent, "bend"), (headless, "head")):
        folder = tmp_path / "files" / id[:2] / id
        (part,) = folder.glob("kept*") if harm != "head" else [folder / "head"]
        if harm == "delete":
            part.unlink()
        else:
            plain = part.read_bytes()
            part.write_bytes(plain[:-1] + bytes([plain[-1] ^ 1]))
    then = time.time() - 26 * 3600
    for folder in (tmp_path / "files").glob("*/*"):
        if folder.name != young:
            os.utime(folder, (then, then))
    attached = {"intake": sorted([good, gone, cut, bent]), "opd_response": [headless], "notification": []}

    def after(stage: str, last: str) -> list[str]:
        return [id for id in attached[stage] if id > last][:2]

    assert sorted(Files(uploads.store, RING).check(after, 25), key=str) == sorted(
        [
            Fault(gone, "missing", "intake"),
            Fault(cut, "missing", "intake"),
            Fault(bent, "changed", "intake"),
            Fault(headless, "changed", "opd_response"),
            Fault(loose, "unattached"),
        ],
        key=str,
    )
