"""`nkk files` on a running installation."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from tests.builders import complaint_form
from tests.forks import run_nkk
from tests.installations import Installation, eventually
from tests.people import People, Person


def sent(person: Person, plain: bytes) -> str:
    """Send a file and return its id once it is ready."""
    answer = person.ask("POST", "/uploads", files={"file": ("bukti.txt", BytesIO(plain))})
    assert answer.status_code == 201, answer.text
    (upload,) = answer.json()["uploads"]
    id: str = upload["id"]
    eventually(lambda: person.get(f"/uploads/{id}")["state"] == "ready")
    return id


def nkk_files(whole: Installation, *arguments: str, **environment: str) -> tuple[int, list[dict[str, Any]], str]:
    """Return the exit code of `nkk files`, the lines that it printed, and what it said."""
    given = whole.stack.environment("gateway") | environment
    done = run_nkk("--var", str(whole.stack.var), "files", *arguments, environment=given)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def folder_of(whole: Installation, id: str) -> Path:
    return whole.stack.var / "files" / "files" / id[:2] / id


@pytest.mark.on_both
def test_a_lost_file_is_found_and_said_to_be_lost_where_it_is_opened(whole: Installation, people: People) -> None:
    reporter = people.reporter()
    id = sent(reporter, b"Kuitansi 12.000 rupiah.\n" * 9)
    ticket = reporter.post("/complaints", complaint_form() | {"files": [id]}, expect=201)["ticket"]
    code, lines, said = nkk_files(whole, "check")
    assert (code, [line for line in lines if line["file"] == id]) == (0, []), said
    (part,) = folder_of(whole, id).glob("kept*")
    kept = part.read_bytes()
    part.unlink()
    try:
        code, lines, _ = nkk_files(whole, "check")
        assert code == 1
        assert {"file": id, "fault": "missing", "stage": "intake"} in lines
        assert reporter.ask("GET", f"/complaints/{ticket}/files/1").status_code == 410
    finally:
        part.write_bytes(kept)
    assert reporter.ask("GET", f"/complaints/{ticket}/files/1").status_code == 200
    assert nkk_files(whole, "check")[0] == 0


def test_keys_are_rotated_while_it_runs(whole: Installation, people: People) -> None:
    id = sent(people.reporter(), b"bukti\n")
    old, new = whole.stack.keys["NKK_FILES_KEYS"], Fernet.generate_key().decode()
    header = (folder_of(whole, id) / "head").read_bytes()
    code, _, said = nkk_files(whole, "rotate", NKK_FILES_KEYS=f"{new},{old}")
    assert code == 0, said
    changed = (folder_of(whole, id) / "head").read_bytes()
    assert (changed == header, len(changed) == len(header)) == (False, True)
    code, _, said = nkk_files(whole, "rotate", NKK_FILES_KEYS=f"{old},{new}")
    assert (code, said.startswith("0 ")) == (0, False), said
