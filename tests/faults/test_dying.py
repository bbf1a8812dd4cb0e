"""SIGKILL at the worst moments: nothing accepted is lost, and nothing takes effect twice."""

import uuid

from tests.builders import complaint_form
from tests.faults import stages
from tests.faults.trial import Trial, answered, assert_unavailable, recording
from tests.installations import eventually
from tests.people import Person


def submitted(reporter: Person) -> str:
    """Submit a report until it is accepted, because the stage may die before it replies; return its ticket."""
    headers = {"Idempotency-Key": uuid.uuid4().hex}

    def ticket() -> str:
        response = reporter.ask("POST", "/complaints", complaint_form(), headers=headers)
        assert response.status_code == 201, response.text
        return str(response.json()["ticket"])

    return eventually(ticket)


def test_an_event_committed_and_not_published_when_its_stage_dies_is_published_later(trial: Trial) -> None:
    reporter = trial.people.reporter()
    trial.settled()
    with recording(trial.installation.uri) as told:
        trial.ask_for(stages.BEFORE_PUBLISHING)
        ticket = submitted(reporter)
        trial.happened(stages.BEFORE_PUBLISHING)
        trial.settled(ticket)
    assert [event["subject"] for event in told] == [ticket]


def test_an_event_published_twice_because_its_stage_died_before_marking_it_has_one_effect(trial: Trial) -> None:
    reporter = trial.people.reporter()
    trial.settled()
    with recording(trial.installation.uri) as told:
        trial.ask_for(stages.BEFORE_MARKING)
        ticket = submitted(reporter)
        trial.happened(stages.BEFORE_MARKING)
        trial.settled(ticket)
    first, second = told
    assert first == second
    assert first["subject"] == ticket
    eventually(lambda: trial.logged("notification-1", "event already handled", event_id=first["id"]))
    trial.settled(ticket)


def test_an_event_whose_consumer_dies_before_acknowledging_it_has_one_effect(trial: Trial) -> None:
    ticket = trial.people.submit(trial.people.reporter())
    trial.ask_for(stages.BEFORE_ACKNOWLEDGING)
    trial.people.operator.act(f"/complaints/{ticket}/handover")
    trial.happened(stages.BEFORE_ACKNOWLEDGING)
    [(event_id,)] = trial.books.rows(
        "intake",
        "SELECT event_id FROM outbox WHERE subject = :ticket AND type = :type",
        ticket=ticket,
        type="complaint.handed_over.v1",
    )
    eventually(lambda: trial.logged("triage-1", "event already handled", event_id=event_id))
    assert trial.people.main_team.desk("triage").count(ticket) == 1
    trial.settled(ticket)


def test_a_complaint_committed_by_a_stage_that_dies_before_replying_is_accepted_once_by_its_key(trial: Trial) -> None:
    reporter, headers = trial.people.reporter(), {"Idempotency-Key": uuid.uuid4().hex}
    trial.ask_for(stages.BEFORE_REPLYING)
    assert_unavailable(answered(reporter, "POST", "/complaints", complaint_form(), headers=headers))
    trial.happened(stages.BEFORE_REPLYING)
    ticket = reporter.post("/complaints", complaint_form(), expect=201, headers=headers)["ticket"]
    assert [item["ticket"] for item in reporter.get("/complaints")["items"]] == [ticket]
    trial.settled(ticket)


def test_a_complaint_without_a_key_is_not_entered_again_by_the_instance_that_gets_the_call_next(trial: Trial) -> None:
    reporter = trial.people.reporter()
    trial.ask_for(stages.BEFORE_REPLYING)
    assert_unavailable(answered(reporter, "POST", "/complaints", complaint_form()))
    trial.happened(stages.BEFORE_REPLYING)
    assert len(reporter.get("/complaints")["items"]) == 1
    trial.settled()


def test_a_hand_over_retried_after_a_death_before_the_reply_says_that_it_was_done(trial: Trial) -> None:
    ticket = trial.people.submit(trial.people.reporter())
    trial.ask_for(stages.BEFORE_REPLYING)
    assert_unavailable(answered(trial.people.operator, "POST", f"/complaints/{ticket}/handover"))
    trial.happened(stages.BEFORE_REPLYING)
    again = trial.people.operator.post(f"/complaints/{ticket}/handover", expect=409)
    assert again["type"] == "urn:nkk:problem:already-handed-over"
    assert again["stands"]["state"] == "handed_over"
    eventually(lambda: trial.people.main_team.desk("triage").count(ticket) == 1)
    trial.settled(ticket)
