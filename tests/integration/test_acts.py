"""Cases that come back or are withdrawn, as the four stages keep them, with their events in any order."""

from datetime import timedelta
from typing import Any

import pytest

from nkk.contracts import STAGES
from nkk.sop.calendar import write_calendar
from nkk.sop.clock import OFFICE_HOURS
from nkk.sop.files import UnknownFile
from nkk.sop.refusals import UnknownTicket
from nkk.sop.steps import MINUTES_PER_DAY
from nkk.trust.actor import Actor
from services.notification.domain import ObjectionTooLate
from services.triage.refusals import AlreadyApproved, AlreadyClassified
from tests.builders import REPORT, upload
from tests.stages import ADMIN, MAIN_TEAM, OPD, OPD_TEAM, OPERATOR, REPORTER, STORAGES, House

OTHER = "bkpsdmd"
OTHER_TEAM = Actor("staff-9", "opd_team", OTHER)


def acted(stages: House, stage: str, act: str, actor: Actor, *args: Any) -> Any:
    done = stages.do(stage, act, actor, *args)
    stages.settle()
    stages.now += timedelta(minutes=1)
    return done


def forwarded(stages: House, opd: str = OPD) -> str:
    ticket: str = acted(stages, "intake", "submit", REPORTER, REPORT)["ticket"]
    acted(stages, "intake", "hand_over", OPERATOR, ticket)
    acted(stages, "triage", "forward", MAIN_TEAM, ticket, opd)
    return ticket


def answered(stages: House, ticket: str, *files: str) -> None:
    acted(stages, "triage", "approve", MAIN_TEAM, ticket)
    acted(stages, "notification", "send_answer", OPERATOR, ticket, "Sudah diperbaiki.", list(files))


def timeline(stages: House, actor: Actor, ticket: str) -> Any:
    return stages.do("notification", "timeline", actor, ticket)


def events(told: Any) -> list[str]:
    return [entry["event"].rpartition(".v")[0] for entry in told["entries"]]


def is_closed(stages: House, stage: str, ticket: str) -> bool:
    table = STORAGES[stage].closed
    with stages.databases[stage].reading() as connection:
        return ticket in connection.execute(table.select()).scalars().all()


@pytest.mark.parametrize("chance", range(4))
def test_a_response_to_a_report_that_went_on_is_returned_to_its_opd(stages: House, chance: int) -> None:
    stages.chance.seed(chance)
    ticket = forwarded(stages)
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Ditegur.")
    # The ending and the continuation are on their way to the OPD at the same time.
    stages.do("intake", "withdraw", REPORTER, ticket, "Takut.")
    stages.deliver("triage", some=0)
    stages.collect()
    stages.do("triage", "keep", MAIN_TEAM, ticket, "Berulang.")
    stages.settle()
    acted(stages, "triage", "return_response", MAIN_TEAM, ticket, "Sebutkan tindak lanjutnya.")
    case = stages.do("opd_response", "case", OPD_TEAM, ticket)
    assert (case["stands"]["state"], case["return_note"]) == ("awaiting_response", "Sebutkan tindak lanjutnya.")
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Ditegur dan dicatat.")
    answered(stages, ticket)
    assert events(timeline(stages, REPORTER, ticket))[-6:] == [
        "complaint.withdrawn",
        "complaint.kept",
        "response.returned",
        "response.submitted",
        "response.approved",
        "answer.sent",
    ]


def test_the_files_of_an_answer_that_was_objected_to_stay_the_reporters(stages: House) -> None:
    ticket = forwarded(stages)
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Ditegur.", [upload()])
    answered(stages, ticket, "R1-1")
    acted(stages, "notification", "object_to", REPORTER, ticket, "Tidak menyebut tindakan.")
    acted(stages, "triage", "forward", MAIN_TEAM, ticket, OPD)
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Dicatat.", [upload()])
    answered(stages, ticket, "R2-1")
    for actor in (REPORTER, OPERATOR):
        for number in ("R1-1", "R2-1"):
            assert stages.do("notification", "open_file", actor, ticket, number)["number"] == number


def test_a_file_that_was_not_sent_stays_closed_to_the_reporter_after_an_objection(stages: House) -> None:
    ticket = forwarded(stages)
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Ditegur.", [upload()])
    answered(stages, ticket)
    acted(stages, "notification", "object_to", REPORTER, ticket, "Tidak menyebut tindakan.")
    with pytest.raises(UnknownFile):
        stages.do("notification", "open_file", REPORTER, ticket, "R1-1")


def test_an_opd_follows_a_complaint_until_it_was_taken_away(stages: House) -> None:
    ticket = forwarded(stages)
    acted(stages, "opd_response", "decline", OPD_TEAM, ticket, "Bukan kewenangan kami.", None)
    until_then = ["complaint.submitted", "complaint.handed_over", "complaint.forwarded", "complaint.declined"]
    acted(stages, "triage", "classify_as_information", MAIN_TEAM, ticket, "Cukup dijawab.")
    told = timeline(stages, OPD_TEAM, ticket)
    assert (events(told), told["path"]) == (until_then, "complaint")
    acted(stages, "notification", "send_back", OPERATOR, ticket, "Ini pengaduan.")
    acted(stages, "triage", "forward", MAIN_TEAM, ticket, OTHER)
    told = timeline(stages, OPD_TEAM, ticket)
    assert (events(told), told["stands"]["step"], told["path"]) == (until_then, 3, "complaint")
    assert events(timeline(stages, OTHER_TEAM, ticket))[-1] == "complaint.forwarded"
    with pytest.raises(UnknownTicket):
        timeline(stages, Actor("staff-8", "opd_team", "dinsos"), ticket)


@pytest.mark.parametrize("last", ["complaint.closed.v1", "complaint.reopened.v1"])
def test_a_closing_that_arrives_after_the_objection_to_it_closes_nothing(stages: House, last: str) -> None:
    ticket = forwarded(stages)
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Ditegur.")
    answered(stages, ticket)
    stages.do("notification", "confirm_receipt", REPORTER, ticket)
    stages.do("notification", "object_to", REPORTER, ticket, "Tidak menyebut tindakan.")
    stages.waiting.sort(key=lambda each: each[1].type == last)
    waiting, stages.waiting = stages.waiting, []
    for ear, event in waiting:
        stages.deliver_one(ear, event)
    stages.settle()
    assert [stage for stage in STAGES if is_closed(stages, stage, ticket)] == []


@pytest.mark.parametrize("chance", range(4))
def test_an_opd_is_no_longer_told_of_what_was_objected_to(stages: House, chance: int) -> None:
    stages.chance.seed(chance)
    ticket = forwarded(stages)
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Ditegur.")
    answered(stages, ticket)
    acted(stages, "notification", "object_to", REPORTER, ticket, "Tidak menyebut tindakan.")
    acted(stages, "triage", "forward", MAIN_TEAM, ticket, OTHER)
    assert events(timeline(stages, OPD_TEAM, ticket))[-1] == "complaint.reopened"


@pytest.mark.parametrize("chance", range(6))
def test_a_complaint_is_with_the_opd_it_was_forwarded_to_last_in_whatever_order_that_is_told(
    stages: House, chance: int
) -> None:
    ticket: str = acted(stages, "intake", "submit", REPORTER, REPORT)["ticket"]
    acted(stages, "intake", "hand_over", OPERATOR, ticket)
    stages.chance.seed(chance)
    for opd in (OPD, OTHER):
        stages.do("triage", "forward", MAIN_TEAM, ticket, opd)
        if opd == OPD:
            stages.do("triage", "recall", MAIN_TEAM, ticket, "Keliru.")
    stages.settle()
    assert events(timeline(stages, OTHER_TEAM, ticket))[-1] == "complaint.forwarded"


@pytest.mark.parametrize("chance", range(6))
def test_a_complaint_that_was_objected_to_is_open_in_whatever_order_that_is_told(stages: House, chance: int) -> None:
    ticket = forwarded(stages)
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Ditegur.")
    answered(stages, ticket)
    stages.chance.seed(chance)
    # The objection closes the first cycle, too, because the answer was not opened before.
    acted(stages, "notification", "object_to", REPORTER, ticket, "Tidak menyebut tindakan.")
    assert not [stage for stage in ("intake", "triage", "notification") if is_closed(stages, stage, ticket)]
    acted(stages, "intake", "withdraw", REPORTER, ticket, "Sudah diperbaiki.")
    assert stages.do("notification", "read_answer", REPORTER, ticket)["stands"]["state"] == "withdrawn"


def test_an_objection_is_offered_and_taken_by_the_calendar_that_held_when_the_answer_was_sent(stages: House) -> None:
    ticket = forwarded(stages)
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Ditegur.")
    answered(stages, ticket)
    sent_at = stages.stored(ticket)["notification"].sent_at
    flood = {"national_years": [], "days": {"2026-03-04": {"name": "Banjir", "spans": []}}}
    acted(stages, "intake", "replace_calendar", ADMIN, 0, write_calendar(OFFICE_HOURS) | flood)
    due = OFFICE_HOURS.due(sent_at, 10 * MINUTES_PER_DAY)
    for stages.now, is_offered in ((due + timedelta(minutes=1), False), (due, True)):
        offered = stages.do("notification", "read_answer", REPORTER, ticket)["acts"]
        assert ("object" in offered) is is_offered
        if not is_offered:
            with pytest.raises(ObjectionTooLate):
                stages.do("notification", "object_to", REPORTER, ticket, "Tidak menyebut tindakan.")
    acted(stages, "notification", "object_to", REPORTER, ticket, "Tidak menyebut tindakan.")


@pytest.mark.parametrize("late", [False, True], ids=["withdrawn", "withdrawn too late"])
def test_what_tim_utama_decided_is_refused_as_decided_whatever_was_withdrawn_since(stages: House, late: bool) -> None:
    ticket = forwarded(stages)
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Ditegur.")
    acted(stages, "triage", "approve", MAIN_TEAM, ticket)
    if late:
        acted(stages, "notification", "send_answer", OPERATOR, ticket, "Sudah diperbaiki.", [])
    acted(stages, "intake", "withdraw", REPORTER, ticket, "Sudah selesai.")
    for act, args, refusal in (("approve", [], AlreadyApproved), ("forward", [OPD], AlreadyClassified)):
        with pytest.raises(refusal) as refused:
            stages.do("triage", act, MAIN_TEAM, ticket, *args)
        assert refused.value.details["stands"]["state"] == "approved"


def test_a_desk_that_went_on_before_it_heard_of_a_withdrawal_is_not_told_why(stages: House) -> None:
    ticket = forwarded(stages)
    stages.do("opd_response", "respond", OPD_TEAM, ticket, "Petugas ditegur.")
    stages.do("intake", "withdraw", REPORTER, ticket, "Sudah selesai.")
    stages.settle()
    at_opd, at_triage = (
        stages.do(stage, "case", who, ticket) for stage, who in (("opd_response", OPD_TEAM), ("triage", MAIN_TEAM))
    )
    assert (at_opd["stands"]["state"], at_opd["ended_why"]) == ("responded", None)
    assert (at_triage["stands"]["state"], at_triage["ended_why"]) == ("withdrawn", "Sudah selesai.")
