"""The upgrade of an installation to another version: the script's calls of Docker, and the containers afterwards."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from nkk.contracts import STAGES

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[3]
USUAL = {
    "notification.1": "running healthy",
    "opd_response.1": "running healthy",
    "triage.1": "running healthy",
    "triage.2": "running healthy",
    "intake.1": "running healthy",
    "gateway.1": "running healthy",
}
# Each container is a file, PART.NUMBER, that holds its state.
DOCKER = """#!/bin/sh
echo "$@" >> "$ASKED"
cd there
for part; do :; done
case "$*" in
    "compose config --services") cat ../services 2> /dev/null ;;
    "compose ps -q "*) grep -l ^running "$part".* 2> /dev/null ;;
    "compose ps -aq "*) ls -d "$part".* 2> /dev/null ;;
    "compose exec -T proxy cat "*) cat ../nginx.conf ;;
    "compose exec -T rabbitmq cat "*) cat ../rabbitmq.conf ;;
    "compose rm "*) rm -f $(grep -l ^exited "$part".* 2> /dev/null) ;;
    "compose up "*" --force-recreate "*) echo exited > "$part.1" ;;
    "wait "*) case $part in "$FAILS".1) echo 1 ;; *) echo 0 ;; esac ;;
    "compose up "*" --scale "*)
        many=${*##*=}
        for number in 1 2 3 4 5 6 7 8 9; do
            [ "$(ls | grep -c "^$part\\.")" -lt "${many% *}" ] || break
            [ -f "$part.$number" ] || cp ../becomes "$part.$number"
        done ;;
    "compose up "*" gateway" | "compose up "*" webhooks") grep -q ' healthy' ../becomes; exit ;;
    "image inspect "*) echo sha256:new ;;
    "run "*) echo every process takes its settings ;;
    "inspect "*Image*) echo sha256:old ;;
    "inspect "*) cat "$part" ;;
    "tag nkk:previous "*) [ ! -f ../first ]; exit ;;
    "stop "*) ;;
    "rm "*) shift; rm "$@" ;;
esac
exit 0
"""


@pytest.fixture
def upgrade(tmp_path):
    """A function that runs the script and returns its calls of Docker. `containers` are the existing ones, and new ones
    get the state `becomes`."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").write_text(DOCKER)
    (tmp_path / "bin" / "docker").chmod(0o755)
    (tmp_path / "deploy").mkdir()
    (tmp_path / "there").mkdir()
    shutil.copy(ROOT / "deploy/check.sh", tmp_path / "deploy")
    for mounted in ("nginx/nginx.conf", "rabbitmq/rabbitmq.conf"):
        (tmp_path / "deploy" / mounted).parent.mkdir()
        (tmp_path / "deploy" / mounted).write_text("as this version has it\n")
        shutil.copy(tmp_path / "deploy" / mounted, tmp_path)
    lines = (ROOT / ".env.example").read_text().splitlines()
    (tmp_path / ".env.example").write_text("\n".join(lines))
    (tmp_path / ".env").write_text("".join(f"{line}x\n" for line in lines if line.endswith("=") and line[0] != "#"))

    def run(*arguments, containers=None, becomes="running healthy", **settings):
        for name, state in (USUAL if containers is None else containers).items():
            (tmp_path / "there" / name).write_text(state)
        (tmp_path / "becomes").write_text(becomes)
        asked = tmp_path / "asked"
        asked.write_text("")
        environment = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "ASKED": str(asked), "FAILS": "", **settings}
        done = subprocess.run(
            ["sh", ROOT / "deploy/upgrade.sh", *arguments],
            cwd=tmp_path,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        run.said, run.told = done.stderr, done.stdout
        return done.returncode, asked.read_text().splitlines()

    return run


@pytest.fixture
def there(tmp_path):
    return lambda part: {path.name for path in (tmp_path / "there").glob(f"{part}.*")}


def replaced(asked):
    return [
        line.split()[-1]
        for line in asked
        if line.startswith("compose up") and "rabbitmq" not in line and "--force-recreate" not in line
    ]


def prepared(asked):
    return [line.split()[-1] for line in asked if "--force-recreate" in line]


def test_what_is_needed_comes_first_then_who_hears_then_who_tells_then_the_door(upgrade):
    code, asked = upgrade()
    assert code == 0
    assert replaced(asked) == ["notification", "opd_response", "triage", "intake", "gateway"]
    first = next(number for number, line in enumerate(asked) if "--scale" in line)
    assert prepared(asked[:first]) == ["definitions", "topology", *(f"migrate-{stage}" for stage in STAGES)]
    assert prepared(asked[: next(number for number, line in enumerate(asked) if "import_definitions" in line)]) == [
        "definitions"
    ]
    assert "tag sha256:old nkk:previous" in asked


def test_the_old_instances_of_a_stage_go_when_as_many_new_ones_serve_as_the_settings_say(upgrade, there):
    code, asked = upgrade(NKK_TRIAGE_INSTANCES="3")
    assert code == 0
    at = next(number for number, line in enumerate(asked) if line.endswith("--no-recreate --scale triage=5 triage"))
    ends = asked.index("stop -t 40 triage.1 triage.2")
    assert [line.split()[-1] for line in asked[at + 2 : ends]] == ["triage.3", "triage.4", "triage.5"]
    assert there("triage") == {"triage.3", "triage.4", "triage.5"}
    assert not [line for line in asked if line.startswith("stop") and "gateway" in line]


def test_how_many_is_read_where_compose_reads_it(upgrade, there, tmp_path):
    with (tmp_path / ".env").open("a") as file:
        file.write("NKK_INTAKE_INSTANCES= '2' # two\r\n")
    assert upgrade()[0] == 0
    assert len(there("intake")) == 2
    assert len(there("triage")) == 1


@pytest.mark.parametrize("state", [None, "exited ", "running unhealthy", "restarting starting"])
def test_a_stage_that_is_down_or_ill_is_replaced_like_the_others(upgrade, there, state):
    containers = USUAL | ({"opd_response.1": state} if state else {})
    if state is None:
        del containers["opd_response.1"]
    code, asked = upgrade(containers=containers)
    assert code == 0
    assert len(there("opd_response")) == 1
    assert state in (None, "exited ") or there("opd_response") == {"opd_response.2"}
    assert replaced(asked)[-1] == "gateway"


@pytest.mark.parametrize("containers", [{}, {"triage.1": "running healthy"}])
def test_an_installation_without_a_gateway_is_brought_up_to_date(upgrade, there, containers):
    code, asked = upgrade(containers=containers)
    assert code == 0
    assert all(len(there(stage)) == 1 for stage in STAGES)
    assert ("tag sha256:old nkk:previous" in asked) is bool(containers)


def test_new_instances_that_do_not_serve_are_taken_away_again_and_it_can_be_run_once_more(upgrade, there):
    for _ in range(2):
        code, asked = upgrade(becomes="running unhealthy")
        assert code == 1
        assert "notification: the new instances did not come to serve" in upgrade.said
        assert there("notification") == {"notification.1"}
        assert replaced(asked) == ["notification"]
        assert "logs --tail 20 notification.2" in asked
    assert upgrade()[0] == 0


def test_new_instances_are_not_waited_for_without_end(upgrade, there):
    code, _ = upgrade(becomes="running starting", HEALTHY_SECONDS="1")
    assert code == 1
    assert there("notification") == {"notification.1"}


def test_what_a_run_left_that_was_stopped_half_way_is_gone_after_the_next(upgrade, there):
    left = {"triage.3": "running healthy", "triage.4": "running starting", "triage.5": "created "}
    assert upgrade(containers=USUAL | left)[0] == 0
    assert len(there("triage")) == 1
    assert not there("triage") & {*USUAL, *left}


@pytest.mark.parametrize("part", ["definitions", "topology", "migrate-triage"])
def test_nothing_is_replaced_where_something_could_not_be_prepared(upgrade, part):
    code, asked = upgrade(FAILS=part)
    assert (code, replaced(asked), prepared(asked)[-1]) == (1, [], part)
    assert f"compose logs --no-log-prefix --tail 20 {part}" in asked
    assert f"{part} ended with 1" in upgrade.said


def test_a_gateway_that_does_not_serve_is_said(upgrade):
    code, asked = upgrade("back", becomes="running unhealthy")
    assert code == 1
    assert "docker compose logs gateway" in upgrade.said
    assert replaced(asked) == ["gateway"]


def test_the_way_back_is_the_opposite_and_leaves_the_databases_alone(upgrade):
    code, asked = upgrade("back")
    assert code == 0
    assert asked[0] == "tag nkk:previous nkk:local"
    assert replaced(asked) == ["gateway", "intake", "triage", "opd_response", "notification"]
    assert prepared(asked) == ["definitions"]


def test_where_there_is_no_version_before_nothing_is_touched(upgrade, tmp_path):
    (tmp_path / "first").touch()
    code, asked = upgrade("back")
    assert (code, len(asked)) == (1, 1)
    assert "nkk:previous" in upgrade.said


def test_nothing_is_touched_where_something_is_missing(upgrade, tmp_path):
    (tmp_path / ".env").write_text("")
    assert upgrade() == (1, [])


def test_webhooks_have_their_database_made_before_and_come_after_the_door(upgrade, tmp_path):
    (tmp_path / "services").write_text("gateway\nwebhooks\n")
    code, asked = upgrade()
    assert code == 0
    assert prepared(asked)[-2:] == ["webhooks-database", "migrate-webhooks"]
    assert replaced(asked)[-2:] == ["gateway", "webhooks"]
    code, asked = upgrade("back")
    assert (code, replaced(asked)[-1]) == (0, "webhooks")
    assert "webhooks-database" not in prepared(asked)


@pytest.mark.parametrize("way", [(), ("back",)])
def test_a_proxy_with_another_versions_configuration_is_made_anew_and_no_other(upgrade, tmp_path, way):
    containers = USUAL | {"proxy.1": "running healthy"}
    anew = "compose up -d --no-deps --no-build --force-recreate proxy"
    assert anew not in upgrade(*way, containers=containers)[1]
    (tmp_path / "nginx.conf").write_text("as it was\n")
    assert anew in upgrade(*way, containers=containers)[1]


def test_a_broker_with_another_versions_settings_is_left_for_a_quiet_hour(upgrade, tmp_path):
    containers = USUAL | {"rabbitmq.1": "running healthy"}
    command = "docker compose up -d --force-recreate rabbitmq"
    upgrade(containers=containers)
    assert command not in upgrade.told
    (tmp_path / "rabbitmq.conf").write_text("as it was\n")
    code, asked = upgrade(containers=containers)
    assert code == 0
    assert command in upgrade.told
    assert command.removeprefix("docker ") not in asked
