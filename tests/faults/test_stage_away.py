"""A stage that is down or frozen: calls to it are refused in time, the others work, events wait for it."""

import json
import os
from pathlib import Path
from time import time

import httpx
import pytest

from tests.faults.trial import PATIENCE, Trial, answered, assert_unavailable
from tests.installations import eventually

INFORMATION = {"kind": "information"}


@pytest.fixture
def trial(sqlite_trial: Trial) -> Trial:
    return sqlite_trial


def test_a_stage_that_is_down_is_missed_by_its_own_desk_alone_and_works_when_it_is_back(trial: Trial) -> None:
    people = trial.people
    reporter = people.reporter()
    waiting = people.submit(reporter)
    people.operator.act(f"/complaints/{waiting}/handover")
    eventually(lambda: waiting in people.main_team.desk("triage"))
    trial.settled(waiting)
    others = {name: pid for name, pid in trial.pids().items() if name != "triage-1"}

    trial.installation.take_down("triage-1")
    assert_unavailable(answered(people.main_team, "POST", f"/complaints/{waiting}/classification", INFORMATION))
    assert_unavailable(answered(people.main_team, "GET", "/desks/triage"))
    assert httpx.get(f"{trial.installation.url}/readyz", timeout=PATIENCE).json()["stages"] == {
        "intake": True,
        "triage": False,
        "opd_response": True,
        "notification": True,
    }
    # What stands before the gateway is to go on sending people to it.
    assert httpx.get(f"{trial.installation.url}/readyz/gateway", timeout=PATIENCE).json() == {"status": "ready"}
    meanwhile = people.submit(reporter)
    people.operator.act(f"/complaints/{meanwhile}/handover")
    eventually(lambda: reporter.get(f"/complaints/{meanwhile}/timeline")["stands"]["step"] == 3)
    assert trial.depth("triage.inbox") == 1

    trial.installation.bring_up("triage-1")
    eventually(lambda: meanwhile in people.main_team.desk("triage"))
    # The command of somebody told 503 was not carried out behind their back.
    assert waiting in people.main_team.desk("triage")
    people.main_team.post(f"/complaints/{waiting}/classification", INFORMATION)
    trial.settled(waiting, meanwhile)
    assert {name: pid for name, pid in trial.pids().items() if name != "triage-1"} == others


def test_the_status_says_that_a_stage_is_down_and_what_waits_for_it(trial: Trial) -> None:
    people = trial.people
    trial.settled()
    trial.installation.wait_until_ready()
    well = trial.nkk("status", "--json")
    assert (well.returncode, [row["answers"] for row in json.loads(well.stdout)]) == (0, [True] * 4)
    trial.installation.take_down("triage-1")
    try:
        ticket = people.submit(people.reporter())
        people.operator.act(f"/complaints/{ticket}/handover")
        eventually(lambda: trial.depth("triage.inbox") == 1)
        ill = trial.nkk("status")
        assert ill.returncode == 1
        heading, *lines = ill.stdout.splitlines()
        assert heading.split()[:3] == ["stage", "answers", "connected"]
        # Below the stages it may name complaints of other tests that nobody at their desk may see.
        rows = {stage: cells for stage, *cells in map(str.split, lines[:4])}
        assert {stage: cells[0] for stage, cells in rows.items()} == {
            "intake": "yes",
            "triage": "NO",
            "opd_response": "yes",
            "notification": "yes",
        }
        instances, _, events, oldest, retrying, quarantined, unsent, *_ = rows["triage"][1:]
        assert (instances, events, retrying, quarantined, unsent) == ("0", "1", "0", "0", "-")
        assert int(oldest) < 60
        assert (rows["intake"][1], rows["intake"][-4:]) == ("2", ["0", "-", "-", "-"])
        assert all(letters.isdigit() for letters in rows["notification"][-2:])
    finally:
        trial.installation.bring_up("triage-1")
    eventually(lambda: ticket in people.main_team.desk("triage"))
    trial.settled(ticket)


LOOPS = {
    "intake": {"lock", "calls", "relay", "replies"},
    "triage": {"lock", "calls", "relay", "replies", "events"},
    "gateway": {"lock", "connections", "threads", "answers"},
}


def test_each_instance_says_for_itself_whether_it_works(trial: Trial) -> None:
    def process_of(name: str) -> Path:
        return trial.installation.stack.pulse_folder / f"{name.partition('-')[0]}-{trial.pids()[name]}"

    trial.installation.wait_until_ready()
    for name in ("intake", "triage", "opd_response", "notification", "gateway"):
        assert trial.nkk("health", name).returncode == 0
    for name, loops in LOOPS.items():
        (first, *_) = trial.installation.stack.pulse_folder.glob(f"{name}-*")
        assert {file.name for file in first.iterdir()} >= loops
    frozen = process_of("intake-2")
    trial.installation.freeze("intake-2")
    try:
        # Of a loop that turns again as soon as it can: that of a timer would stand old until its next turn.
        os.utime(frozen / "calls", (time() - 300,) * 2)
        ill = trial.nkk("health", "intake")
        assert ill.returncode == 1
        assert f"{frozen.name}: calls has been silent for 30" in ill.stderr
        assert process_of("intake-1").name not in ill.stderr
    finally:
        trial.installation.thaw("intake-2")

    def is_well() -> bool:
        said = trial.nkk("health", "intake")
        assert said.returncode == 0, said.stderr
        return True

    eventually(is_well)


def test_a_frozen_stage_is_not_waited_for_and_works_when_it_thaws(trial: Trial) -> None:
    people = trial.people
    reporter = people.reporter()
    ticket = people.submit(reporter)
    people.operator.act(f"/complaints/{ticket}/handover")
    eventually(lambda: ticket in people.main_team.desk("triage"))
    pids = trial.pids()
    trial.installation.freeze("triage-1")
    try:
        assert_unavailable(answered(people.main_team, "POST", f"/complaints/{ticket}/classification", INFORMATION))
        meanwhile = people.submit(reporter)
        people.operator.act(f"/complaints/{meanwhile}/handover")
    finally:
        trial.installation.thaw("triage-1")
    eventually(lambda: meanwhile in people.main_team.desk("triage"))
    again = people.main_team.ask("POST", f"/complaints/{ticket}/classification", INFORMATION)
    assert again.status_code in (200, 409)
    eventually(lambda: reporter.get(f"/complaints/{ticket}/timeline")["stands"]["step"] == 6)
    trial.settled(ticket, meanwhile)
    assert trial.pids() == pids
