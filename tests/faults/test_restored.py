"""A stage restored to an earlier moment, and tools that listen: what was told can be published again."""

import json
import os
import sqlite3

import pytest

from ops.stack.broker import PrivateNode
from tests.faults.trial import CALL_SECONDS
from tests.forks import run_nkk
from tests.installations import Installation, eventually, installation, new_vhost
from tests.people import People, travel_as_information


@pytest.fixture(scope="module")
def running(rabbit: PrivateNode, tmp_path_factory: pytest.TempPathFactory):
    settings = {"NKK_RPC_TIMEOUT": str(CALL_SECONDS)}
    with installation(tmp_path_factory.mktemp("restored"), new_vhost(rabbit), settings=settings) as found:
        yield found


def nkk(running: Installation, *arguments: str) -> str:
    done = run_nkk("--var", str(running.stack.var), *arguments, environment=os.environ)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_what_a_restored_stage_has_lost_is_told_again_and_nothing_happens_twice(running: Installation) -> None:
    people = People(running)
    reporter = people.reporter()
    ticket = people.submit(reporter)
    people.operator.act(f"/complaints/{ticket}/handover")
    eventually(lambda: ticket in people.main_team.desk("triage"))
    done_before = travel_as_information(people, reporter)
    running.take_down("triage-1")
    with sqlite3.connect(running.stack.var / "db" / "triage.db") as database:
        database.execute("DELETE FROM inbox")
        database.execute("DELETE FROM cases")
    database.close()
    running.bring_up("triage-1")
    eventually(lambda: people.main_team.desk("triage") == [])
    said = nkk(running, "republish", "intake", "--since", "2026-01-01")
    assert "events of intake are published again" in said
    assert "UTC are no longer kept (NKK_OUTBOX_DAYS=90)" in said
    eventually(lambda: ticket in people.main_team.desk("triage"))
    for entry in (ticket, done_before):
        events = [item["event"] for item in reporter.get(f"/complaints/{entry}/timeline")["entries"]]
        assert len(events) == len(set(events))
    eventually(lambda: not any(row["unsent"] or row["events"] for row in json.loads(nkk(running, "status", "--json"))))
    letters = [path.read_text() for path in (running.stack.var / "mail").glob("*.eml")]
    assert len([text for text in letters if f"kami terima: {ticket}" in text]) == 1
    people.close()


def test_nobody_else_on_the_machine_looks_into_the_installation(running: Installation) -> None:
    assert running.stack.var.stat().st_mode & 0o077 == 0
