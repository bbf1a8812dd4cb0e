"""Staff who stepped aside from a case: at every stage it is to them as one that never was."""

import inspect
from datetime import timedelta
from typing import Any

import pytest

from nkk.sop.files import UnknownFile
from nkk.sop.refusals import NotYourRole, UnknownTicket
from nkk.trust.actor import Actor
from tests.builders import REPORT
from tests.stages import ADMIN, MAIN_TEAM, OPERATOR, REPORTER, SERVICES, STORAGES, House, methods
from tests.unseen import ARGUMENTS, CALLS, COLLEAGUES, DESKS, NEVER, OTHERS, everywhere, refusal

WHY = "Terlapor kerabat saya."


def recused(stages: House, stage: str, account: str | None = None, actor: Actor | None = None) -> str:
    ticket = everywhere(stages)
    stages.do(stage, "recuse", actor or DESKS[stage], ticket, WHY, account)
    stages.settle()
    return ticket


@pytest.mark.parametrize("stage", SERVICES)
def test_every_method_that_takes_a_ticket_is_tried(stage: str) -> None:
    of_a_case = {
        name
        for name in methods(stage)
        if "ticket" in inspect.signature(inspect.unwrap(getattr(SERVICES[stage], name))).parameters
    }
    assert of_a_case == set(ARGUMENTS[stage]) | OTHERS[stage]


@pytest.mark.parametrize(("stage", "method"), CALLS, ids=[f"{stage}.{method}" for stage, method in CALLS])
def test_to_whoever_stepped_aside_a_case_is_as_one_that_never_was(stages: House, stage: str, method: str) -> None:
    desk = "intake" if stage == "notification" else stage
    actor = DESKS[desk]
    ticket = recused(stages, desk)
    answer = refusal(stages, stage, method, actor, ticket)
    assert answer[0][0] in (UnknownTicket, UnknownFile)
    assert answer == refusal(stages, stage, method, actor, NEVER)


@pytest.mark.parametrize("actor", DESKS.values(), ids=lambda actor: actor.role)
def test_the_timeline_is_as_unknown_to_every_role(stages: House, actor: Actor) -> None:
    desk = next(stage for stage, found in DESKS.items() if found is actor)
    ticket = recused(stages, desk)
    assert refusal(stages, "notification", "timeline", actor, ticket) == refusal(
        stages, "notification", "timeline", actor, NEVER
    )


def test_tim_utama_who_stepped_aside_reads_no_desks_notes(stages: House) -> None:
    ticket = everywhere(stages)
    for stage, actor in DESKS.items():
        stages.do(stage, "add_note", actor, ticket, "Catatan.")
    stages.do("triage", "recuse", MAIN_TEAM, ticket, WHY)
    stages.settle()
    for stage in DESKS:
        assert refusal(stages, stage, "notes", MAIN_TEAM, ticket) == refusal(stages, stage, "notes", MAIN_TEAM, NEVER)
    read = [note["text"] for note in stages.do("triage", "notes", COLLEAGUES["triage"], ticket)]
    assert read == ["Catatan.", WHY]


@pytest.mark.parametrize("stage", DESKS)
def test_a_case_leaves_the_list_of_whoever_steps_aside_and_of_nobody_else(stages: House, stage: str) -> None:
    actor, colleague = DESKS[stage], COLLEAGUES[stage]
    ticket = stages.do("intake", "submit", REPORTER, REPORT)["ticket"]
    if stage != "intake":
        stages.do("intake", "hand_over", OPERATOR, ticket)
        stages.settle()
    if stage == "opd_response":
        stages.do("triage", "forward", MAIN_TEAM, ticket, "disdukcapil")
        stages.settle()
    stages.do(stage, "recuse", actor, ticket, WHY)

    def listed(who: Actor, **wanted: Any) -> bool:
        found = stages.do(stage, "worklist", who, None, None, wanted)["items"]
        return ticket in [row["ticket"] for row in found]

    for wanted in ({}, {"q": ticket}):
        assert not listed(actor, **wanted)
        assert listed(colleague, **wanted)
    if stage == "intake":
        assert stages.do("intake", "subjects", actor, [ticket]) == {}


def test_answers_and_undelivered_letters_leave_the_operators_second_desk(stages: House) -> None:
    ticket, colleague = everywhere(stages), COLLEAGUES["intake"]

    def lists(who: Actor) -> list[list[str]]:
        asked = ("worklist", "undelivered")
        return [[row["ticket"] for row in stages.do("notification", name, who)["items"]] for name in asked]

    messages = STORAGES["notification"].messages
    with stages.databases["notification"].writing() as connection:
        of_ticket = messages.update().where(messages.c.ticket == ticket)
        connection.execute(of_ticket.values(given_up_at=stages.now))
    with_letters = lists(colleague)
    assert ticket in with_letters[0]
    stages.do("intake", "recuse", OPERATOR, ticket, WHY)
    stages.settle()
    assert lists(colleague) == with_letters
    assert all(ticket not in found for found in lists(OPERATOR))


@pytest.mark.parametrize("closed", [False, True])
def test_the_months_recapitulation_leaves_out_what_its_caller_may_not_see(stages: House, closed: bool) -> None:
    ticket, other = everywhere(stages), everywhere(stages)
    if closed:
        for each in (ticket, other):
            stages.do("notification", "send_answer", OPERATOR, each, "Sudah ditegur.")
            stages.do("notification", "confirm_receipt", REPORTER, each)
    stages.do("triage", "recuse", COLLEAGUES["triage"], ticket, WHY)
    stages.settle()

    def counted(who: Actor) -> set[str]:
        page = stages.do("notification", "month", who, f"{stages.now:%Y-%m}", closed)
        return {journey["ticket"] for journey in page["journeys"]}

    assert counted(COLLEAGUES["triage"]) == {other}
    assert counted(MAIN_TEAM) == counted(ADMIN) == {ticket, other}


@pytest.mark.parametrize("stage", DESKS)
def test_to_step_aside_again_has_the_same_answer_and_no_second_effect(stages: House, stage: str) -> None:
    ticket, actor = everywhere(stages), DESKS[stage]
    first = stages.do(stage, "recuse", actor, ticket, WHY)
    assert stages.do(stage, "recuse", actor, ticket, WHY) == first == {"ticket": ticket, "account": actor.id}
    assert [note["text"] for note in stages.do(stage, "notes", COLLEAGUES[stage], ticket)] == [WHY]


def test_a_reason_names_who_stepped_aside_and_no_other_note_does(stages: House) -> None:
    ticket, colleague = everywhere(stages), COLLEAGUES["triage"]
    stages.do("triage", "add_note", MAIN_TEAM, ticket, "Dibahas.")
    stages.now += timedelta(seconds=1)
    stages.do("triage", "recuse", MAIN_TEAM, ticket, WHY, colleague.id)
    stages.do("opd_response", "recuse", COLLEAGUES["opd_response"], ticket, WHY)
    for stage, whose in (("triage", colleague), ("opd_response", COLLEAGUES["opd_response"])):
        notes = stages.do(stage, "notes", MAIN_TEAM, ticket)
        assert {note["text"]: note["recused"] for note in notes} == (
            {WHY: whose.id} | ({"Dibahas.": None} if stage == "triage" else {})
        )
    case = stages.do("opd_response", "case", DESKS["opd_response"], ticket)
    assert [note["recused"] for note in case["notes"]] == [COLLEAGUES["opd_response"].id]


def test_whoever_was_made_to_step_aside_does_not_learn_of_the_case_by_stepping_aside(stages: House) -> None:
    colleague = COLLEAGUES["triage"]
    ticket = recused(stages, "triage", colleague.id)
    for unknown in (ticket, NEVER):
        with pytest.raises(UnknownTicket):
            stages.do("triage", "recuse", colleague, unknown, WHY)


def test_whoever_stepped_aside_has_no_colleague_step_aside_any_more(stages: House) -> None:
    ticket = recused(stages, "triage", MAIN_TEAM.id)
    with pytest.raises(UnknownTicket):
        stages.do("triage", "recuse", MAIN_TEAM, ticket, WHY, COLLEAGUES["triage"].id)


def test_tim_utama_has_a_colleague_of_any_desk_step_aside_and_nobody_else_does(stages: House) -> None:
    ticket = everywhere(stages)
    for stage in ("intake", "opd_response"):
        with pytest.raises(NotYourRole):
            stages.do(stage, "recuse", DESKS[stage], ticket, WHY, COLLEAGUES[stage].id)
    for stage, colleague in COLLEAGUES.items():
        stages.do("triage", "recuse", MAIN_TEAM, ticket, WHY, colleague.id)
        stages.settle()
        with pytest.raises(UnknownTicket):
            stages.do(stage, "notes", colleague, ticket)
        assert stages.do(stage, "notes", DESKS[stage], ticket) is not None


def test_who_may_not_see_a_case_may_not_when_it_comes_to_a_later_desk(stages: House) -> None:
    ticket = stages.do("intake", "submit", REPORTER, REPORT)["ticket"]
    stages.settle()
    stages.do("intake", "recuse", OPERATOR, ticket, WHY)
    stages.settle()
    colleague = COLLEAGUES["intake"]
    stages.do("intake", "hand_over", colleague, ticket)
    stages.settle()
    # The same account, had it another role since.
    with pytest.raises(UnknownTicket):
        stages.do("triage", "case", Actor(OPERATOR.id, "main_team"), ticket)


def test_a_claim_ends_with_stepping_aside(stages: House) -> None:
    ticket = stages.do("intake", "submit", REPORTER, REPORT)["ticket"]
    stages.do("intake", "claim", OPERATOR, ticket)
    stages.do("intake", "recuse", OPERATOR, ticket, WHY)
    assert stages.do("intake", "complaint", COLLEAGUES["intake"], ticket)["claim"] is None


def test_reporter_and_admin_are_not_concerned(stages: House) -> None:
    ticket = recused(stages, "intake")
    assert stages.do("intake", "complaint", REPORTER, ticket)["ticket"] == ticket
    assert stages.do("notification", "record", ADMIN, ticket)["journeys"]
