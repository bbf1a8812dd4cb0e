"""A desk closes a report as not completed, because its question to the reporter lapsed unanswered."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from nkk.sop.acts import Act
from nkk.sop.endings import Abandoned
from nkk.sop.questions import NothingLapsed
from nkk.sop.refusals import NotYourStep, Refused
from nkk.trust.actor import Actor
from services.intake.domain import AlreadyHandedOver
from services.notification.journeys import still_true
from services.opd_response.domain import RespondedBefore
from tests.builders import REPORT, own_upload
from tests.integration.test_acts import OTHER_TEAM, acted, forwarded
from tests.integration.test_joining import gathered
from tests.integration.test_questions import ANSWER, ASKED, AT_DESKS, at_desk, held, lapse
from tests.stages import MAIN_TEAM, OPD_TEAM, OPERATOR, REPORTER, STORAGES, House

WHY = "Tanpa nama tempatnya hal ini tidak dapat diperiksa."
EACH_DESK = pytest.mark.parametrize(("stage", "actor"), AT_DESKS, ids=[stage for stage, _ in AT_DESKS])
STAGES = ("intake", "triage", "opd_response", "notification")


def lapsed(stages: House, stage: str = "triage", ticket: str | None = None) -> str:
    """Return the ticket of a case at the desk of `stage` whose question lapsed."""
    ticket = ticket or at_desk(stages, stage)
    acted(stages, stage, "ask", dict(AT_DESKS)[stage], ticket, ASKED)
    lapse(stages)
    return ticket


def closed(stages: House, stage: str = "triage") -> str:
    ticket = lapsed(stages, stage)
    acted(stages, stage, "abandon", dict(AT_DESKS)[stage], ticket, WHY)
    return ticket


def told(stages: House, type_: str) -> list[Any]:
    return [event for _, event in stages.told if event.type == type_]


def letters(stages: House, ticket: str) -> list[str]:
    messages = STORAGES["notification"].messages
    with stages.databases["notification"].reading() as connection:
        found = connection.execute(select(messages.c.kind).where(messages.c.ticket == ticket)).scalars()
        return [kind for kind in found if kind in ("abandoned", "goes_on", "withdrawn")]


def closed_at(stages: House, stage: str, ticket: str) -> Any:
    table = STORAGES[stage].closed
    with stages.databases[stage].reading() as connection:
        return connection.execute(select(table.c.closed_at).where(table.c.ticket == ticket)).scalar()


def journey(stages: House, ticket: str) -> Any:
    with stages.services["notification"].uow.reading() as work:
        return work.journeys.get(ticket)


@EACH_DESK
def test_a_desk_closes_a_report_whose_question_lapsed_and_it_ends_at_every_desk(
    stages: House, stage: str, actor: Actor
) -> None:
    ticket = lapsed(stages, stage)
    read = "case" if stage != "intake" else "complaint"
    assert "abandon" in stages.do(stage, read, actor, ticket)["acts"]
    stages.now += timedelta(hours=3)
    acted(stages, stage, "abandon", actor, ticket, WHY)
    shown = stages.do(stage, read, actor, ticket)
    assert (shown["stands"]["state"], shown["ended_why"]) == ("abandoned", WHY)
    assert {*shown["acts"]} == {"note", "recuse"}
    assert stages.do(stage, "worklist", actor)["items"] == []
    mine = stages.do("intake", "complaint", REPORTER, ticket)
    assert (mine["stands"]["state"], mine["ended_why"], mine["acts"]) == ("abandoned", WHY, [])
    timeline = stages.do("notification", "timeline", REPORTER, ticket)
    assert timeline["stands"]["state"] == "abandoned"
    last = timeline["entries"][-1]
    assert (last["event"], last["role"], "by" in last) == ("complaint.abandoned.v1", actor.role, False)
    assert stages.do("notification", "timeline", actor, ticket)["entries"][-1]["note"] == WHY
    assert letters(stages, ticket) == ["abandoned"]
    for each in STAGES:
        assert closed_at(stages, each, ticket) or (each, stage) == ("triage", "intake"), each


@EACH_DESK
def test_its_clock_ends_with_the_closing_and_is_not_judged(stages: House, stage: str, actor: Actor) -> None:
    ticket = closed(stages, stage)
    timed = held(stages, stage, ticket)
    clock = journey(stages, ticket).clocks(stages.services["notification"].calendars.get)[-1]
    assert (timed.done_at, timed.due_at, timed.tell_at) == (clock.done_at, clock.due_at, None)
    assert timed.done_at == told(stages, "complaint.abandoned.v1")[0].time
    assert clock.cut_short
    assert not clock.late(stages.now)


@EACH_DESK
def test_only_what_lapsed_last_at_this_step_can_be_closed(stages: House, stage: str, actor: Actor) -> None:
    ticket = at_desk(stages, stage)

    def refused() -> bool:
        with pytest.raises(NothingLapsed):
            stages.do(stage, "abandon", actor, ticket, WHY)
        return "abandon" not in stages.do(stage, "case" if stage != "intake" else "complaint", actor, ticket)["acts"]

    assert refused()
    acted(stages, stage, "ask", actor, ticket, ASKED)
    assert refused()
    acted(stages, "notification", "answer_question", REPORTER, ticket, 1, ANSWER)
    assert refused()
    acted(stages, stage, "ask", actor, ticket, ASKED)
    lapse(stages)
    acted(stages, stage, "ask", actor, ticket, ASKED)
    assert refused()
    lapse(stages)
    acted(stages, stage, "abandon", actor, ticket, WHY)


def test_a_question_of_another_step_closes_nothing(stages: House) -> None:
    ticket = lapsed(stages, "intake")
    acted(stages, "intake", "hand_over", OPERATOR, ticket)
    with pytest.raises(NothingLapsed):
        stages.do("triage", "abandon", MAIN_TEAM, ticket, WHY)
    with pytest.raises(AlreadyHandedOver):
        stages.do("intake", "abandon", OPERATOR, ticket, WHY)


@EACH_DESK
@pytest.mark.parametrize("asked", ["another question", None], ids=["asked again", "came again"])
def test_what_a_stage_of_the_version_before_did_after_a_lapse_closes_nothing(
    stages: House, stage: str, actor: Actor, asked: str | None
) -> None:
    """It asks, takes answers and starts clocks, and leaves the columns that it does not know as they are."""
    case = held(stages, stage, lapsed(stages, stage))
    case.question = asked
    assert Act.ABANDON in case.asks_not_now
    with pytest.raises(NothingLapsed):
        case.abandon(WHY, stages.now)


@pytest.mark.parametrize("reason", [None, "", "  "], ids=["none", "empty", "blank"])
def test_a_closing_needs_a_reason(stages: House, reason: str | None) -> None:
    ticket = lapsed(stages)
    with pytest.raises(Refused) as refusal:
        stages.do("triage", "abandon", MAIN_TEAM, ticket, reason)
    assert refusal.value.code == "invalid-input"


@EACH_DESK
def test_what_was_closed_is_neither_added_to_nor_withdrawn_nor_taken_up_again(
    stages: House, stage: str, actor: Actor
) -> None:
    ticket = closed(stages, stage)
    for desk, command, who, args in [
        ("intake", "supplement", REPORTER, ([own_upload()],)),
        ("intake", "withdraw", REPORTER, ("Sudah selesai.",)),
        (stage, "abandon", actor, (WHY,)),
        (stage, "ask", actor, (ASKED,)),
    ]:
        with pytest.raises(Abandoned):
            stages.do(desk, command, who, ticket, *args)
    if stage != "intake":
        with pytest.raises(NotYourStep):
            stages.do("triage", "keep", MAIN_TEAM, ticket, "Berulang.")


def test_a_withdrawal_that_crosses_a_closing_prevails_and_the_report_may_go_on(stages: House) -> None:
    ticket = lapsed(stages)
    stages.do("triage", "abandon", MAIN_TEAM, ticket, WHY)
    stages.do("intake", "withdraw", REPORTER, ticket, "Sudah selesai.")
    stages.collect()
    stages.settle()
    assert held(stages, "triage", ticket).stands()["state"] == "withdrawn"
    assert journey(stages, ticket).ended == "withdrawn"
    assert [entry.type for entry in journey(stages, ticket).overtaken] == ["complaint.abandoned.v1"]
    acted(stages, "triage", "keep", MAIN_TEAM, ticket, "Berulang.")
    assert held(stages, "triage", ticket).stands()["state"] == "awaiting_classification"
    assert journey(stages, ticket).stands()["state"] == "classify"


@EACH_DESK
@pytest.mark.parametrize("how", ["withdrawn", "abandoned"])
def test_no_letter_says_that_a_report_goes_on_which_has_ended(
    stages: House, stage: str, actor: Actor, how: str
) -> None:
    ticket = lapsed(stages, stage)
    kinds = ("objected", "question_lapsed")
    assert [still_true(kind, None, None, journey(stages, ticket)) for kind in kinds] == [True, True]
    if how == "withdrawn":
        acted(stages, "intake", "withdraw", REPORTER, ticket, WHY)
    else:
        acted(stages, stage, "abandon", actor, ticket, WHY)
    assert [still_true(kind, None, None, journey(stages, ticket)) for kind in (*kinds, how)] == [False, False, True]


@pytest.mark.parametrize("first", ["complaint.abandoned.v1", "complaint.recalled.v1"])
def test_a_complaint_that_was_taken_back_goes_on_though_its_opd_closed_it(stages: House, first: str) -> None:
    ticket = lapsed(stages, "opd_response")
    stages.do("opd_response", "abandon", OPD_TEAM, ticket, WHY)
    stages.do("triage", "recall", MAIN_TEAM, ticket, "Salah alamat.")
    stages.collect()
    waiting, stages.waiting = sorted(stages.waiting, key=lambda each: each[1].type != first), []
    for ear, event in waiting:
        stages.deliver_one(ear, event)
    stages.settle()
    assert held(stages, "triage", ticket).stands()["state"] == "awaiting_classification"
    at_opd = held(stages, "opd_response", ticket)
    assert (at_opd.stands()["state"], at_opd.overtaken, at_opd.ended) == ("recalled", True, None)
    assert held(stages, "intake", ticket).ended is None
    way = journey(stages, ticket)
    assert (way.ended, way.closed_at, way.stands()["state"]) == (None, None, "classify")
    assert [closed_at(stages, stage, ticket) for stage in STAGES] == [None] * 4
    was_closed = first == "complaint.abandoned.v1"
    assert letters(stages, ticket) == (["abandoned", "goes_on"] if was_closed else [])
    assert [still_true(kind, None, None, way) for kind in ("abandoned", "goes_on")] == [False, True]
    acted(stages, "intake", "supplement", REPORTER, ticket, [own_upload()])
    acted(stages, "intake", "withdraw", REPORTER, ticket, "Sudah selesai.")
    assert not still_true("goes_on", None, None, journey(stages, ticket))


@pytest.mark.parametrize(
    ("stage", "actor"), [each for each in AT_DESKS if each[0] != "intake"], ids=["Tim Utama", "OPD"]
)
def test_a_closing_that_was_overtaken_is_told_as_that_of_its_desk(stages: House, stage: str, actor: Actor) -> None:
    ticket = lapsed(stages, stage)
    stages.do(stage, "abandon", actor, ticket, WHY)
    stages.do("intake", "withdraw", REPORTER, ticket, "Sudah selesai.")
    stages.settle()
    for reader in (REPORTER, OPERATOR, MAIN_TEAM, actor):
        (overtaken,) = stages.do("notification", "timeline", reader, ticket)["overtaken"]
        assert (overtaken["event"], overtaken["role"]) == ("complaint.abandoned.v1", actor.role)


def test_two_closings_of_one_report_are_told_as_those_of_their_desks(stages: House) -> None:
    ticket = lapsed(stages, "opd_response")
    stages.do("opd_response", "abandon", OPD_TEAM, ticket, WHY)
    stages.do("triage", "recall", MAIN_TEAM, ticket, "Salah alamat.")
    stages.settle()
    lapsed(stages, "triage", ticket)
    acted(stages, "triage", "abandon", MAIN_TEAM, ticket, WHY)
    told_of = stages.do("notification", "timeline", REPORTER, ticket)
    (overtaken,) = told_of["overtaken"]
    assert (overtaken["role"], told_of["entries"][-1]["role"]) == ("opd_team", "main_team")


@pytest.mark.parametrize("stage", ["triage", "opd_response"])
def test_reports_that_rest_with_the_one_that_was_closed_are_parted(stages: House, stage: str) -> None:
    first = at_desk(stages, "triage")
    other = at_desk(stages, "triage")
    acted(stages, "triage", "join", MAIN_TEAM, other, first, "Hal yang sama.")
    if stage == "opd_response":
        acted(stages, "triage", "forward", MAIN_TEAM, first, OPD_TEAM.group)
    lapsed(stages, stage, first)
    acted(stages, stage, "abandon", dict(AT_DESKS)[stage], first, WHY)
    assert held(stages, "triage", other).stands()["state"] == "awaiting_classification"
    (parted,) = told(stages, "complaint.parted.v1")
    assert (parted.subject, parted.data.by) == (other, None)
    assert journey(stages, other).stands()["state"] == "classify"
    with pytest.raises(Refused) as refusal:
        stages.do("triage", "join", MAIN_TEAM, other, first, "Hal yang sama.")
    assert refusal.value.code == "first-was-abandoned"


def test_tim_utama_closes_what_awaits_its_approval_and_the_opd_is_told(stages: House) -> None:
    ticket = forwarded(stages)
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Tanggapan.")
    lapsed(stages, "triage", ticket)
    acted(stages, "triage", "abandon", MAIN_TEAM, ticket, WHY)
    (event,) = told(stages, "complaint.abandoned.v1")
    assert (event.data.step, event.data.opd, event.data.round) == (5, OPD_TEAM.group, 1)
    at_opd = held(stages, "opd_response", ticket)
    assert (at_opd.ended, at_opd.stands()["state"]) == ("abandoned", "responded")
    assert stages.do("notification", "timeline", OPD_TEAM, ticket)["stands"]["state"] == "abandoned"


def test_an_opd_that_the_complaint_was_taken_from_is_not_told_of_its_closing(stages: House) -> None:
    ticket = forwarded(stages)
    acted(stages, "opd_response", "decline", OPD_TEAM, ticket, "Bukan kewenangan kami.")
    lapsed(stages, "triage", ticket)
    acted(stages, "triage", "abandon", MAIN_TEAM, ticket, WHY)
    (event,) = told(stages, "complaint.abandoned.v1")
    assert event.data.opd is None
    assert held(stages, "opd_response", ticket).stands()["state"] == "declined"
    seen = [entry["event"] for entry in stages.do("notification", "timeline", OPD_TEAM, ticket)["entries"]]
    assert "complaint.abandoned.v1" not in seen


def test_a_second_cycle_is_closed_as_well_and_the_first_answer_stays(stages: House) -> None:
    ticket: str = acted(stages, "intake", "submit", REPORTER, REPORT)["ticket"]
    acted(stages, "intake", "hand_over", OPERATOR, ticket)
    acted(stages, "triage", "classify_as_information", MAIN_TEAM, ticket)
    acted(stages, "notification", "send_answer", OPERATOR, ticket, "Jawaban pertama.")
    acted(stages, "notification", "object_to", REPORTER, ticket, "Belum menjawab.")
    lapsed(stages, "triage", ticket)
    stages.do("triage", "abandon", MAIN_TEAM, ticket, WHY)
    stages.collect()
    stages.settle()
    read = stages.do("notification", "read_answer", REPORTER, ticket)
    assert (read["stands"]["state"], read["acts"]) == ("abandoned", [])
    assert [earlier["text"] for earlier in read["earlier"]] == ["Jawaban pertama."]
    assert held(stages, "intake", ticket).stands()["state"] == "abandoned"


@pytest.mark.parametrize("last", ["complaint.abandoned.v1", "complaint.kept.v1"])
@pytest.mark.parametrize("at", ["classifying", "declined", "approving"])
def test_a_report_that_tim_utama_keeps_goes_on_whenever_its_closing_arrives(stages: House, at: str, last: str) -> None:
    ticket = at_desk(stages, "triage" if at == "classifying" else "opd_response")
    if at == "declined":
        acted(stages, "opd_response", "decline", OPD_TEAM, ticket, "Bukan kewenangan kami.")
    if at == "approving":
        acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Tanggapan.")
    lapsed(stages, "triage", ticket)
    stages.do("triage", "abandon", MAIN_TEAM, ticket, WHY)
    stages.do("intake", "withdraw", REPORTER, ticket, "Sudah selesai.")
    withdrawn = [each for each in stages.waiting if each[1].type == "complaint.withdrawn.v1"]
    closings = [each for each in stages.waiting if each not in withdrawn]
    stages.waiting = withdrawn
    stages.settle()
    stages.do("triage", "keep", MAIN_TEAM, ticket, "Berulang.")
    goes_on, stages.waiting = stages.waiting, []
    for events in (closings, goes_on) if last == "complaint.kept.v1" else (goes_on, closings):
        stages.waiting += events
        stages.settle()
    assert held(stages, "intake", ticket).ended is None
    # A stage that never had the complaint has nothing of it to keep.
    never_there = at == "classifying" and last == "complaint.abandoned.v1"
    assert [stage for stage in STAGES if closed_at(stages, stage, ticket)] == (["opd_response"] if never_there else [])
    assert journey(stages, ticket).ended is None
    acted(stages, "intake", "supplement", REPORTER, ticket, [own_upload()])
    if at == "approving":
        at_opd = held(stages, "opd_response", ticket)
        assert (at_opd.forwarding, at_opd.ended) == (2, None)
        acted(stages, "triage", "return_response", MAIN_TEAM, ticket, "Lengkapi.")
        acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Lengkap.")


def test_a_further_opd_does_not_close_what_was_responded_to_before(stages: House) -> None:
    ticket = gathered(stages)
    acted(stages, "opd_response", "ask", OTHER_TEAM, ticket, ASKED)
    lapse(stages)
    assert "abandon" not in stages.do("opd_response", "case", OTHER_TEAM, ticket)["acts"]
    with pytest.raises(RespondedBefore):
        stages.do("opd_response", "abandon", OTHER_TEAM, ticket, WHY)
    acted(stages, "opd_response", "decline", OTHER_TEAM, ticket, "Tidak ada keterangan.")
    assert "conclude" in stages.do("triage", "case", MAIN_TEAM, ticket)["acts"]


AROUND: dict[str, tuple[str, list[tuple[str, str, Actor, tuple[Any, ...]]]]] = {
    "withdrawn at the OPD": ("opd_response", [("intake", "withdraw", REPORTER, ("Sudah selesai.",))]),
    "withdrawn at Tim Utama": ("triage", [("intake", "withdraw", REPORTER, ("Sudah selesai.",))]),
    "added to": ("opd_response", [("intake", "supplement", REPORTER, ([own_upload()],))]),
    "taken back": ("opd_response", [("triage", "recall", MAIN_TEAM, ("Salah alamat.",))]),
    "taken back and forwarded": (
        "opd_response",
        [
            ("triage", "recall", MAIN_TEAM, ("Salah alamat.",)),
            ("triage", "forward", MAIN_TEAM, (OPD_TEAM.group,)),
        ],
    ),
    "taken back and information": (
        "opd_response",
        [
            ("triage", "recall", MAIN_TEAM, ("Salah alamat.",)),
            ("triage", "classify_as_information", MAIN_TEAM, ()),
        ],
    ),
    "taken back and withdrawn": (
        "opd_response",
        [
            ("triage", "recall", MAIN_TEAM, ("Salah alamat.",)),
            ("intake", "withdraw", REPORTER, ("Sudah selesai.",)),
        ],
    ),
}
"""What is done while a closing is on its way: the stage that closes, and the acts after it."""


@pytest.mark.parametrize("around", AROUND)
def test_what_crosses_a_closing_ends_alike_in_every_order_of_delivery(stages: House, around: str) -> None:
    stage, acts = AROUND[around]

    def ends(seed: int) -> str:
        stages.chance.seed(seed)
        ticket = lapsed(stages, stage)
        stages.do(stage, "abandon", dict(AT_DESKS)[stage], ticket, WHY)
        for each, act, actor, given in acts:
            stages.now += timedelta(minutes=5)
            stages.do(each, act, actor, ticket, *given)
        stages.settle()
        way = journey(stages, ticket)
        cases = [case for each in STAGES for case in stages.held(each, [ticket])]
        return str(
            (
                [(case.stands()["state"], case.ended, case.done_at, case.due_at) for case in cases],
                (way.ended, way.stands()["state"], [entry.type for entry in way.entries]),
                [closed_at(stages, each, ticket) is None for each in STAGES],
            )
        )

    found = set()
    for seed in range(10):
        stages.empty()
        found.add(ends(seed))
    assert len(found) == 1, found
