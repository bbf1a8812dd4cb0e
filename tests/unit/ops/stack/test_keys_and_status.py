"""The secrets of an installation, and the table of `nkk status`."""

import json
from contextlib import nullcontext

import pytest

from nkk.contracts.asyncapi import SAMPLES
from nkk.messaging.calls import StageFailedError
from nkk.messaging.origin import ForgedError
from nkk.settings.keys import as_pem
from nkk.trust.actor import Actor, sign, verify
from nkk.trust.sealing import seal, unseal
from ops.stack import status
from ops.stack.keys import NEEDED, PASSWORDS, new_keys, new_passwords
from ops.stack.quarantine import HEARING, Item
from ops.stack.run import OccupiedError, occupied, running, write_secret
from ops.stack.status import COLUMNS, table


def test_a_fresh_set_of_keys_fits_together():
    keys = new_keys()
    token, _ = sign(Actor("one", "operator"), as_pem(keys["NKK_TOKEN_SIGNING_KEY"]))
    assert verify(token, as_pem(keys["NKK_TOKEN_PUBLIC_KEY"])).id == "one"
    for name in ("INTAKE", "NOTIFICATION"):
        assert unseal(seal({"a": 1}, keys[f"NKK_{name}_PUBLIC_KEY"]), keys[f"NKK_{name}_PRIVATE_KEY"]) == {"a": 1}
    assert all("\n" not in value for value in keys.values())


def test_no_two_sets_share_a_secret():
    first, second = new_keys() | new_passwords(), new_keys() | new_passwords()
    assert not set(first.values()) & set(second.values())
    assert set(new_passwords()) == set(PASSWORDS)


def test_private_keys_reach_the_one_process_that_owns_them():
    private = [name for name in new_keys() if "PUBLIC" not in name]
    holders = {name: [process for process, held in NEEDED.items() if name in held] for name in private}
    assert holders == {
        "NKK_TOKEN_SIGNING_KEY": ["intake"],
        "NKK_IDENTITY_KEYS": ["intake"],
        "NKK_LOGIN_INDEX_KEY": ["intake"],
        "NKK_INTAKE_PRIVATE_KEY": ["intake"],
        "NKK_NOTIFICATION_PRIVATE_KEY": ["notification"],
        "NKK_WEBHOOKS_KEYS": ["webhooks"],
        "NKK_SITE_KEY": ["gateway"],
        "NKK_FILES_KEYS": ["gateway"],
    }


def test_the_table_says_plainly_which_stage_does_not_answer():
    row = dict.fromkeys(COLUMNS) | {"stage": "triage", "answers": False, "events": 12}
    lines = table([row, row | {"stage": "intake", "answers": True}]).splitlines()
    assert lines[0].split("  ")[0] == "stage"
    assert lines[1].split()[:2] == ["triage", "NO"]
    assert lines[2].split()[:2] == ["intake", "yes"]


class Client:
    """Stages that return `answers`, and fail for any other call."""

    def __init__(self, answers):
        self.answers, self.asked = answers, []

    def is_connected(self):
        self.asked.append("connected")
        return True

    def call(self, stage, method):
        self.asked.append(f"{stage}.{method}")
        if method not in self.answers:
            raise StageFailedError(stage)
        return self.answers[method]


@pytest.fixture
def broker(monkeypatch):
    """A broker with empty queues, and one instance of each stage."""
    monkeypatch.setattr(status, "Connection", lambda *_, **__: nullcontext())
    monkeypatch.setattr(status, "depth", lambda connection, queue: (0, 1))
    monkeypatch.delenv("NKK_RETRY_DELAYS", raising=False)


@pytest.mark.usefixtures("broker")
def test_a_stage_that_does_not_know_all_that_is_asked_answers_all_the_same():
    """A stage of the previous version, for example, does not report some values, which are then unknown."""
    found = {row["stage"]: row for row in status.rows("", Client({"outbox": {"unsent": 2}}))}
    assert {row["answers"] for row in found.values()} == {True}
    assert (found["intake"]["unsent"], found["notification"]["letters_waiting"]) == (2, None)
    assert {row["answers"] for row in status.rows("", Client({"letters": {"letters_waiting": 1}}))} == {False}


@pytest.mark.usefixtures("broker")
def test_no_stage_is_asked_before_its_answer_would_be_heard():
    """Otherwise the first stage would have less time to answer."""
    client = Client({"outbox": {}})
    status.rows("", client)
    assert client.asked[:2] == ["connected", "intake.outbox"]


def test_every_stage_hears_events_and_has_a_quarantine():
    assert HEARING == ("intake", "triage", "opd_response", "notification")


def test_the_summary_of_a_quarantined_event_shows_nothing_of_its_content():
    body = (
        b'{"specversion":"1.0","id":"1","type":"a.b.v1","source":"/x","subject":"NKK-1",'
        b'"time":"2026-03-02T01:00:00Z","data":{"text":"rahasia sekali"}}'
    )
    headers = {"x-nkk-reason": "KeyError at a.py:1", "x-nkk-attempt": 5}
    item = Item("1", "a.b.v1", "application/json", None, headers, body)
    assert item.summary() == {
        "id": "1",
        "type": "a.b.v1",
        "subject": "NKK-1",
        "failed_at": None,
        "attempts": 5,
        "came_from": None,
        "reason": "KeyError at a.py:1",
    }
    assert "rahasia sekali" in item.whole()


@pytest.mark.parametrize(
    ("exchange", "step", "believed"),
    [
        ("triage.events", 3, True),
        ("triage.events", 5, True),
        ("triage.events", 2, False),
        ("triage.events", "x", False),
        ("intake.events", 3, False),
    ],
)
def test_an_event_that_another_than_its_teller_told_is_not_sent_back(exchange, step, believed):
    told = json.loads((SAMPLES / "step.overdue.v1.json").read_text("utf-8"))
    told = told | {"source": f"/nkk/{exchange.partition('.')[0]}", "data": told["data"] | {"step": step}}
    headers = {"x-nkk-origin": {"exchange": exchange, "key": "step.overdue.v1", "seal": "x"}}
    item = Item("1", "step.overdue.v1", "", None, headers, json.dumps(told).encode())
    with nullcontext() if believed else pytest.raises(ForgedError):
        item.check()


def test_an_event_the_broker_itself_gave_up_on_says_why():
    assert Item("1", "", "", None, {}, b"junk").summary()["reason"] == "delivered too often without an acknowledgement"


def test_a_stack_that_ended_without_a_word_is_not_taken_for_running(tmp_path):
    assert running(tmp_path) is None
    write_secret(tmp_path / "running.json", '{"url": "http://there", "environment": {}}')
    assert running(tmp_path) is None
    with occupied(tmp_path):
        assert running(tmp_path) == {"url": "http://there", "environment": {}}
    assert (tmp_path / "running.json").stat().st_mode & 0o077 == 0


def test_two_stacks_cannot_run_in_one_folder(tmp_path):
    with occupied(tmp_path), pytest.raises(OccupiedError, match="running in"), occupied(tmp_path):
        pass


def test_only_what_the_stage_noted_is_where_an_event_came_from():
    headers = {"x-nkk-origin": {"exchange": "triage.events", "key": "a.b.v1", "seal": "x"}}
    assert Item("1", "a.b.v1", "", None, headers, b"").summary()["came_from"] == "triage.events under a.b.v1"
    # A message that the broker itself moved after too many deliveries has the headers of its sender.
    assert Item("1", "a.b.v1", "", None, headers | {"x-death": [{}]}, b"").summary()["came_from"] is None


class AnAdmin:
    """An admin whose stages name the tickets `unseen`; those that it lacks are of a version before."""

    def __init__(self, unseen):
        self.unseen = unseen

    def call(self, method, *args, stage="intake"):
        if method == "seats":
            return [{"role": "operator", "opd": None, "known_as": ["one"]}]
        if stage not in self.unseen:
            raise StageFailedError(stage)
        return self.unseen[stage]


def test_cases_that_nobody_of_a_desk_may_see_are_named_under_the_table():
    rows = [dict.fromkeys(COLUMNS) | {"stage": stage, "answers": stage != "triage"} for stage in HEARING]
    tickets = [f"NKK-2026-0000-00{number:02}" for number in range(12)]
    found = status.with_unseen(rows, AnAdmin({"intake": [], "triage": tickets, "opd_response": tickets}).call)
    assert [row.get("unseen") for row in found] == [[], None, tickets, None]
    line = table(found).splitlines()[-1]
    assert "opd_response" in line
    assert f"{tickets[9]} and 2 more" in line
    assert tickets[10] not in line
    assert table(found[:2]) == table(rows[:2])


def test_a_year_whose_joint_leave_is_not_known_is_named_under_the_table():
    row = dict.fromkeys(COLUMNS) | {"stage": "intake", "answers": True}
    assert "2028" in table([row | {"joint_leave_unknown": [2028]}]).splitlines()[-1]
    assert table([row | {"joint_leave_unknown": []}]) == table([row])
