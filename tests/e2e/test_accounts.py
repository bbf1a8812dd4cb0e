"""Registration: which accounts and fields are accepted."""

import uuid
from collections.abc import Sequence

import pytest

from tests.people import REGISTRATION, People
from tests.problems import at_fault, problem

DATABASES = ["postgres"]

NIP = "199003052015031001"

WRONG = {
    "identity_number": [
        "",
        "123",
        "19710141079000012",
        "197101410790000a",
        "١٩٧١٠١٤١٠٧٩٠٠٠٠١",
        "1971013213900001",
        "1971010113900001",
        "1971013002900001",
        "1971014107900000",
        "0971014107900001",
        "1" * 40,
        NIP,
        "1971-0141-0790-001",
        None,
        1971014107900001,
    ],
    "kind": ["asn", "", None, "operator", 1, []],
    "name": ["", "  ", "x" * 151, "\x00", None, 7, {}],
    "email": [
        "",
        "siti",
        "siti@",
        "@example.id",
        "siti@@example.id",
        "siti@example",
        "siti rahma@example.id",
        "siti@localhost",
        "siti@[192.0.2.1]",
        "síti@example.id",
        "si\x01ti@example.id",
        "siti@example.id\r\nBcc: siti@example.org",
        "siti@example.id, siti@example.org",
        "x" * 250 + "@example.id",
        "siti@example.id\x00",
        None,
        7,
    ],
    "phone": ["", "abc", "+", "0812", "0" * 21, "+62 812 0000 000a", "٠٨١٢٣٤٥٦٧٨", "0812;345678", 62812, []],
    "username": ["", "ab", "-siti", ".siti", "siti rahma", "siti/../admin", "sïti", "x" * 65, "\x00", None, 7],
    "password": ["", "pendek", "x" * 9, "x" * 129, "x" * 100_000, "rahasia\x00sekali", None, 1234567890, ["rahasia"]],
}
WRONG_NIPS = [
    "1971014107900001",
    "19900305201503100",
    "1990030520150310011",
    "199013052015031001",
    "199002302015031001",
    "199003052015131001",
    "199003051995031001",
    "199003052015033001",
    "199003052015031000",
    "19900305201503100a",
    "299003052015031001",
]


def registration(**changed: object) -> dict:
    return {**REGISTRATION, "username": f"warga-{uuid.uuid4().hex[:10]}", **changed}


def in_rounds(**wrong: Sequence[object]) -> list[dict[str, object]]:
    """Return forms that have each wrong value once, as many fields at a time as have values left."""
    return [
        {field: values[number] for field, values in wrong.items() if number < len(values)}
        for number in range(max(map(len, wrong.values())))
    ]


CREDENTIALS = ("username", "password")
ROUNDS = [
    # The kind says which number is right, so it is wrong by itself.
    *in_rounds(kind=WRONG["kind"]),
    *in_rounds(**{field: values for field, values in WRONG.items() if field not in (*CREDENTIALS, "kind")}),
    *in_rounds(**{field: WRONG[field] for field in CREDENTIALS}),
]


def test_a_registration_with_wrong_fields_is_refused_by_each_and_keeps_nothing(people: People) -> None:
    for wrong in ROUNDS:
        account = registration(**wrong)
        assert at_fault(people.anyone.ask("POST", "/reporters", account)) == set(wrong), wrong
        if not wrong.keys() & set(CREDENTIALS):
            credentials = {key: account[key] for key in CREDENTIALS}
            problem(people.anyone.ask("POST", "/sessions", credentials), 401, "not-authenticated")


@pytest.mark.parametrize("number", WRONG_NIPS)
def test_a_civil_servant_needs_a_nip_that_can_be(people: People, number: str) -> None:
    account = registration(kind="civil_servant", identity_number=number)
    assert at_fault(people.anyone.ask("POST", "/reporters", account)) == {"identity_number"}


def test_a_civil_servant_registers_with_a_nip(people: People) -> None:
    reporter = people.reporter(kind="civil_servant", identity_number=NIP)
    ticket = people.submit(reporter)
    shown = people.operator.post(f"/complaints/{ticket}/identity")
    assert (shown["kind"], shown["identity_number"]) == ("civil_servant", NIP)


def test_every_missing_field_of_a_registration_is_named(people: People) -> None:
    needed = {"kind", "identity_number", "name", "email", "username", "password"}
    assert at_fault(people.anyone.ask("POST", "/reporters", {})) == needed


@pytest.mark.parametrize("field", ["role", "id", "group", "confidential", "opd"])
def test_nobody_registers_with_more_than_a_reporter_is_asked_for(people: People, field: str) -> None:
    assert at_fault(people.anyone.ask("POST", "/reporters", registration(**{field: "admin"}))) == {field}


def test_without_a_phone_one_registers_all_the_same(people: People) -> None:
    account = registration()
    del account["phone"]
    people.anyone.post("/reporters", account, expect=201)
    people.anyone.post("/reporters", registration(phone=None), expect=201)


def test_the_password_must_not_hold_the_user_name(people: People) -> None:
    account = registration(username="melati-putih", password="xMelati-Putih-1")
    assert at_fault(people.anyone.ask("POST", "/reporters", account)) == {"password"}


@pytest.mark.parametrize(
    "password", ["sepuluh 10", "xyzuvwas" * 16, "  spasi di tepi  ", "😀🌊🔑🐢🍃" * 2, "kata\tsandi\x07"]
)
def test_a_password_is_kept_exactly_as_typed(people: People, password: str) -> None:
    account = registration(password=password)
    people.anyone.post("/reporters", account, expect=201)
    people.log_in(account["username"], password)
    for other in (password + " ", password.strip() + "x", password.upper() + "y"):
        problem(
            people.anyone.ask("POST", "/sessions", {"username": account["username"], "password": other}),
            401,
            "not-authenticated",
        )


def test_a_user_name_is_one_persons_however_it_is_typed(people: People) -> None:
    username = f"Melati-{uuid.uuid4().hex[:8]}"
    people.anyone.post("/reporters", registration(username=username), expect=201)
    for typed in (username, username.lower(), username.upper(), f"  {username} "):
        people.log_in(typed, REGISTRATION["password"])
        # Another person's name, because an identical registration is taken for a repeated click.
        another = registration(username=typed, name="Orang Lain")
        taken = problem(people.anyone.ask("POST", "/reporters", another), 409, "username-taken")
        assert set(taken["errors"]) == {"username"}
    people.log_in(username, REGISTRATION["password"])
