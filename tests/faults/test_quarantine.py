"""An event that always fails: retried ever later, then put aside with its reason, then healed or dropped by hand."""

import json

import pytest

from tests.chaos.accountant.effects import HANDED_OVER
from tests.faults.trial import Trial
from tests.installations import eventually

TEXT = "Rahasia-Pelapor menulis panjang lebar tentang atasannya."


@pytest.fixture
def trial(tidied: Trial) -> Trial:
    return tidied


def fails(trial: Trial) -> str:
    """A complaint whose hand-over triage cannot handle: its ticket, once it is in quarantine."""
    ticket = trial.people.submit(trial.people.reporter(), text=TEXT)
    trial.ask_for(ticket)
    trial.people.operator.act(f"/complaints/{ticket}/handover")
    eventually(lambda: [item for item in trial.quarantined("triage") if item.summary()["subject"] == ticket])
    return ticket


def handed_over(trial: Trial, ticket: str) -> str:
    """The id of a ticket's hand-over."""
    [(event_id,)] = trial.books.rows(
        "intake",
        "SELECT event_id FROM outbox WHERE subject = :ticket AND type = :type",
        ticket=ticket,
        type=HANDED_OVER,
    )
    return event_id


def test_a_failing_event_is_retried_later_and_later_and_holds_nobody_up(trial: Trial) -> None:
    other = trial.people.submit(trial.people.reporter())
    ticket = trial.people.submit(trial.people.reporter(), text=TEXT)
    trial.ask_for(ticket)
    trial.people.operator.act(f"/complaints/{ticket}/handover")
    trial.people.operator.act(f"/complaints/{other}/handover")
    eventually(lambda: other in trial.people.main_team.desk("triage"))
    assert trial.depth("triage.quarantine") == 0

    event_id = handed_over(trial, ticket)
    eventually(lambda: trial.logged("triage-1", "event quarantined", event_id=event_id))
    failures = trial.logged("triage-1", "event failed, will be retried", event_id=event_id)
    assert [(line["attempt"], line["delay_ms"]) for line in failures] == [(1, 200), (2, 400), (3, 800)]
    eventually(lambda: trial.depth("triage.quarantine") == 1)
    assert ticket not in trial.people.main_team.desk("triage")

    trial.call_off(ticket)
    assert trial.nkk("quarantine", "retry", "triage", event_id).returncode == 0
    eventually(lambda: ticket in trial.people.main_team.desk("triage"))
    trial.settled(ticket, other)


def test_what_is_in_quarantine_is_listed_without_a_word_of_its_text_and_shown_whole(trial: Trial) -> None:
    ticket = fails(trial)
    event_id = handed_over(trial, ticket)
    [line] = trial.nkk("quarantine", "list", "triage").stdout.splitlines()
    listed = json.loads(line)
    assert (listed["id"], listed["type"], listed["subject"], listed["attempts"]) == (event_id, HANDED_OVER, ticket, 3)
    assert listed["reason"].startswith("gave up after 4 attempts: RuntimeError at stages.py:")
    assert listed["failed_at"]
    assert TEXT not in line + trial.installation.logs()
    shown = json.loads(trial.nkk("quarantine", "show", "triage", event_id).stdout)
    assert shown["event"]["data"]["text"] == TEXT
    status = json.loads(trial.nkk("status", "--json").stdout)
    assert [row["quarantined"] for row in status if row["stage"] == "triage"] == [1]

    trial.call_off(ticket)
    sent = trial.nkk("quarantine", "retry", "triage", "--all")
    assert (sent.returncode, sent.stderr.strip()) == (0, "1 sent back to triage")
    eventually(lambda: ticket in trial.people.main_team.desk("triage"))
    assert trial.nkk("quarantine", "list", "triage").stdout == ""
    trial.settled(ticket)


def test_an_event_sent_back_too_early_has_all_its_attempts_again(trial: Trial) -> None:
    ticket = fails(trial)
    event_id = handed_over(trial, ticket)
    assert trial.nkk("quarantine", "retry", "triage", event_id).returncode == 0
    eventually(lambda: len(trial.logged("triage-1", "event quarantined", event_id=event_id)) == 2)
    eventually(lambda: trial.depth("triage.quarantine") == 1)
    failures = trial.logged("triage-1", "event failed, will be retried", event_id=event_id)
    assert [line["attempt"] for line in failures] == [1, 2, 3, 1, 2, 3]
    trial.call_off(ticket)
    trial.nkk("quarantine", "retry", "triage", event_id)
    trial.settled(ticket)


def test_an_event_that_is_dropped_is_gone_and_no_other(trial: Trial) -> None:
    dropped, kept = fails(trial), fails(trial)
    trial.books.foreign.add(dropped)
    done = trial.nkk("quarantine", "drop", "triage", handed_over(trial, dropped), "--yes")
    assert (done.returncode, done.stderr.strip()) == (0, f"{handed_over(trial, dropped)} dropped")
    eventually(lambda: [item.id for item in trial.quarantined("triage")] == [handed_over(trial, kept)])
    for ticket in (dropped, kept):
        trial.call_off(ticket)
    missing = trial.nkk("quarantine", "retry", "triage", handed_over(trial, dropped))
    assert (missing.returncode, "not in quarantine" in missing.stderr) == (1, True)
    trial.nkk("quarantine", "retry", "triage", handed_over(trial, kept))
    trial.settled(kept)
    assert dropped not in trial.people.main_team.desk("triage")
