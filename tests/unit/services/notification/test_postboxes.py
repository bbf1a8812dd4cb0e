"""An address gets at most a fixed number of letters an hour, whoever requests them and when."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkk.trust.sealing import CannotOpenError, new_key_pair
from services.notification.keyed import Keyed
from services.notification.postboxes import Addressee, Postbox

START = datetime(2026, 3, 2, 1, 0, 0, 500_000, tzinfo=UTC)
HOUR = timedelta(hours=1)
SOMEBODY = Addressee("orang@example.org")


def kept(postbox: Postbox, places: int) -> Postbox:
    return Postbox.read(postbox.written(places))


@given(st.integers(1, 14), st.lists(st.floats(0, 3_000), max_size=60))
def test_no_hour_sees_more_letters_than_there_are_places_and_none_waits_for_nothing(places, pauses):
    postbox, now, left = Postbox(), START, []
    for pause in pauses:
        now += timedelta(seconds=pause)
        if postbox.admit(now, places):
            left.append(now)
        else:
            assert now < left[-places] + HOUR + timedelta(minutes=5, seconds=1)
        postbox = kept(postbox, places)
    assert all(later - earlier >= HOUR for earlier, later in zip(left, left[places:], strict=False))


def test_who_comes_later_waits_behind_those_who_wait():
    postbox = Postbox()
    until = datetime(2026, 3, 2, 2, 5, tzinfo=UTC)
    assert [postbox.admit(START, 2) for _ in range(3)] == [True, True, False]
    # A place is free by now, but belongs to those who came before.
    assert not postbox.admit(START + HOUR + timedelta(seconds=30), 2)
    assert [postbox.admit(until, 2) for _ in range(3)] == [True, True, False]
    assert postbox.admit(until + HOUR, 2)


def test_what_did_not_leave_gives_its_place_back():
    postbox = Postbox()
    for _ in range(3):
        assert postbox.admit(START, 3)
    postbox.give_back([SOMEBODY] * 2)
    assert [postbox.admit(START, 3) for _ in range(3)] == [True, True, False]
    postbox.give_back([SOMEBODY] * 9)
    assert postbox.taken == []


def account(number: int, days: int) -> Addressee:
    """Return an account that has had the address for `days` days."""
    return Addressee(SOMEBODY.email, f"{number:08x}", START - timedelta(days=days))


@given(st.integers(1, 5), st.lists(st.tuples(st.floats(0, 3_000), st.integers(0, 9), st.booleans()), max_size=80))
def test_accounts_have_three_letters_an_hour_beside_the_places_at_most(places, asked):
    postbox, now, left = Postbox(), START, []
    for pause, number, has_left in asked:
        now += timedelta(seconds=pause)
        # Each account is older than the one before.
        writer = account(number, days=number)
        if postbox.admit(now, places, to=writer):
            if has_left:
                left.append(now)
            else:
                postbox.give_back([writer])
        postbox = kept(postbox, places)
    most = places + 3
    assert all(later - earlier >= HOUR for earlier, later in zip(left, left[most:], strict=False))


def test_whose_address_it_is_waits_little_more_than_an_hour_after_whatever_others_wrote():
    postbox, now = Postbox(), START
    owner, strangers = account(1, days=30), [account(number, days=number - 100) for number in range(2, 99)]
    for stranger in strangers * 3:
        postbox.admit(now, 12, to=stranger)
    for _ in range(5):
        now += HOUR + timedelta(minutes=5)
        assert postbox.admit(now, 12, to=owner)
        for stranger in strangers * 3:
            postbox.admit(now, 12, to=stranger)
        postbox = kept(postbox, 12)


def test_an_account_alone_has_the_places_and_no_more():
    postbox = Postbox()
    assert [postbox.admit(START, 3, to=account(1, days=30)) for _ in range(5)] == [True] * 3 + [False] * 2


def test_places_may_become_fewer_and_more():
    postbox = Postbox()
    for number in range(12):
        assert postbox.admit(START + timedelta(minutes=number), 12)
    fewer = Postbox.read(postbox.written(2))
    assert not fewer.admit(START + HOUR + timedelta(minutes=10), 2)
    assert fewer.admit(datetime(2026, 3, 2, 2, 15, tzinfo=UTC), 2)
    assert kept(postbox, 20).admit(START + timedelta(minutes=12), 20)


def test_what_is_kept_is_of_one_length_however_much_was_sent_and_tells_nothing_to_others():
    keyed, name = Keyed(new_key_pair()[0]), "name"
    postbox, hidden = Postbox(), []
    for _ in range(13):
        hidden.append(keyed.hidden(name, postbox.written(12)))
        postbox.admit(START, 12)
    assert len({len(text) for text in hidden}) == 1
    assert len(set(hidden)) == 13
    assert Postbox.read(keyed.shown(name, hidden[-1])).taken == postbox.taken
    for other, place, text in (
        (Keyed(new_key_pair()[0]), name, hidden[1]),
        (keyed, "another", hidden[1]),
        (keyed, name, ""),
        (keyed, name, "x" * 21),
        (keyed, name, hidden[1][:-4]),
    ):
        with pytest.raises(CannotOpenError):
            other.shown(place, text)


@pytest.mark.parametrize(
    "other",
    [
        "Pelapor@example.org",
        "PELAPOR@EXAMPLE.ORG",
        "pelapor@example.org ",
        "pelapor+1@example.org",
        "pelapor+lain+2@example.org",
        "pe.la.por@example.org",
    ],
)
def test_an_address_written_otherwise_is_the_same(other):
    keyed = Keyed(new_key_pair()[0])
    assert keyed.postbox(other) == keyed.postbox("pelapor@example.org") != keyed.postbox("pelapor2@example.org")
