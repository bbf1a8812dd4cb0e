"""The access record: staff's views of a case are recorded, and the reporter's identity is shown by a separate act."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy import event as engine_event
from sqlalchemy.exc import OperationalError

from nkk.contracts import STAGES
from nkk.sop.refusals import NotAuthenticated, UnknownTicket
from nkk.trust.actor import Actor
from services.intake.domain import IdentityWithheld
from services.intake.storage import accounts, reporters, sessions
from tests.boxes import asked
from tests.builders import REPORT
from tests.stages import ADMIN, MAIN_TEAM, OPD, OPD_TEAM, PUBLIC_KEY, REPORTER, STORAGES, VAULT, House

IDENTITY = {
    "name": "Siti Rahmawati",
    "identity_number": "1971014107900001",
    "email": "siti@example.id",
    "phone": None,
    "username": "warga-contoh",
}
OPERATOR = Actor("staff-operator", "operator", session="session-1")


@pytest.fixture
def stages(built: House) -> House:
    """Return the stages with empty desks, a reporter with an identity, and an operator who is logged in."""
    built.empty()
    with built.databases["intake"].writing() as connection:
        connection.execute(update(reporters).values(identity=VAULT.encrypt(IDENTITY)))
        connection.execute(delete(accounts).where(accounts.c.id == OPERATOR.id))
        connection.execute(
            insert(accounts).values(
                id=OPERATOR.id,
                login_index="o",
                password_hash="x",
                role="operator",
                failed_attempts=0,
                created_at=built.now,
            )
        )
        connection.execute(
            insert(sessions).values(
                id=OPERATOR.session,
                account_id=OPERATOR.id,
                refresh_hash="r",
                expires_at=built.now + timedelta(days=999),
            )
        )
    return built


def answered(stages: House, **changed: Any) -> str:
    """Carry a complaint up to the sent answer; return its ticket."""
    ticket = stages.do("intake", "submit", REPORTER, REPORT | changed)["ticket"]
    stages.deliver()
    for stage, act, actor, *args in (
        ("intake", "hand_over", OPERATOR),
        ("triage", "forward", MAIN_TEAM, OPD),
        ("opd_response", "respond", OPD_TEAM, "Sudah."),
        ("triage", "approve", MAIN_TEAM),
        ("notification", "send_answer", OPERATOR, "Terima kasih."),
    ):
        stages.do(stage, act, actor, ticket, *args)
        stages.deliver()
    return ticket


def recorded(stages: House, stage: str) -> list[tuple[Any, ...]]:
    """Return a stage's record, as (actor, role, act, ticket, detail)."""
    table = STORAGES[stage].record
    with stages.databases[stage].reading() as connection:
        rows = connection.execute(select(table).order_by(table.c.id)).all()
    return [(row.actor, row.role, row.act, row.ticket, json.loads(row.detail)) for row in rows]


LOOKS = [
    ("intake", "complaint", OPERATOR, "complaint"),
    ("triage", "case", MAIN_TEAM, "case"),
    ("opd_response", "case", OPD_TEAM, "case"),
    ("notification", "answer", OPERATOR, "answer"),
    ("notification", "timeline", OPERATOR, "timeline"),
    ("notification", "timeline", MAIN_TEAM, "timeline"),
    ("notification", "timeline", OPD_TEAM, "timeline"),
    ("notification", "record", ADMIN, "clocks"),
]


@pytest.mark.parametrize(("stage", "read", "actor", "of"), LOOKS)
def test_each_look_of_the_staff_is_a_row(stages: House, stage: str, read: str, actor: Actor, of: str) -> None:
    ticket = answered(stages)
    for count in (1, 2):
        stages.do(stage, read, actor, ticket)
        assert recorded(stages, stage) == [(actor.id, actor.role, "viewed", ticket, {"of": of})] * count
    assert [recorded(stages, other) for other in STAGES if other != stage] == [[]] * 3


@pytest.mark.parametrize(("stage", "read", "actor", "of"), LOOKS)
def test_a_look_that_cannot_be_recorded_does_not_happen(
    stages: House, stage: str, read: str, actor: Actor, of: str
) -> None:
    ticket, engine = answered(stages), stages.databases[stage].engine

    def refuse(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO record"):
            raise OperationalError(statement, {}, Exception("full"))

    engine_event.listen(engine, "before_cursor_execute", refuse)
    try:
        with pytest.raises(OperationalError):
            stages.do(stage, read, actor, ticket)
    finally:
        engine_event.remove(engine, "before_cursor_execute", refuse)
    assert recorded(stages, stage) == []


def test_a_reporters_own_looks_are_on_no_record(stages: House) -> None:
    ticket = answered(stages)
    for stage, read in (
        ("intake", "complaint"),
        ("notification", "timeline"),
        ("notification", "read_answer"),
        ("notification", "open_answer"),
    ):
        stages.do(stage, read, REPORTER, ticket)
    assert [recorded(stages, stage) for stage in STAGES] == [[]] * 4


def test_a_look_that_was_refused_is_none(stages: House) -> None:
    ticket = answered(stages)
    for stage, read in (("opd_response", "case"), ("notification", "timeline")):
        with pytest.raises(UnknownTicket):
            stages.do(stage, read, Actor("staff-other", "opd_team", "satpol-pp"), ticket)
    assert [recorded(stages, stage) for stage in STAGES] == [[]] * 4


# -- the reporter's identity


def shown(stages: House, ticket: str, actor: Actor = OPERATOR, on: str = "screen") -> dict[str, Any]:
    intake, content = stages.services["intake"], {"ticket": ticket, "on": on}
    given: dict[str, Any] = asked(intake, PUBLIC_KEY, "identity", content, actor)
    return given


@pytest.mark.parametrize("on", ["screen", "document"])
def test_who_reported_is_shown_when_asked_for_and_recorded_in_the_same_transaction(stages: House, on: str) -> None:
    ticket = answered(stages)
    assert shown(stages, ticket, on=on) == IDENTITY | {"kind": "public"}
    assert recorded(stages, "intake") == [(OPERATOR.id, "operator", "identity_shown", ticket, {"on": on})]


def test_no_view_says_who_reported(stages: House) -> None:
    ticket = answered(stages)
    view = stages.do("intake", "complaint", OPERATOR, ticket)
    assert not [known for known in IDENTITY.values() if known and known in json.dumps(view)]
    assert recorded(stages, "intake") == [(OPERATOR.id, "operator", "viewed", ticket, {"of": "complaint"})]


def test_who_asked_for_confidentiality_is_shown_to_nobody(stages: House) -> None:
    ticket = answered(stages, confidential=True)
    with pytest.raises(IdentityWithheld):
        shown(stages, ticket)
    assert recorded(stages, "intake") == []


@pytest.mark.parametrize(
    "ended",
    [
        lambda now: update(sessions).values(ended_at=now),
        lambda now: update(sessions).values(expires_at=now),
        lambda now: update(accounts).where(accounts.c.id == OPERATOR.id).values(disabled_at=now),
        lambda now: delete(sessions),
    ],
    ids=["logged out", "ran out", "disabled", "unknown"],
)
def test_whose_session_has_ended_is_shown_nobody_though_their_token_lives(stages: House, ended: Any) -> None:
    ticket = answered(stages)
    with stages.databases["intake"].writing() as connection:
        connection.execute(ended(stages.now))
    with pytest.raises(NotAuthenticated):
        shown(stages, ticket)
    assert recorded(stages, "intake") == []


def test_an_identity_that_cannot_be_recorded_is_not_shown(stages: House) -> None:
    ticket, engine = answered(stages), stages.databases["intake"].engine

    def refuse(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO record"):
            raise OperationalError(statement, {}, Exception("full"))

    engine_event.listen(engine, "before_cursor_execute", refuse)
    try:
        with pytest.raises(OperationalError):
            shown(stages, ticket)
    finally:
        engine_event.remove(engine, "before_cursor_execute", refuse)
