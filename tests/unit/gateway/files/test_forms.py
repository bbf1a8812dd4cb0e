"""A form with files is read as it arrives: its files go into the store, whatever way its bytes come."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from gateway.files import forms
from gateway.files.arriving import PIECE, BrokenOffError, TooSlowError
from gateway.files.facts import State
from gateway.files.refusals import TooManyFiles, UploadTooLong
from gateway.files.sealing import SEGMENT
from gateway.files.stores import StoreFullError
from gateway.files.uploads import Limits, Uploads
from tests.unit.gateway.files.stand_ins import BROKEN, REPORTER, BadStore, Bodies, pattern, uploads_in

PLAIN = pattern(2 * SEGMENT + 77)


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return uploads_in(tmp_path, Limits(file_bytes=4_000_000))


def written(*parts: tuple[str, Any]) -> tuple[bytes, str]:
    """Return a form as a browser sends it, and its content type."""
    body = bytearray()
    for name, value in parts:
        plain, filename = (value.encode(), "") if isinstance(value, str) else (value[0], f'; filename="{value[1]}"')
        body += f'--limit\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n'.encode() + plain + b"\r\n"
    return bytes(body) + b"--limit--\r\n", "multipart/form-data; boundary=limit"


def received(uploads: Uploads, body: bytes, content_type: str, **how: Any) -> forms.Form:
    return forms.receive(uploads, REPORTER, BytesIO(body), content_type, **how)


def came(uploads: Uploads, id: str) -> bytes:
    key, facts = uploads.headers.read(id)
    return uploads._content(id, "came", key).all_of(facts.length or 0)


def left(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def test_its_fields_and_files_are_what_was_sent(uploads: Uploads) -> None:
    body, content_type = written(
        ("token", "t"), ("what", "Pungli ☂"), ("file", (PLAIN, "a.pdf")), ("file", (b"b", "b"))
    )
    form = received(uploads, body, content_type)
    assert dict(form.fields) == {"token": "t", "what": "Pungli ☂"}
    assert [came(uploads, id) for id in form.ids] == [PLAIN, b"b"]
    assert [uploads.state(REPORTER, id).name for id in form.ids] == ["a.pdf", "b"]
    assert {uploads.state(REPORTER, id).state for id in form.ids} == {State.CHECKING}


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64, 1000])
def test_it_is_the_same_in_however_small_pieces_it_comes(uploads: Uploads, size: int) -> None:
    plain = b"\r\n--not the boundary\r\n--" * 40
    body, content_type = written(("what", "x\r\n--y"), ("file", (plain, "a.pdf")))
    parts: list[bytes | None] = [body[start : start + size] for start in range(0, len(body), size)]
    parts[1:1] = [None]
    form = forms.receive(uploads, REPORTER, Bodies(*parts), content_type)
    assert form.fields["what"] == "x\r\n--y"
    assert [came(uploads, id) for id in form.ids] == [plain]


def test_fields_in_which_nothing_was_chosen_are_no_files_and_an_empty_file_is_one(uploads: Uploads) -> None:
    body, content_type = written(("file", (b"", "")), ("file", (b"", "leer.txt")))
    form = received(uploads, body, content_type)
    assert [uploads.state(REPORTER, id).name for id in form.ids] == ["leer.txt"]


def test_the_fields_before_the_first_file_are_judged_before_it_is_read(uploads: Uploads, tmp_path: Path) -> None:
    class RefusedError(Exception):
        pass

    def refuse(fields: forms.Fields) -> bool:
        assert dict(fields) == {"token": "forged"}
        raise RefusedError

    body, content_type = written(("token", "forged"), ("file", (PLAIN, "a.pdf")))
    seen = Bodies(body[: len(body) - len(PLAIN)], AssertionError("more was read"))
    with pytest.raises(RefusedError):
        forms.receive(uploads, REPORTER, seen, content_type, refuse)
    assert list(left(tmp_path)) == []
    with pytest.raises(RefusedError):
        received(uploads, *written(("token", "forged")), before_files=refuse)


def test_what_they_say_of_originals_holds_for_each_file(uploads: Uploads) -> None:
    body, content_type = written(("original", "1"), ("file", (b"a", "a")), ("file", (b"b", "b")))
    form = received(uploads, body, content_type, before_files=lambda fields: fields["original"] == "1")
    assert [uploads.state(REPORTER, id).original for id in form.ids] == [True, True]


def test_nothing_stays_of_one_that_breaks_off(uploads: Uploads, tmp_path: Path) -> None:
    body, content_type = written(("file", (b"first", "a")), ("file", (PLAIN, "b")))
    for cut in (10, 200, SEGMENT + 500, len(body) - 3):
        with pytest.raises((BrokenOffError, BadRequest)):
            forms.receive(uploads, REPORTER, Bodies(body[:cut], BROKEN), content_type)
        with pytest.raises(BadRequest):
            forms.receive(uploads, REPORTER, Bodies(body[:cut]), content_type)
        assert list(left(tmp_path)) == []


def test_nothing_stays_of_one_with_too_much(uploads: Uploads, tmp_path: Path) -> None:
    too_many = written(*(("file", (b"x", "x")) for _ in range(11)))
    for body, refusal in (
        (too_many, TooManyFiles),
        (written(("file", (bytes(4_000_001), "x"))), UploadTooLong),
        (written(("what", "x" * 262_145)), RequestEntityTooLarge),
        (written(*((f"f{number}", "x") for number in range(201))), RequestEntityTooLarge),
    ):
        with pytest.raises(refusal):
            received(uploads, *body)
        assert list(left(tmp_path)) == []


@pytest.mark.parametrize(
    ("last", "refusal"), [((b"x", "x"), TooManyFiles), ((bytes(4_000_001), "x"), UploadTooLong)], ids=["many", "long"]
)
def test_the_files_before_a_refused_one_stay_where_the_form_is_shown_again(
    uploads: Uploads, last: tuple[bytes, str], refusal: type[Exception]
) -> None:
    before = 10 if refusal is TooManyFiles else 2
    body = written(("what", "Loket"), *(("file", (b"%d" % number, "x")) for number in range(before)), ("file", last))
    form = received(uploads, *body, keeps_earlier=True)
    assert isinstance(form.refusal, refusal)
    assert form.fields["what"] == "Loket"
    assert [came(uploads, id) for id in form.ids] == [b"%d" % number for number in range(before)]


def test_what_is_refused_before_any_file_leaves_nothing(uploads: Uploads, tmp_path: Path) -> None:
    def refuse(_fields: forms.Fields) -> bool:
        raise TooManyFiles

    with pytest.raises(TooManyFiles):
        received(
            uploads,
            *written(("what", "x"), ("file", (b"x", "x"))),
            before_files=refuse,
            keeps_earlier=True,
        )
    assert list(left(tmp_path)) == []


def test_nothing_stays_of_one_for_which_the_store_has_no_room(uploads: Uploads, tmp_path: Path) -> None:
    assert isinstance(uploads.store, BadStore)
    uploads.store.room = SEGMENT + 100_000
    with pytest.raises(StoreFullError):
        received(uploads, *written(("file", (PLAIN, "x"))))
    assert list(left(tmp_path)) == []


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"a=b", "application/x-www-form-urlencoded"),
        (b"--x--", "multipart/form-data"),
        (b"--x--", "multipart/form-data; boundary="),
        (b"--x--", "multipart/form-data; boundary=" + "x" * 71),
        (b"--x--", "multipart/form-data; boundary=\xfc"),
        (b"--x\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data; filename=a\r\n\r\n1\r\n--x--", "multipart/form-data; boundary=x"),
        (b"--x\r\n\xff: \xff\r\n\r\n1\r\n--x--", "multipart/form-data; boundary=x"),
        (b"--x\r\n" + b"a" * 70_000, "multipart/form-data; boundary=x"),
        (b"y" * 70_000, "multipart/form-data; boundary=x"),
        (b"--x--\r\n" + b"y" * 70_000, "multipart/form-data; boundary=x"),
    ],
    ids=range(13),
)
def test_what_is_no_form_is_refused(uploads: Uploads, tmp_path: Path, body: bytes, content_type: str) -> None:
    with pytest.raises(BadRequest):
        received(uploads, body, content_type)
    assert list(left(tmp_path)) == []


def test_a_form_without_parts_is_empty(uploads: Uploads) -> None:
    assert received(uploads, b"--x--\r\n", "multipart/form-data; boundary=x") == forms.Form()


def test_the_fields_before_the_first_file_are_read_and_nothing_of_the_file() -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nCerita\r\n'
        b'--x\r\nContent-Disposition: form-data; name="berkas"; filename="a.txt"\r\n\r\n' + b"a" * 1_000_000
    )
    stream = BytesIO(body)
    found = forms.fields_before_files(stream, "multipart/form-data; boundary=x")
    assert found.to_dict() == {"text": "Cerita"}
    assert stream.tell() == PIECE


def test_fields_that_do_not_come_to_their_end_in_time_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "FIELDS_SECONDS", 0.0)
    body, content_type = written(("text", "Cerita"), ("more", "Lanjutan"))
    with pytest.raises(TooSlowError):
        forms.fields_before_files(Bodies(body[:20], *[None] * 100), content_type)
