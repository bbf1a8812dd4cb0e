"""Reports that are joined with another about the same matter, and responses gathered from several OPDs."""

from datetime import timedelta
from typing import Any

import pytest

from nkk.sop.clock import OFFICE_HOURS, day_after, write_instant
from nkk.sop.refusals import InvalidInput, NotYourStep, UnknownTicket
from nkk.trust.actor import Actor
from services.notification.domain import NoInformation
from services.triage.refusals import (
    AlreadyApproved,
    AlreadyClassified,
    AlreadyGathered,
    AlreadyJoined,
    CannotJoin,
    NoResponseYet,
    NothingGathered,
    NotJoined,
)
from tests.builders import REPORT, upload
from tests.integration.test_acts import OTHER, OTHER_TEAM, acted, events, forwarded, timeline
from tests.stages import MAIN_TEAM, OPD, OPD_TEAM, OPERATOR, REPORTER, House

NEIGHBOUR = REPORTER
"""Whoever wrote the second report; it makes no difference whether that is somebody else."""
WHY = "Melaporkan loket yang sama."


def handed_over(stages: House, reporter: Actor = REPORTER, **marked: Any) -> str:
    ticket: str = acted(stages, "intake", "submit", reporter, REPORT | marked)["ticket"]
    acted(stages, "intake", "hand_over", OPERATOR, ticket)
    return ticket


def joined(stages: House, first: str | None = None) -> tuple[str, str]:
    """Return a report that is with an OPD, unless another is given, and one that was joined with it."""
    first = first or forwarded(stages)
    second = handed_over(stages, NEIGHBOUR)
    acted(stages, "triage", "join", MAIN_TEAM, second, first, WHY)
    return first, second


def stands(stages: House, ticket: str) -> str:
    state: str = stages.do("triage", "case", MAIN_TEAM, ticket)["stands"]["state"]
    return state


def answering(stages: House, ticket: str) -> Any:
    return stages.do("notification", "answer", OPERATOR, ticket)["answer"]


def respond(stages: House, ticket: str, text: str, actor: Actor = OPD_TEAM, *files: Any) -> None:
    acted(stages, "opd_response", "respond", actor, ticket, text, *files)


def test_a_report_rests_with_the_first_and_shares_its_response(stages: House) -> None:
    first, second = joined(stages)
    case = stages.do("triage", "case", MAIN_TEAM, second)
    assert (case["stands"]["state"], case["joined_to"], case["acts"][-1]) == ("joined", first, "recuse")
    assert "part" in case["acts"]
    assert stages.do("triage", "case", MAIN_TEAM, first)["joined"] == [second]
    respond(stages, first, "Petugas ditegur.", OPD_TEAM, [upload()])
    assert stands(stages, second) == "joined"
    acted(stages, "triage", "approve", MAIN_TEAM, first, "Jawab dengan sopan.")
    answer = answering(stages, second)
    assert (answer["material"], answer["note"], answer["joined_to"]) == (
        "Petugas ditegur.",
        "Jawab dengan sopan.",
        first,
    )
    assert [file["number"] for file in answer["offered"]] == ["R1-1"]
    acted(stages, "notification", "send_answer", OPERATOR, second, "Sudah ditegur.", ["R1-1"])
    assert answering(stages, first)["stands"]["state"] == "awaiting_answer"
    assert stages.do("notification", "read_answer", NEIGHBOUR, second)["answer"]["text"] == "Sudah ditegur."


def test_what_is_classified_as_information_is_so_for_all_that_were_joined(stages: House) -> None:
    first, second = joined(stages, handed_over(stages))
    acted(stages, "triage", "classify_as_information", MAIN_TEAM, first, "Loket tutup pukul 14.00.")
    answer = answering(stages, second)
    assert (answer["path"], answer["note"], answer["joined_to"]) == ("information", "Loket tutup pukul 14.00.", first)


def test_a_reporter_learns_nothing_of_other_reports(stages: House) -> None:
    first, second = joined(stages)
    told, other = (timeline(stages, NEIGHBOUR, ticket) for ticket in (second, forwarded(stages)))
    assert events(told) == events(other)
    assert [told[name]["step"] for name in ("next", "stands")] == [4, 4]
    assert told["next"].keys() == other["next"].keys()
    assert told["next"]["due_at"] is not None
    read = stages.do("notification", "read_answer", NEIGHBOUR, second)
    assert read["done_at"] is None
    assert read["due_at"] is not None
    respond(stages, first, "Ditegur.")
    acted(stages, "triage", "approve", MAIN_TEAM, first)
    acted(stages, "notification", "send_answer", OPERATOR, second, "Sudah ditegur.")
    told = [timeline(stages, NEIGHBOUR, second), stages.do("notification", "read_answer", NEIGHBOUR, second)]
    assert first not in str(told)
    assert OPD not in str(told)
    assert not {"joined", "shared"} & {word for event in events(told[0]) for word in event.split(".")}


def test_an_opd_learns_nothing_of_what_was_joined_with_its_complaint(stages: House) -> None:
    first, second = joined(stages)
    respond(stages, first, "Ditegur.")
    acted(stages, "triage", "approve", MAIN_TEAM, first)
    with pytest.raises(UnknownTicket):
        timeline(stages, OPD_TEAM, second)
    with pytest.raises(UnknownTicket):
        stages.do("opd_response", "case", OPD_TEAM, second)
    with stages.services["triage"].uow.begin() as work:
        rows = work.connection.execute(work.OUTBOX.select()).all()
    assert not [row for row in rows if row.opd is not None and second in row.body]


def test_a_report_is_parted_while_it_rests_and_classified_anew_from_the_next_day_on(stages: House) -> None:
    first, second = joined(stages)
    parted_at = stages.now
    acted(stages, "triage", "part", MAIN_TEAM, second, "Loket lain.")
    case = stages.do("triage", "case", MAIN_TEAM, second)
    assert (case["stands"]["state"], case["forwarding"], case["joined_to"]) == ("awaiting_classification", 2, None)
    assert (case["back"], case["back_why"]) == ("complaint.parted.v1", "Loket lain.")
    assert case["due_at"] == write_instant(OFFICE_HOURS.due(day_after(parted_at), 120))
    assert stages.do("triage", "case", MAIN_TEAM, first)["joined"] == []
    with pytest.raises(NotJoined):
        stages.do("triage", "part", MAIN_TEAM, second, WHY)
    acted(stages, "triage", "forward", MAIN_TEAM, second, OPD)
    assert stages.do("opd_response", "case", OPD_TEAM, second)["forwarding"] == 2
    entries = timeline(stages, NEIGHBOUR, second)["entries"]
    steps = [(entry["step"], entry["forwarding"]) for entry in entries]
    assert steps == [(1, 1), (2, 1), (3, 1), (4, 1), (3, 2)]
    assert entries[-1]["came_at"] is not None


def test_an_operator_sends_back_what_shares_a_response_and_is_another_matter(stages: House) -> None:
    first, second = joined(stages)
    respond(stages, first, "Ditegur.")
    acted(stages, "triage", "approve", MAIN_TEAM, first)
    acted(stages, "notification", "send_back", OPERATOR, second, "Ini loket lain.")
    case = stages.do("triage", "case", MAIN_TEAM, second)
    assert (case["stands"]["state"], case["joined_to"], case["forwarding"]) == ("awaiting_classification", None, 2)
    with pytest.raises(NoInformation):
        stages.do("notification", "send_back", OPERATOR, first, WHY)


def test_a_first_that_was_withdrawn_parts_all_that_rest_with_it(stages: House) -> None:
    first, second = joined(stages)
    third = handed_over(stages, NEIGHBOUR)
    acted(stages, "triage", "join", MAIN_TEAM, third, first, WHY)
    acted(stages, "intake", "withdraw", REPORTER, first, "Sudah selesai.")
    for ticket in (second, third):
        assert stands(stages, ticket) == "awaiting_classification"
        entry = timeline(stages, MAIN_TEAM, ticket)["entries"][-1]
        assert (entry["event"], entry["by"], entry["note"]) == ("complaint.parted.v1", None, None)
        assert entry["at"].endswith("T00:00:00+07:00")


def test_what_rests_and_is_withdrawn_ends_alone(stages: House) -> None:
    first, second = joined(stages)
    acted(stages, "intake", "withdraw", NEIGHBOUR, second, "Sudah selesai.")
    assert stands(stages, second) == "withdrawn"
    respond(stages, first, "Ditegur.")
    acted(stages, "triage", "approve", MAIN_TEAM, first)
    assert answering(stages, second) is None
    assert answering(stages, first)["material"] == "Ditegur."


def test_a_first_that_comes_back_keeps_what_was_joined_with_it(stages: House) -> None:
    first, second = joined(stages)
    acted(stages, "triage", "recall", MAIN_TEAM, first, WHY)
    assert (stands(stages, first), stands(stages, second)) == ("awaiting_classification", "joined")


def test_what_was_joined_and_objected_to_comes_back_alone(stages: House) -> None:
    first, second = joined(stages, handed_over(stages))
    acted(stages, "triage", "classify_as_information", MAIN_TEAM, first, "Jawab.")
    acted(stages, "notification", "send_answer", OPERATOR, second, "Begitu.")
    acted(stages, "notification", "object_to", NEIGHBOUR, second, "Belum terjawab.")
    case = stages.do("triage", "case", MAIN_TEAM, second)
    assert (case["stands"]["state"], case["joined_to"], "join" in case["acts"]) == (
        "awaiting_classification",
        None,
        False,
    )
    assert stands(stages, first) == "classified_as_information"
    with pytest.raises(CannotJoin) as refused:
        stages.do("triage", "join", MAIN_TEAM, second, handed_over(stages), WHY)
    assert refused.value.code == "answered-before"


def refusal(stages: House, ticket: str, first: str) -> Any:
    with pytest.raises(CannotJoin) as refused:
        stages.do("triage", "join", MAIN_TEAM, ticket, first, WHY)
    return refused.value


def test_what_cannot_be_joined_is_refused_by_name(stages: House) -> None:
    first, second = joined(stages)
    third = handed_over(stages)
    assert refusal(stages, third, third).code == "join-with-itself"
    with_joined = refusal(stages, third, second)
    assert (with_joined.code, with_joined.details) == ("first-is-joined", {"first": first})
    with pytest.raises(InvalidInput):
        stages.do("triage", "join", MAIN_TEAM, third, "NKK-2026-EDXY-ER30", WHY)
    with pytest.raises(UnknownTicket):
        stages.do("triage", "join", MAIN_TEAM, "NKK-2026-EDXY-ER30", first, WHY)
    with pytest.raises(AlreadyJoined) as again:
        stages.do("triage", "join", MAIN_TEAM, second, third, WHY)
    assert again.value.details["first"] == first
    with pytest.raises(AlreadyClassified):
        stages.do("triage", "join", MAIN_TEAM, first, third, WHY)
    for act in (("classify_as_information", WHY), ("forward", OPD)):
        with pytest.raises(AlreadyClassified):
            stages.do("triage", act[0], MAIN_TEAM, second, act[1])
    with pytest.raises(NoResponseYet):
        stages.do("triage", "approve", MAIN_TEAM, second)
    fourth = handed_over(stages)
    acted(stages, "triage", "join", MAIN_TEAM, fourth, third, WHY)
    assert refusal(stages, third, fourth).code == "others-are-joined"
    respond(stages, first, "Ditegur.")
    acted(stages, "triage", "approve", MAIN_TEAM, first)
    assert refusal(stages, handed_over(stages), first).code == "first-is-decided"
    acted(stages, "intake", "withdraw", REPORTER, third, "Takut.")
    assert refusal(stages, handed_over(stages), third).code == "first-was-withdrawn"


def test_a_report_with_a_conflict_of_interest_is_not_joined_with_one_that_may_go_to_the_accuseds_team(
    stages: House,
) -> None:
    marked = [handed_over(stages, conflict=True, accused_opd=OPD) for _ in range(3)]
    elsewhere = handed_over(stages, conflict=True, accused_opd=OTHER)
    for first in (forwarded(stages), handed_over(stages), elsewhere):
        assert refusal(stages, marked[0], first).code == "conflict-unlike-first"
    acted(stages, "triage", "join", MAIN_TEAM, marked[1], marked[0], WHY)
    acted(stages, "triage", "join", MAIN_TEAM, handed_over(stages), marked[0], WHY)
    with pytest.raises(InvalidInput):
        stages.do("triage", "forward", MAIN_TEAM, marked[0], OPD)


def test_a_report_that_nobody_may_see_takes_none(stages: House) -> None:
    first, second = forwarded(stages), handed_over(stages, NEIGHBOUR)
    acted(stages, "triage", "recuse", MAIN_TEAM, first, "Kerabat.")
    with pytest.raises(InvalidInput):
        stages.do("triage", "join", MAIN_TEAM, second, first, WHY)


def gathered(stages: House) -> str:
    """Return a complaint with the response of an OPD that is with another one."""
    ticket = forwarded(stages)
    respond(stages, ticket, "Petugas ditegur.", OPD_TEAM, [upload()])
    acted(stages, "triage", "gather", MAIN_TEAM, ticket, OTHER, "Tanggapi soal kehadiran.")
    return ticket


def test_what_comes_to_a_further_opd_was_not_returned_to_it(stages: House) -> None:
    ticket = gathered(stages)

    def returned() -> tuple[int, bool]:
        (row,) = stages.do("opd_response", "worklist", OTHER_TEAM)["items"]
        return row["round"], row["returned"]

    assert returned() == (1, False)
    respond(stages, ticket, "Kehadiran dicatat.", OTHER_TEAM)
    acted(stages, "triage", "return_response", MAIN_TEAM, ticket, "Kapan?")
    assert returned() == (2, True)


def test_the_responses_of_two_opds_come_to_the_operator_together(stages: House) -> None:
    ticket = gathered(stages)
    case = stages.do("triage", "case", MAIN_TEAM, ticket)
    assert (case["stands"]["state"], case["opd"], case["response"]) == ("awaiting_response", OTHER, None)
    respond(stages, ticket, "Kehadiran dicatat.", OTHER_TEAM, [upload()])
    case = stages.do("triage", "case", MAIN_TEAM, ticket)
    first = {"opd": OPD, "round": 1, "text": "Petugas ditegur."}
    assert (case["gathered"], case["response"]) == ([first], "Kehadiran dicatat.")
    acted(stages, "triage", "approve", MAIN_TEAM, ticket)
    answer = answering(stages, ticket)
    assert (answer["gathered"], answer["material"]) == ([first], "Kehadiran dicatat.")
    assert [file["number"] for file in answer["offered"]] == ["R1-1", "R2-1"]
    acted(stages, "notification", "send_answer", OPERATOR, ticket, "Sudah.", ["R1-1", "R2-1"])
    assert events(timeline(stages, REPORTER, ticket))[2:7] == [
        "complaint.forwarded",
        "response.submitted",
        "response.gathered",
        "complaint.forwarded",
        "response.submitted",
    ]


def test_the_second_opd_does_not_see_the_response_of_the_first(stages: House) -> None:
    ticket = gathered(stages)
    respond(stages, ticket, "Kehadiran dicatat.", OTHER_TEAM)
    acted(stages, "triage", "approve", MAIN_TEAM, ticket)
    told = [stages.do("opd_response", "case", OTHER_TEAM, ticket), timeline(stages, OTHER_TEAM, ticket)]
    assert "Petugas ditegur." not in str(told)
    with stages.services["triage"].uow.begin() as work:
        rows = work.connection.execute(work.OUTBOX.select()).all()
    assert not [row for row in rows if row.opd is not None and "Petugas ditegur." in row.body]


def test_the_first_opd_follows_until_its_response_was_kept(stages: House) -> None:
    ticket = gathered(stages)
    respond(stages, ticket, "Kehadiran dicatat.", OTHER_TEAM)
    told = timeline(stages, OPD_TEAM, ticket)
    assert events(told)[-2:] == ["response.submitted", "response.gathered"]
    assert OTHER not in str(told)


def test_a_response_that_was_returned_beside_another_goes_to_its_own_opd(stages: House) -> None:
    ticket = gathered(stages)
    respond(stages, ticket, "Dicatat.", OTHER_TEAM)
    acted(stages, "triage", "return_response", MAIN_TEAM, ticket, "Lengkapi.")
    assert stages.do("opd_response", "case", OTHER_TEAM, ticket)["stands"]["state"] == "awaiting_response"
    assert stages.do("opd_response", "case", OPD_TEAM, ticket)["stands"]["state"] == "responded"


def test_a_response_that_was_kept_stays_when_the_further_opd_declines(stages: House) -> None:
    ticket = gathered(stages)
    acted(stages, "opd_response", "decline", OTHER_TEAM, ticket, "Bukan kewenangan kami.", None)
    acted(stages, "triage", "classify_as_information", MAIN_TEAM, ticket, "Cukup dengan tanggapan yang ada.")
    answer = answering(stages, ticket)
    assert [each["text"] for each in answer["gathered"]] == ["Petugas ditegur."]
    assert [file["number"] for file in answer["offered"]] == ["R1-1"]


@pytest.mark.parametrize("back", ["declined", "recalled"])
def test_the_responses_that_there_are_go_to_the_operator_where_the_further_opd_gives_none(
    stages: House, back: str
) -> None:
    ticket = gathered(stages)
    _, second = joined(stages, ticket)
    if back == "declined":
        acted(stages, "opd_response", "decline", OTHER_TEAM, ticket, "Bukan kewenangan kami.", None)
    else:
        respond(stages, ticket, "Belum lengkap.", OTHER_TEAM, [upload()])
        acted(stages, "triage", "return_response", MAIN_TEAM, ticket, "Lengkapi.")
        acted(stages, "triage", "recall", MAIN_TEAM, ticket, WHY)
    assert "conclude" in stages.do("triage", "case", MAIN_TEAM, ticket)["acts"]
    acted(stages, "triage", "conclude", MAIN_TEAM, ticket, "Jawab dari yang ada.")
    case = stages.do("triage", "case", MAIN_TEAM, ticket)
    assert (case["stands"]["state"], case["opd"], case["response"]) == ("approved", None, None)
    answer = answering(stages, ticket)
    assert (answer["path"], answer["material"], answer["note"]) == ("complaint", None, "Jawab dari yang ada.")
    assert [each["text"] for each in answer["gathered"]] == ["Petugas ditegur."]
    assert [file["number"] for file in answer["offered"]] == ["R1-1"]
    beside = answering(stages, second)
    assert (beside["material"], beside["gathered"], beside["joined_to"]) == ("Petugas ditegur.", [], ticket)
    told = timeline(stages, MAIN_TEAM, ticket)
    assert (told["stands"]["state"], events(told)[-1]) == ("answer", "response.concluded")
    assert told["entries"][-1]["used_minutes"] is not None
    with pytest.raises(AlreadyClassified):
        stages.do("triage", "conclude", MAIN_TEAM, ticket)
    acted(stages, "notification", "send_answer", OPERATOR, ticket, "Sudah.", ["R1-1"])


def test_a_report_without_kept_responses_cannot_be_concluded(stages: House) -> None:
    ticket = handed_over(stages)
    assert "conclude" not in stages.do("triage", "case", MAIN_TEAM, ticket)["acts"]
    with pytest.raises(NothingGathered):
        stages.do("triage", "conclude", MAIN_TEAM, ticket)


def test_a_second_cycle_begins_without_the_responses_of_the_first(stages: House) -> None:
    ticket = gathered(stages)
    respond(stages, ticket, "Dicatat.", OTHER_TEAM)
    acted(stages, "triage", "approve", MAIN_TEAM, ticket)
    acted(stages, "notification", "send_answer", OPERATOR, ticket, "Sudah.")
    acted(stages, "notification", "object_to", REPORTER, ticket, "Belum.")
    assert stages.do("triage", "case", MAIN_TEAM, ticket)["gathered"] == []
    acted(stages, "triage", "classify_as_information", MAIN_TEAM, ticket, "Jawab.")
    answer = answering(stages, ticket)
    assert (answer["gathered"], answer["offered"]) == ([], [])


def test_what_cannot_be_gathered_is_refused_by_name(stages: House) -> None:
    ticket = forwarded(stages)
    with pytest.raises(NoResponseYet):
        stages.do("triage", "gather", MAIN_TEAM, ticket, OTHER)
    respond(stages, ticket, "Ditegur.")
    with pytest.raises(AlreadyGathered):
        stages.do("triage", "gather", MAIN_TEAM, ticket, OPD)
    with pytest.raises(InvalidInput):
        stages.do("triage", "gather", MAIN_TEAM, ticket, None)
    acted(stages, "triage", "approve", MAIN_TEAM, ticket)
    with pytest.raises(AlreadyApproved):
        stages.do("triage", "gather", MAIN_TEAM, ticket, OTHER)


def test_all_responses_are_shared_with_what_was_joined(stages: House) -> None:
    ticket = gathered(stages)
    _, second = joined(stages, ticket)
    respond(stages, ticket, "Kehadiran dicatat.", OTHER_TEAM, [upload()])
    acted(stages, "triage", "approve", MAIN_TEAM, ticket)
    answer = answering(stages, second)
    assert [each["opd"] for each in answer["gathered"]] == [OPD]
    assert [file["number"] for file in answer["offered"]] == ["R1-1", "R1-2"]
    stages.now += timedelta(minutes=1)
    with pytest.raises(NotYourStep):
        stages.do("triage", "part", MAIN_TEAM, second, WHY)


def test_both_reports_withdrawn_at_once_end_the_same_in_any_order(stages: House) -> None:
    results = []
    for order in (0, 1):
        first, second = joined(stages)
        for ticket in (first, second) if order else (second, first):
            acted(stages, "intake", "withdraw", REPORTER, ticket, "Sudah selesai.")
        case = stages.do("triage", "case", MAIN_TEAM, second)
        results.append((case["stands"]["state"], case["forwarding"], case["joined_to"], case["acts"]))
    assert results[0] == results[1]
    assert results[0][0] == "withdrawn"


def test_joining_ends_the_desks_question_and_its_reporter_sees_no_endless_wait(stages: House) -> None:
    first, second = forwarded(stages), handed_over(stages, NEIGHBOUR)
    acted(stages, "triage", "ask", MAIN_TEAM, second, "Di loket mana?")
    resting = stages.do("notification", "read_answer", NEIGHBOUR, second)["left_minutes"]
    acted(stages, "triage", "join", MAIN_TEAM, second, first, WHY)
    (question,) = stages.do("notification", "questions", NEIGHBOUR, second)
    assert question["state"] == "overtaken"
    stages.now += timedelta(days=7)
    assert stages.do("notification", "read_answer", NEIGHBOUR, second)["left_minutes"] < resting


def test_a_question_of_a_report_that_was_parted_waits_for_its_reporter(stages: House) -> None:
    _, second = joined(stages)
    acted(stages, "triage", "part", MAIN_TEAM, second, WHY)
    stages.now += timedelta(days=4)
    acted(stages, "triage", "ask", MAIN_TEAM, second, "Di loket mana?")
    (question,) = stages.do("notification", "questions", NEIGHBOUR, second)
    assert (question["number"], question["state"]) == (1, "open")
    left = stages.do("notification", "read_answer", NEIGHBOUR, second)["left_minutes"]
    stages.now += timedelta(days=1)
    assert stages.do("notification", "read_answer", NEIGHBOUR, second)["left_minutes"] == left
    acted(stages, "notification", "answer_question", NEIGHBOUR, second, question["number"], "Loket tiga.")
    acted(stages, "triage", "forward", MAIN_TEAM, second, OPD)


@pytest.mark.parametrize("way", ["parted", "objected to", "sent back"])
def test_an_opd_is_not_told_that_what_it_gets_was_joined_with_what_it_does_not_have(stages: House, way: str) -> None:
    first, second = joined(stages, handed_over(stages))
    stages.now += timedelta(hours=1)
    if way == "parted":
        acted(stages, "triage", "part", MAIN_TEAM, second, WHY)
    else:
        acted(stages, "triage", "forward", MAIN_TEAM, first, OTHER)
        respond(stages, first, "Ditegur.", OTHER_TEAM)
        stages.now += timedelta(hours=1)
        acted(stages, "triage", "approve", MAIN_TEAM, first)
        if way == "objected to":
            acted(stages, "notification", "send_answer", OPERATOR, second, "Begitu.")
            acted(stages, "notification", "object_to", NEIGHBOUR, second, "Belum terjawab.")
        else:
            acted(stages, "notification", "send_back", OPERATOR, second, "Ini loket lain.")
    stages.now += timedelta(hours=1)
    acted(stages, "triage", "forward", MAIN_TEAM, second, OPD)
    stages.now += timedelta(hours=1)
    acted(stages, "opd_response", "ask", OPD_TEAM, second, "Di loket mana?")
    told = timeline(stages, OPD_TEAM, second)
    assert not {"complaint.joined", "complaint.parted", "response.shared"} & set(events(told))
    assert "laporan lain" not in str(told)
    assert first not in str(told)
    (asked,) = stages.do("notification", "questions", OPD_TEAM, second)
    assert asked["state"] == "open"
    assert told["next"]["waiting_since"] is not None
