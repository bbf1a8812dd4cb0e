"""Slow-downs after wrong passwords: who waits, for how long, and who never does."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkk.sop.steps import STAFF_ROLES
from services.intake.attempts import (
    FREE,
    LET_IN,
    LONGEST_WAIT,
    MANY,
    REPORTER,
    STAFF,
    Count,
    doors,
    kind_of,
    session_door,
    settle,
    slowed_down,
)

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Name:
    """One user name with all its counts, as stored in a database."""

    def __init__(self):
        self.counts, self.now = {}, NOW

    def attempt(self, source="here", device="", known_as=(), fits=()):
        """Return (kind of account that opened, how long to wait)."""
        visitor = {"source": source, "device": device, "known_as": list(known_as)}
        before = doors("index", visitor, lambda *parts: "|".join(parts), self.now)
        for door in before:
            for count in door.counts:
                vars(count).update(vars(self.counts.get(count.key, count)))
        kind, until = settle(before, set(fits), self.now)
        self.counts |= {count.key: count for door in before for count in door.counts}
        return kind, until and until - self.now

    def fail(self, times, **who):
        return [self.attempt(**who) for _ in range(times)]

    def pass_by(self, time):
        self.now += time


@pytest.fixture
def name():
    return Name()


WRONG = (None, None)


@pytest.mark.parametrize("kind", [STAFF, REPORTER])
def test_the_right_password_opens_the_account_it_fits(name, kind):
    assert name.attempt(fits=[kind]) == (kind, None)


def test_staff_come_first_where_a_password_fits_both(name):
    assert name.attempt(fits=[STAFF, REPORTER]) == (STAFF, None)


def test_the_fifth_wrong_password_from_one_source_makes_it_wait_a_minute(name):
    assert name.fail(FREE) == [WRONG] * FREE
    assert name.attempt() == (None, MINUTE)
    assert name.attempt(fits=[STAFF]) == (None, MINUTE), "the right one is not taken either"
    name.pass_by(MINUTE)
    assert name.attempt(fits=[STAFF]) == (STAFF, None)


def test_each_further_one_doubles_the_wait_up_to_a_quarter_of_an_hour(name):
    name.fail(FREE - 1)
    waits = []
    for _ in range(8):
        assert name.attempt() == WRONG
        waits.append(name.attempt()[1])
        name.pass_by(waits[-1])
    assert [wait / MINUTE for wait in waits] == [1, 2, 4, 8, 15, 15, 15, 15]


def test_attempts_while_waiting_do_not_count(name):
    name.fail(FREE)
    assert name.fail(50) == [(None, MINUTE)] * 50


def test_a_million_failures_make_nobody_wait_longer():
    count = Count("k", "i", STAFF, "source", NOW, failed=1_000_000)
    count.add(NOW, FREE)
    assert count.waits(NOW) == NOW + LONGEST_WAIT


def test_the_right_password_makes_up_for_the_wrong_ones_before(name):
    name.fail(FREE - 1)
    assert name.attempt(fits=[STAFF])[0] == STAFF
    assert name.fail(FREE - 1) == [WRONG] * (FREE - 1)
    assert name.attempt(fits=[STAFF])[0] == STAFF


def test_one_source_makes_no_other_wait_however_long_it_goes_on(name):
    for _ in range(1_000):
        name.attempt()
        name.pass_by(LONGEST_WAIT)
    name.attempt()
    assert name.attempt()[1] == LONGEST_WAIT
    assert name.attempt(source="elsewhere", fits=[STAFF]) == (STAFF, None)


def test_many_sources_make_all_strangers_wait(name):
    for number in range(MANY // FREE):
        name.fail(FREE, source=f"bot {number}")
    assert name.attempt(source="never seen", fits=[STAFF]) == (None, MINUTE)


def besieged(name, sources=200):
    """Give wrong passwords from many addresses, up to now."""
    for number in range(sources):
        name.fail(FREE, source=f"bot {number}")
        name.pass_by(LONGEST_WAIT)
        name.fail(1, source=f"bot {number}")


@pytest.mark.parametrize("source", ["elsewhere", "bot 199"])
def test_a_device_that_logged_in_before_gets_in_at_once_from_wherever(name, source):
    besieged(name)
    assert name.attempt(source=source, fits=[STAFF])[1]
    assert name.attempt(source=source, device="known", known_as=[STAFF], fits=[STAFF]) == (STAFF, None)


def test_a_known_device_waits_for_its_own_wrong_passwords_alone(name):
    known = {"device": "known", "known_as": [STAFF, REPORTER]}
    name.fail(FREE, **known)
    assert name.attempt(**known, fits=[STAFF]) == (None, MINUTE)
    assert name.attempt(fits=[STAFF]) == (STAFF, None)


def test_a_device_that_only_says_that_it_is_known_is_a_stranger(name):
    besieged(name)
    assert name.attempt(device="x" * 32, fits=[STAFF])[1]


def test_who_has_a_reporters_account_of_the_same_name_guesses_no_more_at_the_staffs(name):
    for _ in range(FREE):
        assert name.attempt() == WRONG
        name.pass_by(timedelta(seconds=1))
        assert name.attempt(fits=[REPORTER])[0] in (REPORTER, None)
    for _ in range(50):
        assert name.attempt(fits=[STAFF]) in (WRONG, (None, MINUTE)), "the right one is not told from a wrong one"


@pytest.mark.parametrize("device", [{}, {"device": "known", "known_as": [REPORTER]}])
def test_a_password_that_opens_the_reporters_account_of_the_name_is_a_guess_at_the_staffs(name, device):
    """Whoever owns such an account can make any password match it, one after another."""
    assert [name.attempt(**device, fits=[REPORTER]) for _ in range(FREE)] == [(REPORTER, None)] * FREE
    assert name.attempt(**device, fits=[REPORTER, STAFF]) == (REPORTER, None)
    name.attempt(**device)
    assert name.attempt(**device, fits=[STAFF])[0] is None


def test_guesses_that_open_the_reporters_account_are_as_slow_as_others(name):
    tried_at_staffs = 0
    for _ in range(600):
        staffs = doors(
            "index", {"source": "here", "device": "", "known_as": []}, lambda *parts: "|".join(parts), name.now
        )[0]
        tried_at_staffs += name.counts.get(staffs.own.key, staffs.own).waits(name.now) is None
        assert name.attempt(fits=[REPORTER]) == (REPORTER, None)
        name.pass_by(timedelta(seconds=1))
    # Waits of 1, 2 and 4 minutes fill the first ten, after the free attempts.
    assert tried_at_staffs == FREE + 3


def test_a_device_known_as_a_reporters_is_a_stranger_to_the_staffs_account(name):
    besieged(name)
    known = {"device": "known", "known_as": [REPORTER]}
    assert name.attempt(**known, fits=[STAFF]) == WRONG
    assert name.attempt(**known, fits=[REPORTER]) == (REPORTER, None)


def test_for_an_hour_after_it_was_ended_strangers_do_not_wait_for_each_other():
    count = Count("k", "i", STAFF, "name", NOW, failed=MANY, waits_until=NOW + 2 * LET_IN, open_until=NOW + LET_IN)
    assert count.waits(NOW) is None
    assert count.waits(NOW + LET_IN) == NOW + 2 * LET_IN
    assert not Count("k", "i", STAFF, "name", NOW, open_until=NOW + LET_IN).is_empty


def test_who_is_asked_again_waits_in_that_session_alone():
    one, other = (session_door("i", "reporter", session, lambda *parts: "|".join(parts), NOW) for session in "ab")
    for _ in range(FREE):
        assert settle([one], set(), NOW) == WRONG
    assert settle([one], {REPORTER}, NOW) == (None, NOW + MINUTE)
    assert settle([other], {REPORTER}, NOW) == (REPORTER, None)
    assert one.own.key != other.own.key


@given(
    st.lists(
        st.tuples(st.sampled_from(["home", "office", "bot 1", "bot 2", "bot 3", "bot 4", "bot 5"]), st.integers(0, 20)),
        max_size=120,
    )
)
def test_nothing_that_strangers_do_makes_a_known_device_wait(strangers):
    name = Name()
    for source, minutes in strangers:
        name.attempt(source=source)
        name.pass_by(minutes * MINUTE)
        assert name.attempt(source="home", device="known", known_as=[STAFF], fits=[STAFF]) == (STAFF, None)


@given(st.lists(st.tuples(st.sampled_from(["one", "two", "three"]), st.integers(0, 3), st.booleans()), max_size=80))
def test_no_source_has_more_guesses_compared_than_its_waits_allow(attempts):
    name, compared = Name(), {}
    for source, minutes, succeeds_as_reporter in attempts:
        _, wait = name.attempt(source=source, fits=[REPORTER] if succeeds_as_reporter and source == "three" else [])
        if not succeeds_as_reporter and wait is None:
            compared.setdefault(source, []).append(name.now)
        name.pass_by(minutes * MINUTE)
    for source, times in compared.items():
        if source != "three":
            assert all(later - earlier >= MINUTE for earlier, later in pairwise(times[FREE - 1 :]))


def test_a_refusal_says_when_and_is_the_same_whatever_was_sent():
    for wait, seconds, at in ((timedelta(seconds=61), 61, "08:01:01"), (timedelta(milliseconds=1), 1, "08:00:01")):
        refusal = slowed_down(NOW + wait, NOW)
        assert refusal.details["retry_after"] == seconds
        assert refusal.details["at"] == at


def test_whoever_asks_again_within_the_same_wait_reads_the_same_and_waits_no_longer_than_it():
    until = NOW + timedelta(seconds=60, milliseconds=400)
    asked = [slowed_down(until, NOW + timedelta(milliseconds=number * 130)) for number in range(20)]
    assert {refusal.details["at"] for refusal in asked} == {asked[0].details["at"]}
    assert [refusal.details["retry_after"] for refusal in asked] == [61] * 4 + [60] * 7 + [59] * 8 + [58]


def test_every_role_is_of_one_kind():
    assert {kind_of(role) for role in STAFF_ROLES} == {STAFF}
    assert kind_of("reporter") == REPORTER
