"""A run of several sections."""

import pytest

import bench.__main__ as run
from bench.sections import Section


class Place:
    """A workplace that only counts how often it was cleared."""

    cleared = 0

    def clear(self):
        self.cleared += 1


def broken(place):
    raise RuntimeError("not within 1 s: something")


@pytest.fixture
def sections(monkeypatch):
    def of(**measures):
        monkeypatch.setattr(run, "SECTIONS", {name: Section(name, measure) for name, measure in measures.items()})

    return of


def test_a_section_that_fails_says_so_and_the_next_one_is_measured(sections, capsys):
    sections(first=broken, second=lambda place: {"figure": 1})

    found, failed = run.measured(Place(), ["first", "second"])

    assert found["second"]["figure"] == 1
    assert failed == {"first": "RuntimeError: not within 1 s: something"}
    assert "RuntimeError" in capsys.readouterr().err


def test_what_a_failed_section_left_running_is_ended(sections, capsys):
    sections(first=broken)
    place = Place()

    run.measured(place, ["first"])

    assert place.cleared == 1


def test_a_section_nobody_knows_is_refused_by_name(capsys):
    with pytest.raises(SystemExit):
        run.main(["--only", "everything"])

    assert "everything" in capsys.readouterr().err
