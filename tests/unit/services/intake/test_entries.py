"""The code of an entry: derived, given again for the same entry, and read as people type it."""

import re
from datetime import timedelta

import pytest

from services.intake.entries import ALPHABET, CODE_LIFETIME, Entry, code_of, hash_of
from tests.builders import MONDAY, TICKET
from tests.stages import VAULT

hidden = VAULT.hidden
CODE = code_of(hidden, "situs", "a key", TICKET)


def test_a_code_is_four_groups_of_four_symbols_that_are_not_taken_for_each_other() -> None:
    assert re.fullmatch(rf"([{ALPHABET}]{{4}}-){{3}}[{ALPHABET}]{{4}}", CODE)


def test_the_same_entry_has_the_same_code_and_every_other_another() -> None:
    assert code_of(hidden, "situs", "a key", TICKET) == CODE
    others = {
        code_of(hidden, *other) for other in (("x", "a key", TICKET), ("situs", "b", TICKET), ("situs", "a key", "x"))
    }
    assert len(others | {CODE}) == 4


def test_the_codes_use_all_symbols_in_every_place() -> None:
    codes = [code_of(hidden, "situs", str(number), TICKET).replace("-", "") for number in range(600)]
    assert all(set(place) == set(ALPHABET) for place in zip(*codes, strict=True))


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        CODE.lower(),
        CODE.replace("-", ""),
        CODE.replace("-", " "),
        f"  {CODE}\n",
        CODE.replace("-", "\u2013"),
        CODE.replace("0", "o").replace("1", "l"),
        CODE.replace("0", "O").replace("1", "I"),
    ],
)
def test_a_code_is_read_as_people_type_it(typed: str) -> None:
    assert hash_of(hidden, typed) == hash_of(hidden, CODE)


def test_another_code_has_another_hash() -> None:
    assert hash_of(hidden, CODE[:-1] + ("0" if CODE[-1] != "0" else "1")) != hash_of(hidden, CODE)


def test_a_code_is_good_once_and_for_ninety_days() -> None:
    entry = Entry(TICKET, "situs", "orang", MONDAY, "x", MONDAY + CODE_LIFETIME)
    assert entry.is_open(MONDAY + timedelta(days=90, microseconds=-1))
    assert not entry.is_open(MONDAY + timedelta(days=90))
    entry.used_at = MONDAY
    assert not entry.is_open(MONDAY)
