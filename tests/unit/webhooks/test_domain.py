"""Pauses, the three days, and what becomes of an endpoint that fails."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.domain import (
    DOWN_AFTER,
    LONGEST_PAUSE,
    PATIENCE,
    Answer,
    Attempts,
    Endpoint,
    fail,
    pause,
    set_aside_heard_until,
    wait_asked_for,
)

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
NEVER_FAILED = Endpoint()


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_pause_is_between_half_and_whole_of_what_doubles_up_to_an_hour(failures: int, chance: float):
    assert pause(failures, 0) / 2 <= pause(failures, chance) <= pause(failures, 0) <= LONGEST_PAUSE
    assert pause(failures + 1, 0) in (2 * pause(failures, 0), LONGEST_PAUSE)


@pytest.mark.parametrize(
    ("status", "is_success"),
    [(200, True), (204, True), (299, True), (301, False), (304, False), (410, False), (None, False)],
)
def test_only_an_answer_of_2xx_is_a_success(status, is_success):
    assert Answer(status, "").is_success is is_success


def test_one_failure_holds_up_one_delivery_and_several_in_a_row_the_endpoint():
    endpoint, attempts = NEVER_FAILED, Attempts(NOW)
    for count in range(1, DOWN_AFTER):
        endpoint, attempts = fail(endpoint, attempts, NOW, 0)
        assert endpoint.is_open(NOW)
        assert attempts.tries == count
        assert attempts.next_at is not None
        assert attempts.next_at > NOW
    endpoint, _ = fail(endpoint, Attempts(NOW), NOW, 0)
    assert not endpoint.is_open(NOW)
    assert endpoint.next_at == NOW + timedelta(seconds=5)
    endpoint, _ = fail(endpoint, Attempts(NOW), NOW + timedelta(seconds=5), 0)
    assert endpoint.next_at == NOW + timedelta(seconds=5 + 10)


def test_a_delivery_is_tried_for_three_days_and_then_set_aside():
    now, attempts, tries = NOW, Attempts(NOW), 0
    while attempts.next_at is not None or not tries:
        # Another delivery succeeds between any two attempts, so that the endpoint is not failing.
        _, attempts = fail(NEVER_FAILED, attempts, now, 0.5)
        tries += 1
        if attempts.next_at is not None:
            now = attempts.next_at
    assert PATIENCE <= now - NOW <= PATIENCE + LONGEST_PAUSE
    assert 72 < tries < 200


def test_a_dead_endpoint_is_tried_about_once_an_hour_whatever_waits_for_it():
    now, endpoint, count = NOW, NEVER_FAILED, 0
    while now < NOW + PATIENCE:
        # Each time another delivery is tried.
        endpoint, _ = fail(endpoint, Attempts(NOW), now, 0)
        count += 1
        now = max(now, endpoint.next_at or now)
    assert count < 90


def test_what_waits_for_a_dead_endpoint_is_set_aside_after_three_days_though_it_was_never_tried():
    endpoint = Endpoint(90, NOW, NOW + PATIENCE)
    late, _ = fail(endpoint, Attempts(NOW), NOW + PATIENCE, 0)
    assert set_aside_heard_until(late, NOW + PATIENCE) == NOW
    early, _ = fail(endpoint, Attempts(NOW), NOW + PATIENCE - timedelta(seconds=1), 0)
    assert set_aside_heard_until(early, NOW + PATIENCE - timedelta(seconds=1)) is None


def test_what_was_heard_long_before_the_endpoint_failed_has_three_days_all_the_same():
    """It waited while the webhook was paused, for example."""
    _, attempts = fail(NEVER_FAILED, Attempts(NOW - timedelta(days=9)), NOW, 0)
    assert attempts.next_at is not None


def test_what_is_tried_for_the_first_time_with_an_endpoint_dead_for_three_days_counts_from_when_it_was_heard():
    dead = Endpoint(90, NOW - PATIENCE, NOW)
    _, recent = fail(dead, Attempts(NOW - timedelta(hours=1)), NOW, 0)
    _, old = fail(dead, Attempts(NOW - PATIENCE), NOW, 0)
    assert recent.next_at is not None
    assert old.next_at is None


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("0", 0),
        ("259200", 259_200),
        ("Mon, 02 Nov 2026 08:05:00 GMT", 300),
        ("Mon, 02 Nov 2026 15:05:00 +0700", 300),
        ("Monday, 02-Nov-26 08:05:00 GMT", 300),
        ("Mon Nov  2 08:05:00 2026", 300),
    ],
)
def test_a_receiver_may_ask_to_be_left_alone_for_a_while_or_until_a_date(status, written, seconds):
    assert wait_asked_for(Answer(status, "", written), NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written",
    [
        *("", "soon", "-5", "+5", "1.5", "1e3", "٣", "0x10", "259201", "9" * 400, "1" * 100_000),
        "Mon, 02 Nov 2026 07:59:59 GMT",
        "Thu, 05 Nov 2026 08:00:01 GMT",
        "Mon, 02 Nov 99999999999999999999 08:00:00 GMT",
        "Mon, 99 Nov 2026 08:00:00 GMT",
        "Mon, 02 Nov 2026 08:05:00 +99999999",
        "2026-11-02T08:05:00Z",
        ", , ,",
    ],
)
def test_what_is_no_time_or_is_past_or_longer_than_the_three_days_is_not_heeded(written):
    assert wait_asked_for(Answer(503, "", written), NOW) == timedelta()


@pytest.mark.parametrize("status", [None, 301, 404, 500, 502])
def test_other_answers_than_429_and_503_ask_for_nothing(status):
    assert wait_asked_for(Answer(status, "", "120"), NOW) == timedelta()


def test_a_receiver_is_left_alone_as_long_as_it_asks_from_the_first_answer_on():
    endpoint, attempts = fail(NEVER_FAILED, Attempts(NOW), NOW, 0, timedelta(minutes=2))
    assert endpoint.next_at == attempts.next_at == NOW + timedelta(minutes=2)


def test_a_receiver_that_asks_for_less_than_our_own_pause_is_left_alone_for_that():
    dead = Endpoint(7, NOW, NOW)
    own, own_attempts = fail(dead, Attempts(NOW, 7), NOW, 0.5)
    endpoint, attempts = fail(dead, Attempts(NOW, 7), NOW, 0.5, timedelta(seconds=1))
    assert (endpoint.next_at, attempts.next_at) == (own.next_at, own_attempts.next_at)


@given(
    st.lists(st.tuples(st.integers(0, 3 * 24 * 3600), st.floats(0, 1)), min_size=400, max_size=400),
    st.booleans(),
)
def test_whatever_a_receiver_asks_for_an_event_is_set_aside_after_three_days(asked, is_alone):
    now, endpoint, attempts = NOW, NEVER_FAILED, Attempts(NOW)
    for seconds, chance in asked:
        endpoint, attempts = fail(
            endpoint if is_alone else NEVER_FAILED, attempts, now, chance, timedelta(seconds=seconds)
        )
        if attempts.next_at is None:
            break
        now = max(attempts.next_at, (endpoint.next_at or now) if is_alone else now)
    assert attempts.next_at is None
    assert PATIENCE <= now - NOW <= PATIENCE + LONGEST_PAUSE
