"""The accountant reports exactly the one file that is not as it was sent, shown or stored."""

import json
from collections import Counter
from typing import Any

import pytest

from nkk.contracts import STAGES
from tests.builders import TICKET, own_upload, upload
from tests.chaos.accountant.files import breaches
from tests.chaos.accountant.pages import Pages
from tests.chaos.record import Asked, Record

FILE = own_upload(number="1")
ANSWER = upload(number="R1-1", sha256="7b0d" * 16)
TO_QUESTION = upload(number="T1-1", id="ab" * 16, sha256="9c1e" * 16)
WHOLE = {each["id"]: each["sha256"] for each in (FILE, ANSWER, TO_QUESTION)}
OTHER = "PGD-OTHER"


SENT = {FILE["came_sha256"]: TICKET}


def row(ticket: str = TICKET, files: Any = (FILE,), answers: Any = (ANSWER,)) -> dict[str, Any]:
    return {"ticket": ticket, "files": json.dumps(files), "response_files": json.dumps(answers)}


def said(whole: dict[str, str] = WHOLE, record: Record | None = None, **tables: list[dict[str, Any]]) -> list[str]:
    true = {"complaints": [row()], "triage cases": [row()], "OPD cases": [row()]}
    true |= {"questions": [row(files=[TO_QUESTION])]}
    record = record or Record(0, sent=SENT, shown=[(TICKET, "1", FILE["sha256"])])
    true |= {f"{stage} openings": [] for stage in STAGES}
    pages = Pages((), Counter(), true | {name.replace("_", " "): rows for name, rows in tables.items()})
    return [str(breach) for breach in breaches(pages, record, whole)]


def test_true_files_balance() -> None:
    assert said() == []


@pytest.mark.parametrize("file", [FILE, ANSWER, TO_QUESTION], ids=["report", "response", "answer"])
@pytest.mark.parametrize("stored", [{}, {"sha256": "0" * 64}], ids=["lost", "changed"])
def test_a_file_that_is_not_whole_in_the_store(file: dict[str, Any], stored: dict[str, str]) -> None:
    whole = {id: digest for id, digest in WHOLE.items() if id != file["id"]}
    whole |= {file["id"]: stored["sha256"]} if stored else {}
    assert said(whole) == [f"files: {TICKET}: file {file['number']} is not whole in the store"]


def test_a_file_on_a_receipt_that_is_not_attached() -> None:
    record = Record(0, sent=SENT, shown=[(TICKET, "2", "ab" * 32)])
    assert said(record=record) == [f"files: {TICKET}: file 2 was shown as {'ab' * 8}, and is not so"]


def test_a_file_of_somebody_else() -> None:
    record = Record(0, sent=SENT | {FILE["came_sha256"]: OTHER})
    assert said(record=record) == [f"files: {TICKET}: file 1 was not sent for it"]


def test_a_file_whose_submission_had_no_answer_may_be_attached() -> None:
    assert said(record=Record(0, sent=SENT | {FILE["came_sha256"]: ""})) == []


@pytest.mark.parametrize("desk", ["triage cases", "OPD cases"])
def test_a_desk_that_lacks_a_file(desk: str) -> None:
    lacking = said(**{desk: [row(files=())]})
    assert lacking == [f"files: {TICKET}: {desk} have other files than were attached"]


def test_one_file_of_two_reports() -> None:
    two = said(complaints=[row(), row(OTHER, answers=())])
    assert f"files: {TICKET}, {OTHER}: all have the file {FILE['id']}" in two


def test_a_refused_file_that_is_attached() -> None:
    record = Record(0, sent=SENT, refused={FILE["came_sha256"]})
    assert said(record=record) == [f"files: {TICKET}: file 1 was refused, and is attached"]


def opened(who: str, status: int | None = 200, file: str = "1") -> Asked:
    return Asked(0.0, 0.1, "open file", who, status, TICKET, file=file)


def kept(role: str, of: str = "file") -> dict[str, Any]:
    return {"ticket": TICKET, "role": role, "detail": json.dumps({"file": "1", "of": of})}


def said_of_openings(asked: list[Asked], *rows: dict[str, Any]) -> list[str]:
    record = Record(0, asked=asked, sent=SENT, chosen={TICKET: {"R1-1"}})
    return said(record=record, triage_openings=list(rows))


@pytest.mark.parametrize("of", ["file", "preview"])
@pytest.mark.parametrize("again", [0, 1])
def test_an_opening_stands_in_the_record_once(of: str, again: int) -> None:
    asked = opened("main_team", file="1/preview" if of == "preview" else "1")
    assert said_of_openings([asked] * (1 + again), *[kept("main_team", of)] * (1 + again)) == []
    [breach] = said_of_openings([asked], *[kept("main_team", of)] * (2 * again))
    assert "times recorded, 1 times answered and perhaps 0 times more" in breach


def test_an_opening_whose_answer_was_lost_may_stand_in_the_record() -> None:
    for rows in ([], [kept("main_team")]):
        assert said_of_openings([opened("main_team", 503)], *rows) == []


def test_a_reporter_gets_what_the_operator_chose_and_no_more() -> None:
    assert said_of_openings([opened("reporter 1"), opened("reporter 1", file="R1-1")]) == []
    [breach] = said_of_openings([opened("reporter 1", file="R1-2")])
    assert "its reporter got file R1-2, which the operator did not send" in breach
