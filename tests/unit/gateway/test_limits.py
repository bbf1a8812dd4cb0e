"""Counting in the process itself."""

import time
from unittest.mock import patch

from limits import parse
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from gateway.limits import ProcessStorage

NOW = 1_772_416_800.0


def at(seconds: float):
    return patch.object(time, "time", lambda: NOW + seconds)


def test_so_many_are_let_in_and_after_a_while_as_many_again():
    limiter, rate = FixedWindowRateLimiter(storage_from_string("process://")), parse("2/minute")
    with at(0):
        assert [limiter.hit(rate, "one") for _ in range(3)] == [True, True, False]
        assert limiter.hit(rate, "other")
    with at(59):
        assert not limiter.hit(rate, "one")
        assert limiter.get_window_stats(rate, "one")[0] == NOW + 60
    with at(61):
        assert limiter.hit(rate, "one")


def test_what_counts_anew_is_not_kept():
    counts = ProcessStorage()
    with at(0):
        for number in range(100):
            counts.incr(f"account-{number}", 60)
    with at(61):
        counts.incr("account-0", 60)
        assert counts.get("account-1") == 0
    assert list(counts._counts) == ["account-0"]


def test_a_key_or_everything_can_be_forgotten():
    counts = ProcessStorage()
    counts.incr("one", 60)
    counts.incr("two", 60, 5)
    counts.clear("one")
    assert (counts.get("one"), counts.get("two")) == (0, 5)
    assert counts.reset() == 1
    assert counts.get("two") == 0
