"""A team's tool in a whole installation: `nkk subscribe` with its credential, for what was and for what happens."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from ops.broker_api import BrokerApi
from ops.stack.broker import PrivateNode
from ops.tools import Tool, add
from tests.installations import Installation, eventually, installation, new_vhost
from tests.people import People, travel_as_complaint
from tests.tools import tool_uri

OPD, OTHER = "disdukcapil", "dinas-kesehatan"


@pytest.fixture
def running(tmp_path: Path, managed_rabbit: PrivateNode) -> Iterator[Installation]:
    """An installation of this test's own, because one of its stages is stopped."""
    with installation(tmp_path / "stack", new_vhost(managed_rabbit)) as running:
        yield running


@pytest.fixture
def people(running: Installation) -> Iterator[People]:
    with People(running) as everybody:
        yield everybody


def told(running: Installation, opd: str) -> list[tuple[str, str, str]]:
    """Return id, type and ticket of the events in triage's outbox that concern an OPD, in their order."""
    engine = create_engine(running.stack.database_url("triage"))
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT event_id, type, subject FROM outbox WHERE opd = :opd ORDER BY id"), {"opd": opd}
        ).all()
    engine.dispose()
    return [tuple(row) for row in rows]


def test_an_opds_tool_has_the_past_and_the_present_of_its_opd_and_nothing_else(
    running: Installation, people: People, managed_rabbit: PrivateNode, tmp_path: Path
) -> None:
    reporter = people.reporter()
    for opd in (OPD, OTHER, OPD):
        travel_as_complaint(people, reporter, opd)
    before = len(told(running, OPD))
    assert before == 4, "forwarded and approved, of two complaints"
    secret = add(BrokerApi(managed_rabbit.api, running.uri), Tool("kasus-disdukcapil", "triage", OPD))
    environment = os.environ | {"NKK_TOOL_URI": tool_uri(running.uri, "kasus-disdukcapil", secret)}
    running.take_down("triage-1")
    printed, said = tmp_path / "printed", tmp_path / "said"

    def heard() -> list[dict[str, Any]]:
        return [json.loads(line) for line in printed.read_text("utf-8").splitlines()]

    command = [Path(sys.executable).with_name("nkk"), "subscribe", "triage", "--since", "first"]
    with printed.open("wb") as out, said.open("wb") as err:
        tool = subprocess.Popen(command, stdout=out, stderr=err, env=environment, cwd=tmp_path)
    try:
        eventually(lambda: "asked triage for its events" in said.read_text("utf-8"))
        assert heard() == []
        running.bring_up("triage-1")
        eventually(lambda: len(heard()) == before)
        travel_as_complaint(people, reporter, OTHER)
        travel_as_complaint(people, reporter, OPD)
        eventually(lambda: len(heard()) == before + 2)
    finally:
        tool.kill()
        tool.wait()
    events = heard()
    assert [(event["id"], event["type"], event["subject"]) for event in events] == told(running, OPD)
    assert {event["data"]["opd"] for event in events} == {OPD}
    due = [event["data"]["service_due_at"] for event in events]
    assert all(moment.endswith("T16:59:59.000000Z") for moment in due), "to the day, in WIB"
    assert "submitted_at" not in printed.read_text("utf-8")
    words = said.read_text("utf-8")
    assert "4 past events of triage from the first that it keeps; now those that happen" in words
    assert "none are kept" in words
    assert secret not in words + running.logs()


@pytest.mark.parametrize("stage", ["triage", "opd_response"])
def test_the_tool_of_an_opd_that_is_passed_over_has_nothing_of_it(
    running: Installation, people: People, managed_rabbit: PrivateNode, tmp_path: Path, stage: str
) -> None:
    reporter, marked = people.reporter(), {"accused_opd": OPD, "conflict": True, "accused_nip": "198503122010011003"}
    name = f"dilewati-{stage.replace('_', '-')}"
    secret = add(BrokerApi(managed_rabbit.api, running.uri), Tool(name, stage, OPD))
    passed_over = travel_as_complaint(people, reporter, "inspektorat", **marked)
    own = travel_as_complaint(people, reporter, OPD)
    aside = {"reason": "Kerabat.", "account": people.credentials("opd_team", OPD)["username"]}
    people.main_team.post(f"/complaints/{own}/recusals", aside)
    environment = os.environ | {"NKK_TOOL_URI": tool_uri(running.uri, name, secret)}
    printed, said = tmp_path / "printed", tmp_path / "said"
    command = [Path(sys.executable).with_name("nkk"), "subscribe", stage, "--since", "first"]
    with printed.open("wb") as out, said.open("wb") as err:
        tool = subprocess.Popen(command, stdout=out, stderr=err, env=environment, cwd=tmp_path)
    try:
        # Its team has one account, which stepped aside from the other complaint alone.
        later = travel_as_complaint(people, reporter, OPD)
        eventually(lambda: later in printed.read_text("utf-8"))
    finally:
        tool.kill()
        tool.wait()
    events = [json.loads(line) for line in printed.read_text("utf-8").splitlines()]
    assert {event["subject"] for event in events} == {own, later}
    assert "case.recused.v1" not in {event["type"] for event in events}
    assert passed_over not in printed.read_text("utf-8") + said.read_text("utf-8")
