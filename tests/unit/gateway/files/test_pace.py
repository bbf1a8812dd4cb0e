"""The pace of uploads: how long those who pass bytes wait."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.files.checking import Checker
from gateway.files.pace import Pace
from gateway.files.uploads import Uploads
from tests.unit.gateway.files.stand_ins import REPORTER, RING, BadStore
from tests.unit.gateway.files.test_checking import Inspection, send

RATE = 1000


@dataclass
class Time:
    """A clock that goes on while somebody sleeps."""

    now: float = 50.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def pace(time: Time) -> Pace:
    return Pace(RATE, lambda: time.now, time.sleep)


def test_a_few_bytes_after_a_pause_wait_for_nothing(pace: Pace, time: Time) -> None:
    pace.keep(RATE)
    assert time.slept == []


def test_many_bytes_take_their_time(pace: Pace, time: Time) -> None:
    began = time.now
    for _ in range(50):
        pace.keep(RATE // 5)
    assert time.now - began == pytest.approx(10 - 1)


def test_no_more_than_a_second_is_saved_in_a_longer_pause(pace: Pace, time: Time) -> None:
    time.now += 1000
    pace.keep(3 * RATE)
    assert time.slept == pytest.approx([2])


def test_several_share_it(pace: Pace, time: Time) -> None:
    waits = Pace(RATE, lambda: time.now, time.slept.append)
    for _ in range(3):
        waits.keep(RATE)
    # None of these has slept yet: each later one waits for those before it.
    assert time.slept == pytest.approx([1, 2])


def test_every_byte_is_passed_at_the_pace_when_it_comes_and_when_it_is_checked(tmp_path: Path) -> None:
    came: list[int] = []
    checked: list[int] = []
    uploads = Uploads(BadStore(tmp_path), RING, pace=came.append)
    id = send(uploads, bytes(3_000_000))
    Checker(uploads, Inspection(), pace=checked.append).check_all()
    assert uploads.ready(REPORTER, [id])
    assert sum(came) == sum(checked) == 3_000_000
    assert max(came + checked) <= 256 * 1024
