"""Questions to the reporter, as the four stages keep them, with their events in any order."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from nkk.desk.record import FILE_OPENED
from nkk.sop.calendar import write_calendar
from nkk.sop.clock import OFFICE_HOURS
from nkk.sop.files import FileAttachedBefore, UnknownFile
from nkk.sop.questions import QuestionOpen, WithoutReporter
from nkk.sop.refusals import UnknownTicket
from nkk.sop.timed import moved
from nkk.trust.actor import Actor
from services.notification.asking import (
    QuestionAnsweredBefore,
    QuestionHasLapsed,
    QuestionOvertaken,
    UnknownQuestion,
)
from services.notification.journeys import still_true
from tests.builders import REPORT, upload
from tests.integration.test_acts import acted, forwarded
from tests.stages import ADMIN, MAIN_TEAM, OPD_TEAM, OPERATOR, REPORTER, STORAGES, House

ASKED = "Pada hari apa peristiwanya?"
ANSWER = "Hari Selasa."
AT_DESKS = [("intake", OPERATOR), ("triage", MAIN_TEAM), ("opd_response", OPD_TEAM)]
ANOTHER = Actor("reporter-2", "reporter")


def at_desk(stages: House, stage: str) -> str:
    if stage == "opd_response":
        return forwarded(stages)
    ticket: str = acted(stages, "intake", "submit", REPORTER, REPORT)["ticket"]
    if stage == "triage":
        acted(stages, "intake", "hand_over", OPERATOR, ticket)
    return ticket


def asked(stages: House, stage: str = "triage") -> str:
    ticket = at_desk(stages, stage)
    acted(stages, stage, "ask", dict(AT_DESKS)[stage], ticket, ASKED)
    return ticket


def held(stages: House, stage: str, ticket: str) -> Any:
    (timed,) = stages.held(stage, {ticket})
    return timed


def questions(stages: House, ticket: str, actor: Actor = REPORTER) -> Any:
    return stages.do("notification", "questions", actor, ticket)


def lapse(stages: House) -> None:
    stages.now += timedelta(days=40)
    stages.services["notification"].end_questions()
    stages.collect()
    stages.settle()


@pytest.mark.parametrize(("stage", "actor"), AT_DESKS, ids=[stage for stage, _ in AT_DESKS])
def test_a_desk_asks_and_its_clock_rests_until_the_day_after_the_answer(
    stages: House, stage: str, actor: Actor
) -> None:
    ticket = asked(stages, stage)
    assert held(stages, stage, ticket).rests(stages.now + timedelta(days=9))
    acted(stages, "notification", "answer_question", REPORTER, ticket, 1, ANSWER)
    resting = held(stages, stage, ticket)
    assert resting.rests(stages.now)
    assert not resting.rests(stages.now + timedelta(days=1))
    (shown,) = questions(stages, ticket, actor)
    assert (shown["text"], shown["answer"], shown["state"], shown["by"]) == (ASKED, ANSWER, "answered", actor.id)


def test_a_reporter_is_told_the_question_and_not_who_asked_it(stages: House) -> None:
    (shown,) = questions(stages, asked(stages))
    assert (shown["number"], shown["text"], shown["state"]) == (1, ASKED, "open")
    assert "by" not in shown


def test_only_one_question_of_a_desk_waits_for_the_reporter(stages: House) -> None:
    ticket = asked(stages)
    with pytest.raises(QuestionOpen):
        stages.do("triage", "ask", MAIN_TEAM, ticket, ASKED)
    acted(stages, "notification", "answer_question", REPORTER, ticket, 1, ANSWER)
    acted(stages, "triage", "ask", MAIN_TEAM, ticket, ASKED)
    assert [shown["number"] for shown in questions(stages, ticket)] == [1, 2]


@pytest.mark.parametrize("number", [0, 2, 2**31, 2**63, 10**20], ids=["0", "2", "int", "bigint", "beyond"])
def test_a_question_that_was_never_asked_is_unknown(stages: House, number: int) -> None:
    with pytest.raises(UnknownQuestion):
        stages.do("notification", "answer_question", REPORTER, asked(stages), number, ANSWER)


def test_a_question_is_answered_once(stages: House) -> None:
    ticket = asked(stages)
    acted(stages, "notification", "answer_question", REPORTER, ticket, 1, ANSWER)
    with pytest.raises(QuestionAnsweredBefore):
        stages.do("notification", "answer_question", REPORTER, ticket, 1, ANSWER)


def holidays(stages: House, name: str, *days: str) -> None:
    """Have an admin make these dates holidays, in a new version of the calendar."""
    with stages.services["intake"].uow.reading() as work:
        newest = work.calendars.newest()
    changed = {"national_years": [], "days": {day: {"name": name, "spans": []} for day in days}}
    acted(stages, "intake", "replace_calendar", ADMIN, newest, write_calendar(OFFICE_HOURS) | changed)


def test_thirty_days_that_end_in_lebaran_are_over_with_the_next_working_day(stages: House) -> None:
    stages.now = datetime(2026, 2, 18, 2, tzinfo=UTC)
    holidays(stages, "Idul Fitri", *(f"2026-03-{day}" for day in (18, 19, 20, 21, 23, 24)))
    ticket = asked(stages)
    assert questions(stages, ticket)[0]["lapses_on"] == "2026-03-25T00:00:00+07:00"
    stages.now = datetime(2026, 3, 25, 16, 59, tzinfo=UTC)
    stages.services["notification"].end_questions()
    assert questions(stages, ticket)[0]["state"] == "open"
    acted(stages, "notification", "answer_question", REPORTER, ticket, 1, ANSWER)


@pytest.mark.parametrize("until", ["answered", "lapsed"])
def test_a_clock_that_rested_over_a_change_of_the_calendar_goes_on_by_its_own(stages: House, until: str) -> None:
    ticket = asked(stages)
    before = held(stages, "triage", ticket)
    holidays(stages, "Banjir", "2026-03-03", "2026-03-05")
    stages.now += timedelta(days=3)
    if until == "answered":
        acted(stages, "notification", "answer_question", REPORTER, ticket, 1, ANSWER)
    else:
        lapse(stages)
    timed = held(stages, "triage", ticket)
    notification = stages.services["notification"]
    own = notification.calendars.get(before.calendar)
    assert own.version < notification.calendars.current().version
    assert timed.due_at == moved(before.due_at, before.rests_since, timed.rests_until, own)
    with notification.uow.reading() as work:
        clock = work.journeys.get(ticket).clocks(notification.calendars.get)[-1]
    assert (clock.due_at, clock.calendar) == (timed.due_at, own)


def test_a_question_lapses_and_the_clock_goes_on(stages: House) -> None:
    ticket = asked(stages)
    lapse(stages)
    assert not held(stages, "triage", ticket).rests(stages.now)
    assert questions(stages, ticket)[0]["state"] == "lapsed"
    with pytest.raises(QuestionHasLapsed):
        stages.do("notification", "answer_question", REPORTER, ticket, 1, ANSWER)


def test_an_answer_after_its_time_is_refused_before_the_timer_has_run(stages: House) -> None:
    ticket = asked(stages)
    stages.now += timedelta(days=40)
    with pytest.raises(QuestionHasLapsed):
        stages.do("notification", "answer_question", REPORTER, ticket, 1, ANSWER)


def test_an_act_that_moves_the_case_on_ends_the_question(stages: House) -> None:
    ticket = asked(stages)
    acted(stages, "triage", "classify_as_information", MAIN_TEAM, ticket)
    assert questions(stages, ticket)[0]["state"] == "overtaken"
    with pytest.raises(QuestionOvertaken):
        stages.do("notification", "answer_question", REPORTER, ticket, 1, ANSWER)
    lapse(stages)
    assert questions(stages, ticket)[0]["state"] == "overtaken"


def test_a_withdrawal_ends_the_question(stages: House) -> None:
    ticket = asked(stages)
    acted(stages, "intake", "withdraw", REPORTER, ticket, "Sudah selesai.")
    assert questions(stages, ticket)[0]["state"] == "overtaken"


def test_an_answer_that_was_on_its_way_is_kept_and_changes_no_clock(stages: House) -> None:
    ticket = asked(stages)
    stages.do("notification", "answer_question", REPORTER, ticket, 1, ANSWER)
    stages.do("triage", "classify_as_information", MAIN_TEAM, ticket)
    before = held(stages, "triage", ticket)
    stages.settle()
    after = held(stages, "triage", ticket)
    assert (after.due_at, after.done_at, after.tell_at) == (before.due_at, before.done_at, None)
    assert questions(stages, ticket, OPERATOR)[0]["answer"] == ANSWER


def test_a_report_that_goes_on_without_its_reporter_is_not_asked_about(stages: House) -> None:
    ticket = at_desk(stages, "triage")
    acted(stages, "intake", "withdraw", REPORTER, ticket, "Sudah selesai.")
    acted(stages, "triage", "keep", MAIN_TEAM, ticket, "Berulang.")
    with pytest.raises(WithoutReporter):
        stages.do("triage", "ask", MAIN_TEAM, ticket, ASKED)
    assert "ask" not in stages.do("triage", "case", MAIN_TEAM, ticket)["acts"]


def test_another_reporter_learns_nothing_of_a_question(stages: House) -> None:
    ticket = asked(stages)
    for command, args in (("questions", ()), ("answer_question", (1, ANSWER))):
        with pytest.raises(UnknownTicket):
            stages.do("notification", command, ANOTHER, ticket, *args)
    with pytest.raises(UnknownQuestion):
        stages.do("notification", "answer_question", REPORTER, ticket, 2, ANSWER)


def test_an_opd_that_the_complaint_was_taken_from_is_told_of_no_later_question(stages: House) -> None:
    ticket = asked(stages, "opd_response")
    acted(stages, "opd_response", "decline", OPD_TEAM, ticket, "Bukan kewenangan kami.")
    acted(stages, "triage", "ask", MAIN_TEAM, ticket, "Di mana?")
    assert [shown["text"] for shown in questions(stages, ticket, OPD_TEAM)] == [ASKED]
    assert [shown["text"] for shown in questions(stages, ticket, MAIN_TEAM)] == [ASKED, "Di mana?"]


def test_the_answer_is_told_to_the_day(stages: House) -> None:
    ticket = asked(stages)
    acted(stages, "notification", "answer_question", REPORTER, ticket, 1, ANSWER)
    (answered,) = [event for _, event in stages.told if event.type == "question.answered.v1"]
    assert answered.time.hour == 17  # Midnight in WIB.


def test_an_opd_is_told_of_no_question_that_was_asked_after_its_complaint_was_taken_back(stages: House) -> None:
    ticket = forwarded(stages)
    acted(stages, "triage", "recall", MAIN_TEAM, ticket, "Salah alamat.")
    acted(stages, "triage", "ask", MAIN_TEAM, ticket, "Di mana?")
    assert questions(stages, ticket, OPD_TEAM) == []


def test_an_opd_knows_that_a_report_goes_on_without_its_reporter(stages: House) -> None:
    ticket = at_desk(stages, "triage")
    acted(stages, "intake", "withdraw", REPORTER, ticket, "Sudah selesai.")
    acted(stages, "triage", "keep", MAIN_TEAM, ticket, "Berulang.")
    acted(stages, "triage", "forward", MAIN_TEAM, ticket, OPD_TEAM.group)
    with pytest.raises(WithoutReporter):
        stages.do("opd_response", "ask", OPD_TEAM, ticket, ASKED)
    assert "ask" not in stages.do("opd_response", "case", OPD_TEAM, ticket)["acts"]


@pytest.mark.parametrize(("stage", "actor"), AT_DESKS, ids=[stage for stage, _ in AT_DESKS])
def test_a_desk_finds_what_waits_for_the_reporter_and_no_time_passes_for_it(
    stages: House, stage: str, actor: Actor
) -> None:
    ticket = asked(stages, stage)
    listed = [row["ticket"] for row in stages.do(stage, "worklist", actor, None, 10, {"waits": "reporter"})["items"]]
    assert listed == [ticket]
    before = stages.do(stage, "case" if stage != "intake" else "complaint", actor, ticket)
    stages.now += timedelta(days=9)
    after = stages.do(stage, "case" if stage != "intake" else "complaint", actor, ticket)
    assert (after["left_minutes"], after["late"]) == (before["left_minutes"], False)
    assert after["waiting_since"]
    assert stages.do(stage, "worklist", actor, None, 10, {"late": True})["items"] == []


def test_a_reporter_is_offered_to_answer_only_while_a_question_waits_for_it(stages: House) -> None:
    ticket = at_desk(stages, "triage")

    def offered() -> bool:
        return "answer_question" in stages.do("notification", "read_answer", REPORTER, ticket)["acts"]

    assert not offered()
    acted(stages, "triage", "ask", MAIN_TEAM, ticket, ASKED)
    assert offered()
    acted(stages, "notification", "answer_question", REPORTER, ticket, 1, ANSWER)
    assert not offered()
    acted(stages, "triage", "ask", MAIN_TEAM, ticket, ASKED)
    assert offered()
    stages.now += timedelta(days=40)
    assert not offered()


@pytest.mark.parametrize(("stage", "actor"), AT_DESKS, ids=[stage for stage, _ in AT_DESKS])
def test_the_journey_and_the_reporters_list_say_since_when_a_step_rests(
    stages: House, stage: str, actor: Actor
) -> None:
    ticket = at_desk(stages, stage)

    def waiting() -> set[Any]:
        told = [
            stages.do("notification", "timeline", who, ticket)["next"]["waiting_since"] for who in (actor, REPORTER)
        ]
        listed = stages.do("notification", "standings", REPORTER, [ticket])[ticket]
        return {*told, listed.get("waiting_since")}

    assert waiting() == {None}
    acted(stages, stage, "ask", actor, ticket, ASKED)
    assert waiting() == {questions(stages, ticket)[0]["asked_at"]}
    acted(stages, "notification", "answer_question", REPORTER, ticket, 1, ANSWER)
    assert waiting() == {None}


def letters(stages: House, ticket: str) -> list[str]:
    """Return the kinds of the letters about a complaint's questions that were written."""
    messages = STORAGES["notification"].messages
    with stages.databases["notification"].reading() as connection:
        found = connection.execute(select(messages.c.kind).where(messages.c.ticket == ticket)).scalars()
        return sorted(kind for kind in found if kind.startswith("question"))


def on_day(stages: House, days: int, since: datetime) -> None:
    """Let the timer run at noon of a day, twice as after a restart."""
    stages.now = since + timedelta(days=days)
    for _ in range(2):
        stages.services["notification"].end_questions()
    stages.collect()


def test_a_reporter_is_reminded_three_times_and_told_when_the_question_has_lapsed(stages: House) -> None:
    since, ticket = stages.now, asked(stages)
    written = {}
    for day in range(45):
        on_day(stages, day, since)
        written[day] = letters(stages, ticket)
    assert written[0] == ["question"]
    reminded = [day for day in range(1, 45) if written[day].count("question_reminder") > len(written[day - 1]) - 1]
    lapsed = next(day for day in range(45) if "question_lapsed" in written[day])
    assert len(reminded) == 3
    assert written[44].count("question_lapsed") == 1
    assert [event.type for _, event in stages.told].count("question.lapsed.v1") == 1
    # The question lapses at the end of the last day, so that the noon after it is one day later.
    assert [lapsed - day for day in reminded] == [14, 7, 2]


@pytest.mark.parametrize("how", ["answered", "overtaken"])
def test_a_reporter_is_reminded_of_no_question_that_needs_no_answer(stages: House, how: str) -> None:
    since, ticket = stages.now, asked(stages)
    if how == "answered":
        acted(stages, "notification", "answer_question", REPORTER, ticket, 1, ANSWER)
    else:
        acted(stages, "triage", "classify_as_information", MAIN_TEAM, ticket)
    for day in range(45):
        on_day(stages, day, since)
    assert letters(stages, ticket) == ["question"]
    with stages.services["notification"].uow.reading() as work:
        (way,) = work.journeys.of([ticket])
    assert not still_true("question", None, None, way)
    assert not still_true("question_reminder", None, None, way)


def test_a_letter_about_a_question_is_true_while_it_waits_and_afterwards_that_of_its_lapse(stages: House) -> None:
    ticket = asked(stages)

    def true_letters() -> list[str]:
        with stages.services["notification"].uow.reading() as work:
            (way,) = work.journeys.of([ticket])
        kinds = ("question", "question_reminder", "question_lapsed")
        return [kind for kind in kinds if still_true(kind, None, None, way)]

    assert true_letters() == ["question", "question_reminder", "question_lapsed"]
    lapse(stages)
    assert true_letters() == ["question_lapsed"]


def give_up(stages: House, ticket: str) -> None:
    """Let every letter about a complaint be given up, as after days in which no mail server took it."""
    messages = STORAGES["notification"].messages
    with stages.databases["notification"].writing() as connection:
        connection.execute(update(messages).where(messages.c.ticket == ticket).values(given_up_at=stages.now))


@pytest.mark.parametrize(("stage", "actor"), AT_DESKS, ids=[stage for stage, _ in AT_DESKS])
def test_whoever_asked_learns_that_the_letter_about_a_question_did_not_arrive(
    stages: House, stage: str, actor: Actor
) -> None:
    ticket = asked(stages, stage)
    (shown,) = questions(stages, ticket, actor)
    assert "undelivered" not in shown
    give_up(stages, ticket)
    for after in (lambda: None, lambda: lapse(stages)):
        after()
        (shown,) = questions(stages, ticket, actor)
        assert shown["undelivered"] is True
    assert all("undelivered" not in each for each in questions(stages, ticket))


def test_of_an_answer_and_a_lapse_at_one_instant_one_counts(stages: House) -> None:
    ticket = asked(stages)
    with stages.services["notification"].uow.reading() as work:
        (question,) = work.questions.of([ticket])[ticket]
    stages.now = question.lapses_at - timedelta(microseconds=1)
    stages.do("notification", "answer_question", REPORTER, ticket, 1, ANSWER)
    stages.now = question.lapses_at
    stages.services["notification"].end_questions()
    stages.collect()
    stages.settle()
    assert [event.type for _, event in stages.told if event.type.startswith("question")][1:] == ["question.answered.v1"]
    assert questions(stages, ticket)[0]["state"] == "answered"


def answered_with(stages: House, files: list[Any], stage: str = "triage") -> str:
    ticket = asked(stages, stage)
    acted(stages, "notification", "answer_question", REPORTER, ticket, 1, ANSWER, files)
    return ticket


def openings(stages: House) -> list[tuple[str, str]]:
    """Return who opened a file at notification, and which, as it is recorded."""
    record = STORAGES["notification"].record
    with stages.databases["notification"].reading() as connection:
        rows = connection.execute(select(record).where(record.c.act == FILE_OPENED)).all()
    return [(row.actor, json.loads(row.detail)["file"]) for row in rows]


def test_whoever_reads_an_answer_opens_its_files_and_each_opening_by_staff_is_recorded(stages: House) -> None:
    first, second = upload(), upload()
    ticket = answered_with(stages, [first, second], "opd_response")
    for actor in (OPERATOR, MAIN_TEAM, OPD_TEAM, REPORTER):
        assert [file["number"] for file in questions(stages, ticket, actor)[0]["files"]] == ["T1-1", "T1-2"]
        opened = stages.do("notification", "open_question_file", actor, ticket, "T1-2")
        assert opened["id"] == second["id"]
    assert openings(stages) == [(actor.id, "T1-2") for actor in (OPERATOR, MAIN_TEAM, OPD_TEAM)]
    for number in ("T1-3", "T2-1", "1", "R1-1"):
        with pytest.raises(UnknownFile):
            stages.do("notification", "open_question_file", MAIN_TEAM, ticket, number)
    with pytest.raises(UnknownTicket):
        stages.do("notification", "open_question_file", ANOTHER, ticket, "T1-1")


def test_a_team_that_the_complaint_was_taken_from_opens_no_later_file(stages: House) -> None:
    ticket = forwarded(stages)
    acted(stages, "opd_response", "decline", OPD_TEAM, ticket, "Bukan kewenangan kami.")
    acted(stages, "triage", "ask", MAIN_TEAM, ticket, ASKED)
    acted(stages, "notification", "answer_question", REPORTER, ticket, 1, ANSWER, [upload()])
    with pytest.raises(UnknownFile):
        stages.do("notification", "open_question_file", OPD_TEAM, ticket, "T1-1")


def test_an_upload_is_attached_to_one_answer_and_the_gateway_learns_of_it(stages: House) -> None:
    file, loose = upload(), upload()
    answered_with(stages, [file])
    other = asked(stages)
    with pytest.raises(FileAttachedBefore):
        stages.do("notification", "answer_question", REPORTER, other, 1, ANSWER, [file])
    assert questions(stages, other)[0]["state"] == "open"
    assert stages.services["notification"].attached([file["id"], loose["id"]]) == [file["id"]]
