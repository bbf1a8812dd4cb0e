"""What is told of a second cycle, after an objection: by letters, by documents, and to an agency that had the first."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from gateway import papers
from gateway.documents.content import SHOWN
from nkk.settings.keys import as_pem
from nkk.trust.actor import Actor
from services.notification.storage import Messages, journeys
from services.notification.words import words_of
from tests.current.documents import application
from tests.integration.test_acts import OTHER, OTHER_TEAM, acted, answered, forwarded, timeline
from tests.integration.test_by_day import KEYS, AtHome
from tests.integration.test_joined_as_alone import document
from tests.stages import MAIN_TEAM, OPD, OPD_TEAM, OPERATOR, REPORTER, House

WHY = "Belum terjawab."


@pytest.fixture(scope="module")
def app(built: House) -> Flask:
    """Return a gateway, API and site, of these stages."""
    made = application(TOKEN_PUBLIC_KEY=as_pem(KEYS["NKK_TOKEN_PUBLIC_KEY"]), CLOCK=lambda: built.now)
    made.extensions["nkk"] = AtHome(built)
    return made


def objected(stages: House) -> str:
    """Return the ticket of a complaint whose reporter objected to its answer."""
    ticket = forwarded(stages)
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Ditegur.")
    answered(stages, ticket)
    stages.now += timedelta(days=1)
    acted(stages, "notification", "object_to", REPORTER, ticket, WHY)
    return ticket


def answered_again(stages: House, ticket: str) -> None:
    acted(stages, "triage", "forward", MAIN_TEAM, ticket, OPD)
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Dipindahkan.")
    acted(stages, "triage", "approve", MAIN_TEAM, ticket)
    acted(stages, "notification", "send_answer", OPERATOR, ticket, "Petugas itu dipindahkan.", [])


def letters(stages: House, ticket: str) -> dict[str, Any]:
    """Return the words of the letters about a complaint that the mailer would send now, by kind."""
    with stages.databases["notification"].writing() as connection:
        due = Messages(connection).due(stages.now, 100)
    return {row.kind: words_of(row, "https://pengaduan.example.id") for row in due if row.ticket == ticket}


def test_the_apology_names_the_promise_that_was_not_kept(stages: House) -> None:
    first, second = forwarded(stages), objected(stages)
    stages.now += timedelta(days=9)
    stages.services["notification"].tell_reporters()
    with stages.databases["notification"].reading() as connection:
        rows = {row.ticket: row for row in connection.execute(select(journeys))}
    promised = {each: letters(stages, each)["late"]["service_due"] for each in (first, second)}
    assert rows[second].again_due_at > rows[second].service_due_at
    assert promised[first] == letters(stages, first)["received"]["service_due"]
    assert promised[second] != letters(stages, second)["received"]["service_due"]


def content(app: Flask, kind: str, ticket: str, reader: Actor) -> Any:
    """Return what a document shows its reader."""
    two: Any = SimpleNamespace(app=app)
    held = document(kind, reader)(two, ticket)
    return {name: value for name, value in held.items() if name in SHOWN[kind]}


def test_the_letter_with_the_answer_holds_the_first_until_there_is_a_second(stages: House, app: Flask) -> None:
    ticket = objected(stages)
    first = content(app, papers.ANSWER_LETTER, ticket, OPERATOR)
    assert (first["answer"], first["may_object"]) == ("Sudah diperbaiki.", False)
    acted(stages, "triage", "forward", MAIN_TEAM, ticket, OPD)
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Dipindahkan.")
    acted(stages, "triage", "approve", MAIN_TEAM, ticket)
    awaited = content(app, papers.ANSWER_LETTER, ticket, OPERATOR)
    assert (awaited["answer"], awaited["answered_at"]) == ("Sudah diperbaiki.", first["answered_at"])
    acted(stages, "notification", "send_answer", OPERATOR, ticket, "Petugas itu dipindahkan.", [])
    second = content(app, papers.ANSWER_LETTER, ticket, OPERATOR)
    assert (second["answer"], second["may_object"]) == ("Petugas itu dipindahkan.", False)


def test_a_first_answer_may_be_objected_to(stages: House, app: Flask) -> None:
    ticket = forwarded(stages)
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Ditegur.")
    answered(stages, ticket)
    assert content(app, papers.ANSWER_LETTER, ticket, OPERATOR)["may_object"] is True


@pytest.mark.parametrize("again", ["information", "complaint"])
def test_the_reporters_document_of_the_first_answer_says_nothing_of_what_came_after_it(
    stages: House, app: Flask, again: str
) -> None:
    ticket = forwarded(stages)
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Ditegur.")
    answered(stages, ticket)
    acted(stages, "notification", "confirm_receipt", REPORTER, ticket)
    first, desks_own = (content(app, papers.RESPONSE, ticket, reader) for reader in (REPORTER, OPERATOR))
    acted(stages, "notification", "object_to", REPORTER, ticket, WHY)
    assert content(app, papers.RESPONSE, ticket, OPERATOR) == desks_own
    assert content(app, papers.RESPONSE, ticket, REPORTER) == first
    if again == "information":
        acted(stages, "triage", "classify_as_information", MAIN_TEAM, ticket)
    else:
        acted(stages, "triage", "forward", MAIN_TEAM, ticket, OPD)
        acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Dipindahkan.")
        acted(stages, "triage", "approve", MAIN_TEAM, ticket)
    assert content(app, papers.RESPONSE, ticket, REPORTER) == first
    assert (first["path"], first["how"]) == ("complaint", "confirmed")
    assert first["approved_at"] < first["answered_at"] < first["closed_at"] < first["service_due_at"]


@pytest.mark.parametrize("reader", [REPORTER, OPERATOR], ids=["reporter", "operator"])
def test_the_document_of_the_second_answer_has_the_second_promise(stages: House, app: Flask, reader: Actor) -> None:
    ticket = objected(stages)
    answered_again(stages, ticket)
    held = content(app, papers.RESPONSE, ticket, reader)
    told = timeline(stages, reader, ticket)["service_due_at"]
    assert (held["answer"], held["service_due_at"]) == ("Petugas itu dipindahkan.", told)
    assert held["answered_at"] < held["service_due_at"]


def test_a_team_that_declined_is_not_told_of_a_withdrawal_that_came_too_late(stages: House) -> None:
    ticket = forwarded(stages)
    acted(stages, "opd_response", "decline", OPD_TEAM, ticket, "Bukan kewenangan kami.")
    acted(stages, "triage", "classify_as_information", MAIN_TEAM, ticket)
    stages.now += timedelta(days=3)
    stages.do("notification", "send_answer", OPERATOR, ticket, "Jam pelayanan 07.30.", [])
    acted(stages, "intake", "withdraw", REPORTER, ticket, "Sudah selesai.")
    assert [entry["event"] for entry in timeline(stages, OPERATOR, ticket)["overtaken"]] == ["complaint.withdrawn.v1"]
    assert timeline(stages, OPD_TEAM, ticket)["overtaken"] == []


def test_a_team_is_told_of_it_that_had_the_complaint_until_the_answer(stages: House) -> None:
    ticket = forwarded(stages)
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Ditegur.")
    answered(stages, ticket)
    acted(stages, "intake", "withdraw", REPORTER, ticket, "Sudah selesai.")
    told = ["complaint.withdrawn.v1"]
    assert [entry["event"] for entry in timeline(stages, OPD_TEAM, ticket)["overtaken"]] == told
    acted(stages, "notification", "object_to", REPORTER, ticket, WHY)
    assert [entry["event"] for entry in timeline(stages, OPD_TEAM, ticket)["overtaken"]] == told


def test_a_team_that_had_the_first_cycle_is_told_the_promise_of_that(stages: House) -> None:
    ticket = objected(stages)
    acted(stages, "triage", "forward", MAIN_TEAM, ticket, OTHER)
    first, second = (timeline(stages, team, ticket)["service_due_at"] for team in (OPD_TEAM, OTHER_TEAM))
    assert first < second
