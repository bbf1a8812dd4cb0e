"""Worklists and claims as the four stages keep them, on both databases."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from nkk.contracts import STAGES
from nkk.sop.claims import LASTS, ClaimedByColleague
from nkk.sop.refusals import AlreadyDone, InvalidInput, NotYourStep, UnknownTicket
from nkk.store.database import UtcDateTime
from nkk.trust.actor import Actor
from tests.builders import REPORT
from tests.stages import FIRST_MORNING, MAIN_TEAM, OPD, OPD_TEAM, OPERATOR, REPORTER, STORAGES, House, house

DESKS = {"intake": OPERATOR, "triage": MAIN_TEAM, "opd_response": OPD_TEAM, "notification": OPERATOR}


def submitted(stages: House, **changed: str) -> str:
    ticket = stages.do("intake", "submit", REPORTER, REPORT | changed)["ticket"]
    stages.deliver()
    return ticket


def brought_to(stages: House, desk: str, **changed: str) -> str:
    """Submit a complaint and bring it to `desk`; return its ticket."""
    ticket = submitted(stages, **changed)
    for stage, act, actor, args in (
        ("intake", "hand_over", OPERATOR, ()),
        ("triage", "forward", MAIN_TEAM, (OPD,)),
        ("opd_response", "respond", OPD_TEAM, ("Sudah.",)),
        ("triage", "approve", MAIN_TEAM, ()),
    ):
        if stage == desk:
            return ticket
        stages.do(stage, act, actor, ticket, *args)
        stages.deliver()
    return ticket


def listed(stages: House, desk: str, actor: Actor | None = None, **wanted: object) -> dict[str, object]:
    """Return the worklist of `desk` filtered by `wanted`, as {ticket: claim}."""
    page = stages.do(desk, "worklist", actor or DESKS[desk], None, None, wanted)
    return {item["ticket"]: item["claim"] for item in page["items"]}


# -- worklists


@pytest.mark.parametrize("desk", STAGES)
def test_a_desk_is_narrowed_by_category_lateness_and_ticket(stages: House, desk: str) -> None:
    early = brought_to(stages, desk, category="kode-etik", sub_category="bernegara")
    stages.now += timedelta(days=20)
    late = brought_to(stages, desk)
    assert set(listed(stages, desk)) == {early, late}
    assert set(listed(stages, desk, category="kode-etik")) == {early}
    assert set(listed(stages, desk, late=True)) == {early}
    assert set(listed(stages, desk, late=True, category="kode-perilaku")) == set()
    assert set(listed(stages, desk, q=late.lower())) == {late}
    assert set(listed(stages, desk, q=late[-4:], late=True)) == set()


@pytest.mark.parametrize("desk", ["intake", "triage", "opd_response"])
def test_words_of_the_subject_line_are_found_in_any_case_and_no_wildcard_is_one(stages: House, desk: str) -> None:
    ticket = brought_to(stages, desk, subject_line="Loket ÉMPAT tutup, 100%_pasti")
    other = brought_to(stages, desk, subject_line="Antrean 1000 orang")
    for q in ("loket émpat", "TUTUP", "100%", "%_p"):
        assert set(listed(stages, desk, q=q)) == {ticket}, q
    for q in ("%%", "l_ket", "00__r", "Loket%tutup", "\\%"):
        assert set(listed(stages, desk, q=q)) == set(), q
    assert set(listed(stages, desk, q="an")) == {other}


def test_the_answers_desk_has_no_subject_to_find(stages: House) -> None:
    brought_to(stages, "notification", subject_line="Loket tutup")
    assert listed(stages, "notification", q="loket tutup") == {}


def test_an_agencys_search_ends_at_its_own_desk(stages: House) -> None:
    ticket = brought_to(stages, "opd_response")
    other = Actor("staff-other", "opd_team", "dinas-sosial")
    assert listed(stages, "opd_response", other, q=ticket) == listed(stages, "opd_response", other, late=True) == {}


@pytest.mark.parametrize("desk", STAGES)
def test_a_narrowed_list_is_read_by_the_index_of_what_is_open(desk: str, tmp_path: Path) -> None:
    with house(lambda stage: f"sqlite:///{tmp_path}/{stage}.db") as stages:
        plans = []

        def explain(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            if "ORDER BY" in statement and "outbox" not in statement:
                plans.append(
                    [row[3] for row in cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
                )

        event.listen(stages.databases[desk].engine, "before_cursor_execute", explain)
        for wanted in ({}, {"late": True}, {"category": "kode-etik"}, {"q": "loket"}):
            listed(stages, desk, **wanted)
    assert len(plans) == 4
    index = {"intake": "ix_complaints_waiting", "notification": "ix_answers_waiting"}.get(desk, "ix_cases_open")
    # A desk without subject lines finds a whole ticket by the primary key.
    assert all(index in plan[0] or "(ticket=?)" in plan[0] for plan in plans), plans
    assert not any("TEMP B-TREE" in step for plan in plans for step in plan), plans


@pytest.mark.parametrize("desk", STAGES)
def test_a_desk_is_narrowed_by_whom_a_case_waits_for(stages: House, desk: str) -> None:
    me = DESKS[desk]
    colleague = Actor("staff-colleague", me.role, me.group)
    mine, theirs, free, lapsed = (brought_to(stages, desk) for _ in range(4))
    stages.do(desk, "claim", me, lapsed)
    stages.now += LASTS
    stages.do(desk, "claim", me, mine)
    stages.do(desk, "claim", colleague, theirs)
    assert set(listed(stages, desk, waits="me")) == {mine}
    assert set(listed(stages, desk, waits="colleagues")) == {theirs}
    assert set(listed(stages, desk, waits="nobody")) == {free, lapsed}
    assert set(listed(stages, desk, colleague, waits="me")) == {theirs}
    stages.now += LASTS
    assert set(listed(stages, desk, waits="nobody")) == {mine, theirs, free, lapsed}
    assert set(listed(stages, desk, waits="nobody", late=True, category="kode-etik")) == set()


@pytest.mark.parametrize("desk", STAGES)
def test_a_desk_is_sorted_by_due_time_newest_or_category_over_every_page(stages: House, desk: str) -> None:
    came = []
    for category, sub_category in (
        ("kode-perilaku", REPORT["sub_category"]),
        ("kode-etik", "bernegara"),
        ("kode-perilaku", REPORT["sub_category"]),
        ("kode-etik", "bernegara"),
    ):
        came.append(brought_to(stages, desk, category=category, sub_category=sub_category))
        stages.now += timedelta(minutes=1)
    first, second, third, fourth = came
    for sort, order in (
        ("due", [first, second, third, fourth]),
        ("newest", [fourth, third, second, first]),
        ("category", [second, fourth, first, third]),
    ):
        stood, cursor = [], None
        while len(stood) < len(came):
            shown = stages.do(desk, "worklist", DESKS[desk], cursor, 3, {"sort": sort})
            stood += [item["ticket"] for item in shown["items"]]
            cursor = shown["next"]
            # A cursor is of its order: that of another one is refused, and no case is left out unseen.
            for other in {"due", "newest", "category"} - {sort} if cursor else ():
                with pytest.raises(InvalidInput) as refused:
                    stages.do(desk, "worklist", DESKS[desk], cursor, 3, {"sort": other})
                assert set(refused.value.details["fields"]) == {"cursor"}
        assert (stood, cursor) == (order, None), sort


@pytest.mark.parametrize("desk", STAGES)
def test_what_is_due_together_stands_in_the_order_it_came_over_every_page(stages: House, desk: str) -> None:
    # Reports submitted outside office hours are all due at the same minute of the next morning.
    stages.now = FIRST_MORNING.replace(hour=15)
    came = []
    for _ in range(5):
        came.append(brought_to(stages, desk))
        stages.now += timedelta(seconds=1)
    stood, cursor = [], None
    while len(stood) < len(came):
        shown = stages.do(desk, "worklist", DESKS[desk], cursor, 2, None)
        stood += [item["ticket"] for item in shown["items"]]
        cursor = shown["next"]
    assert len({item["due_at"] for item in stages.do(desk, "worklist", DESKS[desk])["items"]}) == 1
    assert stood == came
    assert cursor is None


# -- claims


@pytest.mark.parametrize("desk", STAGES)
def test_a_claim_stands_in_list_and_case_until_it_lapses(stages: House, desk: str) -> None:
    ticket, actor = brought_to(stages, desk), DESKS[desk]
    colleague = Actor("staff-colleague", actor.role, actor.group)
    claim = stages.do(desk, "claim", actor, ticket)["claim"]
    assert claim["by"] == actor.id
    assert listed(stages, desk) == {ticket: claim}
    with pytest.raises(ClaimedByColleague):
        stages.do(desk, "claim", colleague, ticket)
    with pytest.raises(ClaimedByColleague):
        stages.do(desk, "release", colleague, ticket)
    assert stages.do(desk, "claim", colleague, ticket, True)["claim"]["by"] == colleague.id
    stages.now += LASTS
    assert listed(stages, desk) == {ticket: None}
    assert stages.do(desk, "claim", actor, ticket)["claim"]["by"] == actor.id
    assert stages.do(desk, "release", actor, ticket) == {"ticket": ticket, "claim": None}
    assert listed(stages, desk) == {ticket: None}


@pytest.mark.parametrize("desk", STAGES)
def test_a_timer_that_tells_an_alarm_leaves_the_claim_alone(stages: House, desk: str) -> None:
    ticket, actor = brought_to(stages, desk), DESKS[desk]
    stages.now += timedelta(days=20)
    claim = stages.do(desk, "claim", actor, ticket)["claim"]
    stages.raise_alarms(stages.now)
    assert listed(stages, desk) == {ticket: claim}


def test_a_claim_blocks_no_colleague_and_ends_with_the_step(stages: House) -> None:
    ticket = brought_to(stages, "triage")
    stages.do("triage", "claim", Actor("staff-colleague", "main_team"), ticket)
    stages.do("triage", "forward", MAIN_TEAM, ticket, OPD)
    stages.deliver()
    assert stages.do("triage", "case", MAIN_TEAM, ticket)["claim"] is None
    with pytest.raises(NotYourStep):
        stages.do("triage", "claim", MAIN_TEAM, ticket)
    stages.do("opd_response", "claim", OPD_TEAM, ticket)
    stages.do("opd_response", "respond", OPD_TEAM, ticket, "Sudah.")
    stages.deliver()
    with pytest.raises(AlreadyDone):
        stages.do("opd_response", "claim", OPD_TEAM, ticket)
    # It is on Tim Utama's desk again, and the earlier claim has ended.
    assert listed(stages, "triage") == {ticket: None}


def test_nobody_claims_what_is_not_on_their_desk(stages: House) -> None:
    ticket = brought_to(stages, "opd_response")
    with pytest.raises(UnknownTicket):
        stages.do("opd_response", "claim", Actor("staff-other", "opd_team", "dinas-sosial"), ticket)
    with pytest.raises(AlreadyDone):
        stages.do("intake", "claim", OPERATOR, ticket)
    with pytest.raises(NotYourStep):
        stages.do("notification", "claim", OPERATOR, ticket)


def test_a_reporter_is_not_told_who_is_on_their_complaint(stages: House) -> None:
    ticket = brought_to(stages, "intake")
    stages.do("intake", "claim", OPERATOR, ticket)
    assert stages.do("intake", "complaint", OPERATOR, ticket)["claim"]
    assert "claim" not in stages.do("intake", "complaint", REPORTER, ticket)
    assert OPERATOR.id not in str(stages.do("intake", "complaints", REPORTER))


# -- rows with invalid dates


def misdate(stages: House, ticket: str, instant: str) -> None:
    """Set every instant that the stages store of `ticket` to a value that no stage would write."""
    for stage in STAGES:
        database, tables = stages.databases[stage], STORAGES[stage].metadata.tables.values()
        with database.writing() as connection:
            for table in [table for table in tables if "ticket" in table.c and table.name not in ("outbox", "inbox")]:
                for column in [column for column in table.c if isinstance(column.type, UtcDateTime)]:
                    connection.exec_driver_sql(
                        f"UPDATE {table.name} SET {column.name} = '{instant}' "
                        f"WHERE ticket = '{ticket}' AND {column.name} IS NOT NULL"
                    )


@pytest.mark.parametrize("instant", ["0001-01-01 00:00:00", "9999-12-31 23:59:59"])
@pytest.mark.parametrize("desk", STAGES)
def test_a_row_whose_dates_nobody_can_reckon_with_is_on_its_list_and_fails_none(
    stages: House, desk: str, instant: str
) -> None:
    bad, good = brought_to(stages, desk), brought_to(stages, desk)
    misdate(stages, bad, instant)
    assert set(listed(stages, desk)) == {bad, good}
    assert set(listed(stages, desk, late=False)) >= {good}
    stages.do("notification", "timeline", DESKS[desk], bad)
    assert len(stages.do("intake", "complaints", REPORTER)["items"]) == 2
    stages.do("notification", "month", MAIN_TEAM, stages.now.strftime("%Y-%m"), False)
    stages.instance("notification").figures()
    stages.raise_alarms(stages.now + timedelta(days=30))
