"""Input that is unreadable or invalid is refused by field, and nothing of it is stored."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.builders import complaint_form
from tests.e2e.test_accounts import in_rounds
from tests.installations import PATIENCE, eventually
from tests.people import People, Person
from tests.problems import at_fault, problem

DATABASES = ["postgres"]

JSON = {"Content-Type": "application/json"}
FORM = json.dumps(complaint_form()).encode()

UNREADABLE = {
    "cut off": FORM[:-1],
    "not UTF-8": FORM.replace(b"Loket", b"\xff\xfe"),
    "UTF-16": FORM.decode().encode("utf-16"),
    "NaN": b'{"text": NaN}',
    "infinity": b'{"text": -Infinity}',
    "a number of 5,000 digits": b'{"text": ' + b"9" * 5_000 + b"}",
    "100,000 brackets": b"[" * 100_000,
    "100,000 brackets, closed": b"[" * 100_000 + b"]" * 100_000,
    "brackets within a field": b'{"text": ' + b"[" * 5_000 + b'"\\ud800"' + b"]" * 5_000 + b"}",
    "half an emoji": json.dumps(complaint_form(text="\ud83d")).encode(),
    "half an emoji as a name": b'{"\\ud83d": 1}',
    "an array": b"[]",
    "a text": b'"Loket tutup"',
    "a number": b"7",
    "null": b"null",
}

LONG = {
    "subject_line": 200,
    "text": 20_000,
    "place": 150,
    "happened_on": 150,
    "accused_name": 150,
    "accused_position": 150,
}
OF_WRONG_TYPE = (7, 1.5, [], {}, ["x"], {"x": "y"}, False)
WRONG = [
    # What the lists do not have, each by itself: a sub-category belongs to a category.
    {"category": "tidak-ada"},
    {"category": "Kode-Perilaku"},
    {"category": "a" * 1_000},
    {"sub_category": "tidak-ada"},
    {"sub_category": "kesetiaan"},
    {"accused_opd": "dinas-langit"},
    *in_rounds(
        category=["", None],
        sub_category=[None],
        accused_opd=[""],
        claimed_kind=["gosip", None],
        confidential=[None, "true", 1],
        **{
            field: ["", " \r\n\t", "\u200b\u00a0", "\x00\x1b", "x" * (length + 1)]
            + ([None] if field in ("subject_line", "text") else [])
            for field, length in LONG.items()
        },
    ),
]


@pytest.fixture(scope="module")
def refused(people: People) -> Person:
    """Return a reporter whose submissions are all refused."""
    return people.reporter()


@pytest.fixture(scope="module")
def handed_over(people: People) -> str:
    """Return the ticket of a complaint that waits for its classification."""
    ticket = people.submit(people.reporter())
    people.operator.post(f"/complaints/{ticket}/handover")
    eventually(lambda: ticket in people.main_team.desk("triage"))
    return ticket


@pytest.fixture(autouse=True)
def nothing_is_kept(refused: Person) -> Iterator[None]:
    yield
    assert refused.get("/complaints")["items"] == []


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_is_no_json_object_is_refused_with_what_to_check(refused: Person, body: bytes) -> None:
    problem(refused.ask("POST", "/complaints", content=body, headers=JSON), 400, "malformed")


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "json",
    ],
)
def test_a_body_of_another_content_type_is_refused_even_where_it_is_json(refused: Person, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}
    said = problem(refused.ask("POST", "/complaints", content=FORM, headers=headers), 415, "not-json")
    assert "Content-Type: application/json" in said["detail"]


def test_values_of_the_wrong_type_are_refused_by_their_fields(refused: Person) -> None:
    for value in OF_WRONG_TYPE:
        wrong = {field: value for field in complaint_form() if field != "confidential" or value is not False}
        assert at_fault(refused.ask("POST", "/complaints", complaint_form(**wrong))) == set(wrong), value


def test_values_that_cannot_be_are_refused_by_their_fields(refused: Person) -> None:
    for wrong in WRONG:
        assert at_fault(refused.ask("POST", "/complaints", complaint_form(**wrong))) == set(wrong), wrong


def test_every_missing_field_is_named(refused: Person) -> None:
    response = refused.ask("POST", "/complaints", {})
    assert at_fault(response) == {"category", "sub_category", "subject_line", "text"}


def test_a_field_we_do_not_know_is_named_and_not_ignored(refused: Person) -> None:
    form = complaint_form(reporter_id="somebody-else", ticket="NKK-2026-EDXY-ER30", txt="salah ketik")
    assert at_fault(refused.ask("POST", "/complaints", form)) == {"reporter_id", "ticket", "txt"}


@pytest.mark.parametrize("length", [1_000_000, 5_000_000])
def test_a_text_of_a_million_characters_is_refused_by_its_length_alone(
    people: People, refused: Person, length: int
) -> None:
    with httpx.Client(base_url=people.installation.url, timeout=PATIENCE) as http:
        response = Person(http, refused.token).ask("POST", "/complaints", complaint_form(text="x" * length))
    assert "20,000 characters" in problem(response, 413, "too-large")["detail"]


def test_a_long_body_in_chunks_is_refused_as_one_of_known_length_is(refused: Person) -> None:
    chunks = (b" " * 1_024 for _ in range(300))
    problem(refused.ask("POST", "/complaints", content=chunks, headers=JSON), 413, "too-large")


def test_a_body_that_is_too_long_costs_the_next_request_on_its_connection_nothing(
    people: People, refused: Person
) -> None:
    one_connection = httpx.Limits(max_connections=1)
    with httpx.Client(base_url=people.installation.url, timeout=PATIENCE, limits=one_connection) as http:
        for _ in range(5):
            problem(
                Person(http, refused.token).ask("POST", "/complaints", content=b" " * 400_000, headers=JSON),
                413,
                "too-large",
            )
            assert http.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["handover", "classification", "response", "approval", "answer", "receipt"])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"text": {}}'])
def test_no_act_on_a_complaint_fails_on_our_side_whatever_it_is_sent(people: People, path: str, body: bytes) -> None:
    everybody = (people.operator, people.main_team, people.admin, people.anyone)
    for person in everybody:
        response = person.ask("POST", f"/complaints/NKK-2026-EDXY-ER30/{path}", content=body, headers=JSON)
        assert 400 <= response.status_code < 500, response.text


@pytest.mark.parametrize(
    ("path", "form", "fields"),
    [
        ("classification", {"kind": "pengaduan"}, {"kind"}),
        ("classification", {"kind": "complaint"}, {"opd"}),
        ("classification", {"kind": "complaint", "opd": "dinas-langit"}, {"opd"}),
        ("classification", {"kind": "information", "opd": "inspektorat"}, {"opd"}),
        ("classification", {"kind": "information", "note": "x" * 4_001}, {"note"}),
        ("classification", {}, {"kind"}),
        ("approval", {"approved": False}, {"note"}),
        ("approval", {"approved": "yes"}, {"approved"}),
        ("approval", {"approved": 1}, {"approved"}),
        ("approval", {"approved": None}, {"approved"}),
        ("approval", {"approved": False, "note": "\x00"}, {"note"}),
        ("approval", {}, {"approved"}),
    ],
)
def test_the_main_team_is_told_what_its_decision_lacks(
    people: People, handed_over: str, path: str, form: dict, fields: set
) -> None:
    assert at_fault(people.main_team.ask("POST", f"/complaints/{handed_over}/{path}", form)) == fields


@pytest.mark.parametrize("text", ["", " \n", "x" * 20_001, "\x00", None, 7, ["x"]])
def test_an_answer_that_is_no_text_is_refused(people: People, text: object) -> None:
    assert at_fault(people.operator.ask("POST", "/complaints/NKK-2026-EDXY-ER30/answer", {"text": text})) == {"text"}


def test_a_response_that_is_no_text_is_refused(people: People) -> None:
    team = people.opd_team("inspektorat")
    for text in ("", "x" * 20_001, "\x07", None, {}):
        assert at_fault(team.ask("POST", "/complaints/NKK-2026-EDXY-ER30/response", {"text": text})) == {"text"}
