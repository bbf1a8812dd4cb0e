"""Cases that nobody of the desk where they wait may see, which only a new account can end."""

import pytest
from sqlalchemy import delete, insert

from nkk.trust.actor import Actor
from tests.builders import REPORT
from tests.stages import ADMIN, MAIN_TEAM, OPD, OPD_TEAM, OPERATOR, REPORTER, STORAGES, VAULT, House
from tests.unseen import COLLEAGUES, DESKS

NIP = "198503122010011003"
OTHER_OPD = Actor("staff-other-opd", "opd_team", "inspektorat")
WHY = "Terlapor kerabat saya."


@pytest.fixture(autouse=True)
def nobody_is_employed(stages: House) -> None:
    """Delete the accounts of earlier tests."""
    accounts = STORAGES["intake"].accounts
    with stages.databases["intake"].writing() as connection:
        connection.execute(delete(accounts).where(accounts.c.role != "reporter"))


def employed(stages: House, actor: Actor, nip: str | None = None, disabled: bool = False) -> None:
    """Add an account to intake's table."""
    row = {"id": actor.id, "login_index": actor.id, "password_hash": "x", "role": actor.role, "group": actor.group}
    row |= {"username": actor.id, "failed_attempts": 0, "created_at": stages.now, "barred": nip and VAULT.barred(nip)}
    with stages.databases["intake"].writing() as connection:
        accounts = STORAGES["intake"].accounts
        connection.execute(insert(accounts).values(row | {"disabled_at": stages.now if disabled else None}))


def waiting_at(stages: House, stage: str) -> str:
    """Return a complaint that waits at a desk."""
    ticket: str = stages.do("intake", "submit", REPORTER, REPORT)["ticket"]
    for at, act, actor, *args in (
        ("intake", "hand_over", OPERATOR),
        ("triage", "forward", MAIN_TEAM, OPD),
        ("opd_response", "respond", OPD_TEAM, "Ditegur."),
        ("triage", "approve", MAIN_TEAM),
    ):
        if at == stage:
            break
        stages.do(str(at), str(act), actor, ticket, *args)
        stages.settle()
    return ticket


def unseen(stages: House) -> dict[str, list[str]]:
    seats = stages.do("intake", "seats", ADMIN)
    found = {stage: stages.do(stage, "unseen", ADMIN, seats) for stage in (*DESKS, "notification")}
    return {stage: tickets for stage, tickets in found.items() if tickets}


@pytest.mark.parametrize("stage", DESKS)
def test_a_case_is_named_when_the_last_of_its_desk_steps_aside_and_until_there_is_a_new_account(
    stages: House, stage: str
) -> None:
    for actor in (*DESKS.values(), *COLLEAGUES.values(), OTHER_OPD):
        employed(stages, actor)
    employed(stages, Actor("staff-disabled", DESKS[stage].role, DESKS[stage].group), disabled=True)
    ticket, seen = waiting_at(stages, stage), waiting_at(stages, stage)
    stages.do(stage, "recuse", DESKS[stage], ticket, WHY)
    stages.do(stage, "recuse", DESKS[stage], seen, WHY)
    assert unseen(stages) == {}
    stages.do(stage, "recuse", COLLEAGUES[stage], ticket, WHY)
    assert unseen(stages) == {stage: [ticket]}
    stages.settle()
    assert unseen(stages) == {stage: [ticket]}, "no other desk has it now"
    employed(stages, Actor("staff-new", DESKS[stage].role, DESKS[stage].group))
    assert unseen(stages) == {}


def test_an_account_of_the_accused_counts_as_one_that_may_not_see_the_case(stages: House) -> None:
    employed(stages, OPERATOR)
    employed(stages, COLLEAGUES["intake"], NIP)
    ticket: str = stages.do("intake", "submit", REPORTER, REPORT)["ticket"]
    with stages.services["intake"].uow.begin() as work:
        work.bar(ticket, VAULT.barred(NIP))
    assert unseen(stages) == {}
    stages.do("intake", "recuse", OPERATOR, ticket, WHY)
    assert unseen(stages) == {"intake": [ticket]}


def test_an_answer_that_no_operator_may_see_is_named_at_the_second_desk(stages: House) -> None:
    employed(stages, OPERATOR)
    ticket = waiting_at(stages, "notification")
    stages.do("intake", "recuse", OPERATOR, ticket, WHY)
    stages.settle()
    assert unseen(stages) == {"notification": [ticket]}
