"""The hashes and boxes that notification stores and shows instead of ids."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkk.trust.sealing import CannotOpenError, new_key_pair, seal
from services.notification.keyed import Keyed
from tests.builders import TICKET

PRIVATE, PUBLIC = new_key_pair()
KEYED, OTHER = Keyed(PRIVATE), Keyed(new_key_pair()[0])
OTHER_TICKET = "NKK-2026-3M3W-0NXV"


def hashes(keyed: Keyed, text: str) -> list[str]:
    return [
        keyed.author(TICKET, text),
        keyed.author(OTHER_TICKET, text),
        keyed.author(text, TICKET),
        keyed.reporter(text),
        keyed.message_id(text),
    ]


@given(st.text(max_size=64))
def test_one_id_has_another_hash_for_each_purpose_each_complaint_and_each_key(text):
    found = hashes(KEYED, text) + hashes(OTHER, text)
    assert hashes(Keyed(PRIVATE), text) + hashes(OTHER, text) == found
    for one, another in combinations(found, 2):
        assert one[:32] != another[:32]


def test_hashes_of_two_parts_do_not_meet_where_the_parts_are_cut_otherwise():
    assert KEYED.author("a", "bc") != KEYED.author("ab", "c")


def test_a_box_opens_for_its_own_complaint_and_key_alone():
    box = KEYED.seal_reporter(TICKET, "reporter-1")
    assert KEYED.open_reporter(box, TICKET) == "reporter-1"
    assert box != KEYED.seal_reporter(TICKET, "reporter-1")
    for keyed, ticket in ((KEYED, OTHER_TICKET), (OTHER, TICKET)):
        with pytest.raises(CannotOpenError):
            keyed.open_reporter(box, ticket)


@pytest.mark.parametrize(
    "content",
    [
        {"reporter_id": "reporter-1"},
        {"ticket": TICKET},
        {},
        [TICKET],
        "x",
        None,
        7,
        {"ticket": TICKET, "reporter_id": None},
        {"ticket": [TICKET], "reporter_id": "x"},
    ],
)
def test_a_box_that_holds_something_else_is_one_that_cannot_be_opened(content):
    with pytest.raises(CannotOpenError):
        KEYED.open_reporter(seal(content, PUBLIC), TICKET)
