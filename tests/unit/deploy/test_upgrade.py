"""The order in which an installation is brought to another version: read from what the script asks of Docker."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from nkk.contracts import STAGES

ROOT = Path(__file__).resolve().parents[3]
DOCKER = """#!/bin/sh
echo "$@" >> "$ASKED"
case "$*" in
    "compose ps -q "*) echo one-"$4"; [ "$4" != triage ] || echo two-"$4" ;;
    "inspect "*) echo sha256:old ;;
    "image inspect "*) echo sha256:new ;;
esac
"""


@pytest.fixture
def upgrade(tmp_path):
    """What is asked of Docker, in turn."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").write_text(DOCKER)
    (tmp_path / "bin" / "docker").chmod(0o755)
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy/check.sh", tmp_path / "deploy")
    lines = (ROOT / ".env.example").read_text().splitlines()
    (tmp_path / ".env.example").write_text("\n".join(lines))
    (tmp_path / ".env").write_text("\n".join(f"{line}x" for line in lines if line.endswith("=") and line[0] != "#"))

    def run(*arguments):
        asked = tmp_path / "asked"
        asked.touch()
        environment = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "ASKED": str(asked)}
        done = subprocess.run(["sh", ROOT / "deploy/upgrade.sh", *arguments], cwd=tmp_path, env=environment,
                              check=False, capture_output=True, text=True, timeout=60)
        return done.returncode, asked.read_text().splitlines()

    return run


def replaced(asked):
    return [line.split()[-1] for line in asked if line.startswith("compose up")]


def test_what_is_needed_comes_first_then_who_hears_then_who_tells_then_the_door(upgrade):
    code, asked = upgrade()
    assert code == 0
    assert replaced(asked) == ["notification", "opd_response", "triage", "intake", "gateway"]
    first = next(number for number, line in enumerate(asked) if line.startswith("compose up"))
    once = [line.split()[-1] for line in asked[:first] if line.startswith("compose run")]
    assert once == ["definitions", "topology", *(f"migrate-{stage}" for stage in STAGES)]
    assert asked.index("compose run --rm --no-deps -T definitions") + 1 == next(
        number for number, line in enumerate(asked) if "import_definitions" in line)
    assert "tag sha256:old nkk:previous" in asked


def test_the_old_instances_of_a_stage_go_when_as_many_new_ones_serve(upgrade):
    _, asked = upgrade()
    at = asked.index("compose ps -q triage")
    assert "--no-recreate --scale triage=4 triage" in asked[at + 1]
    assert asked[at + 2:at + 4] == ["stop -t 40 one-triage two-triage", "rm one-triage two-triage"]
    assert not [line for line in asked if line.startswith("stop") and "gateway" in line]


def test_the_way_back_is_the_opposite_and_leaves_the_databases_alone(upgrade):
    code, asked = upgrade("back")
    assert code == 0
    assert asked[0] == "tag nkk:previous nkk:local"
    assert replaced(asked) == ["gateway", "intake", "triage", "opd_response", "notification"]
    assert [line.split()[-1] for line in asked if line.startswith("compose run")] == ["definitions"]


def test_nothing_is_touched_where_something_is_missing(upgrade, tmp_path):
    (tmp_path / ".env").write_text("")
    assert upgrade() == (1, [])
