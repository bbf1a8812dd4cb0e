"""The version of the package is that of the newest section of the changelog."""

import re
import tomllib
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMIT = re.compile(r"\bcommit [0-9a-f]{7,40}\b", re.I)
HEADING = re.compile(r"^## (\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)$", re.M)


def test_the_changelog_begins_with_the_version_of_the_package_and_goes_back_in_time():
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    told = HEADING.findall(changelog)
    assert len(told) == changelog.count("\n## "), "a heading is a version and its day"
    assert told[0][0] == tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    versions = [tuple(map(int, version.split("."))) for version, _ in told]
    days = [date.fromisoformat(day) for _, day in told]
    assert (versions, days) == (sorted(set(versions), reverse=True), sorted(days, reverse=True))


def test_every_version_before_the_newest_names_the_commit_that_it_is():
    _, *before = (ROOT / "CHANGELOG.md").read_text("utf-8").split("\n## ")[1:]
    assert before
    assert [section.splitlines()[0] for section in before if not COMMIT.search(section)] == []
