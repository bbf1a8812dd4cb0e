"""Files of reports and responses as the four stages keep and pass them on, on both databases."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from nkk.contracts import STAGES
from nkk.sop.additions import AddedTooOften
from nkk.sop.clock import day_of, write_day, write_instant
from nkk.sop.files import FileAttachedBefore, ReportFull, UnknownFile
from nkk.sop.refusals import InvalidInput, UnknownTicket
from nkk.trust.actor import Actor
from services.intake.domain import IdempotencyKeyReused, SupplementTooLate
from tests.builders import REPORT, own_upload, upload
from tests.stages import MAIN_TEAM, OPD, OPD_TEAM, OPERATOR, REPORTER, STORAGES, House

STRANGER = Actor("reporter-2", "reporter")
OTHER_TEAM = Actor("staff-9", "opd_team", "bkpsdmd")


def submitted(stages: House, *files: dict[str, Any], key: str | None = None) -> str:
    ticket: str = stages.do("intake", "submit", REPORTER, REPORT | {"files": list(files)}, key)["ticket"]
    stages.deliver()
    return ticket


def handed_over(stages: House, *files: dict[str, Any]) -> str:
    ticket = submitted(stages, *files)
    acted(stages, "intake", "hand_over", OPERATOR, ticket)
    return ticket


def forwarded(stages: House, *files: dict[str, Any]) -> str:
    ticket = handed_over(stages, *files)
    acted(stages, "triage", "forward", MAIN_TEAM, ticket, OPD)
    return ticket


def acted(stages: House, stage: str, act: str, actor: Actor, *args: Any) -> Any:
    done = stages.do(stage, act, actor, *args)
    stages.settle()
    return done


def numbers(files: list[dict[str, Any]]) -> list[str]:
    return [file["number"] for file in files]


def seen_by(stages: House, actor: Actor, ticket: str) -> Any:
    stage, method = {"reporter": ("intake", "complaint"), "operator": ("intake", "complaint")}.get(
        actor.role, (("triage" if actor.role == "main_team" else "opd_response"), "case")
    )
    return stages.do(stage, method, actor, ticket)


def openings(stages: House, stage: str) -> list[tuple[str, Any]]:
    table = STORAGES[stage].record
    with stages.databases[stage].reading() as connection:
        rows = connection.execute(select(table).where(table.c.act == "file_opened").order_by(table.c.id))
        return [(row.ticket, json.loads(row.detail)) for row in rows]


def test_a_reports_files_reach_every_desk_and_only_its_reporter_sees_what_came(stages: House) -> None:
    first, second = own_upload(), own_upload(media_type="application/pdf", cleaned=False, scan="held")
    ticket = forwarded(stages, first, second)
    shared = {name: first[name] for name in upload()} | {"number": "1"}
    for actor in (OPERATOR, MAIN_TEAM, OPD_TEAM):
        files = seen_by(stages, actor, ticket)["files"]
        assert (files[0], numbers(files)) == (shared, ["1", "2"])
        assert (files[1]["cleaned"], files[1]["scan"]) == (False, "held")
    own = seen_by(stages, REPORTER, ticket)["files"][0]
    assert (own["came_size"], own["came_sha256"]) == (first["came_size"], first["came_sha256"])


def test_a_receipt_lists_the_files_and_is_the_same_when_sent_again(stages: House) -> None:
    file = own_upload()
    form = REPORT | {"files": [file]}
    receipts = [stages.do("intake", "submit", REPORTER, form, "key-1") for _ in range(2)]
    assert receipts[0] == receipts[1]
    assert [(each["number"], each["sha256"]) for each in receipts[0]["files"]] == [("1", file["sha256"])]


def test_a_report_whose_files_come_anew_or_were_judged_since_has_its_receipt(stages: House) -> None:
    file = own_upload(scan="held")
    first = stages.do("intake", "submit", REPORTER, REPORT | {"files": [file]}, "key-3")
    for again in (file | {"scan": "clean"}, own_upload()):
        assert stages.do("intake", "submit", REPORTER, REPORT | {"files": [again]}, "key-3") == first
    for other in ({"came_sha256": "b" * 64}, {"cleaned": False}):
        with pytest.raises(IdempotencyKeyReused):
            stages.do("intake", "submit", REPORTER, REPORT | {"files": [file | other]}, "key-3")


def test_intake_describes_what_the_callers_reports_have_attached_and_no_others(stages: House) -> None:
    first, later = own_upload(), own_upload()
    ticket = submitted(stages, first)
    stages.do("intake", "supplement", REPORTER, ticket, [later])
    ids = [later["id"], first["id"], own_upload()["id"]]
    assert stages.do("intake", "attached_before", REPORTER, ids) == [later, first]
    for stranger in (STRANGER, Actor("website-1", "website")):
        assert stages.do("intake", "attached_before", stranger, ids) == []


def test_a_report_without_files_is_the_one_that_an_earlier_gateway_sends(stages: House) -> None:
    receipts = [stages.do("intake", "submit", REPORTER, form, "key-2") for form in (REPORT, REPORT | {"files": []})]
    assert receipts[0]["ticket"] == receipts[1]["ticket"]


@pytest.mark.parametrize("again", ["report", "supplement"])
def test_an_upload_is_attached_once(stages: House, again: str) -> None:
    file = own_upload()
    submitted(stages, own_upload(), file)
    other = submitted(stages) if again == "supplement" else ""
    act = (
        ("submit", REPORTER, REPORT | {"files": [own_upload(), file]})
        if again == "report"
        else ("supplement", REPORTER, other, [own_upload(), file])
    )
    with pytest.raises(FileAttachedBefore) as refused:
        stages.do("intake", *act)
    assert refused.value.details == {"file": 1}
    listing = stages.do("intake", "complaints", REPORTER)["items"]
    assert len(listing) == (2 if again == "supplement" else 1)


@pytest.mark.parametrize("when", ["submitted", "handed_over", "forwarded", "responded"])
def test_what_is_added_later_reaches_the_desks_that_have_the_report(stages: House, when: str) -> None:
    bring = {"submitted": submitted, "handed_over": handed_over}.get(when, forwarded)
    ticket = bring(stages, own_upload())
    if when == "responded":
        acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Sudah.")
    answer = acted(stages, "intake", "supplement", REPORTER, ticket, [own_upload(), own_upload()])
    assert numbers(answer["files"]) == ["1", "2", "3"]
    if when == "submitted":
        acted(stages, "intake", "hand_over", OPERATOR, ticket)
    if when in ("submitted", "handed_over"):
        acted(stages, "triage", "forward", MAIN_TEAM, ticket, OPD)
    for actor in (OPERATOR, MAIN_TEAM, OPD_TEAM, REPORTER):
        assert numbers(seen_by(stages, actor, ticket)["files"]) == ["1", "2", "3"]


@pytest.mark.parametrize("when", ["submitted", "handed_over", "forwarded", "responded"])
def test_words_that_are_added_later_reach_the_desks_that_have_the_report(stages: House, when: str) -> None:
    bring = {"submitted": submitted, "handed_over": handed_over}.get(when, forwarded)
    ticket = bring(stages)
    if when == "responded":
        acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Sudah.")
    day = write_day(stages.now)
    acted(stages, "intake", "supplement", REPORTER, ticket, [], "Hari ini tutup lagi.")
    added = acted(stages, "intake", "supplement", REPORTER, ticket, [own_upload()], "Ini fotonya.")["additions"]
    assert added == [
        {"number": 1, "day": day, "text": "Hari ini tutup lagi.", "files": []},
        {"number": 2, "day": day, "text": "Ini fotonya.", "files": ["1"]},
    ]
    if when == "submitted":
        acted(stages, "intake", "hand_over", OPERATOR, ticket)
    if when in ("submitted", "handed_over"):
        acted(stages, "triage", "forward", MAIN_TEAM, ticket, OPD)
    for actor in (OPERATOR, MAIN_TEAM, OPD_TEAM, REPORTER):
        assert seen_by(stages, actor, ticket)["additions"] == added
    assert sorted(files for _, _, files in acts(stages, REPORTER, ticket)) == [0, 1]


def test_additions_are_in_their_order_however_they_come(stages: House) -> None:
    ticket = forwarded(stages)
    for text in ("Pertama.", "Kedua.", "Ketiga."):
        stages.do("intake", "supplement", REPORTER, ticket, [], text)
    stages.waiting.reverse()
    stages.settle()
    for actor in (MAIN_TEAM, OPD_TEAM):
        assert [each["text"] for each in seen_by(stages, actor, ticket)["additions"]] == [
            "Pertama.",
            "Kedua.",
            "Ketiga.",
        ]


def test_the_same_words_added_again_are_there_once(stages: House) -> None:
    ticket = forwarded(stages)
    answers = [acted(stages, "intake", "supplement", REPORTER, ticket, [], "Tutup lagi.") for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(seen_by(stages, OPD_TEAM, ticket)["additions"]) == 1
    stages.now += timedelta(days=1)
    acted(stages, "intake", "supplement", REPORTER, ticket, [], "Tutup lagi.")
    assert len(seen_by(stages, OPD_TEAM, ticket)["additions"]) == 2


def test_other_words_with_files_that_are_there_already_are_not_lost(stages: House) -> None:
    ticket, files = forwarded(stages), [own_upload()]
    acted(stages, "intake", "supplement", REPORTER, ticket, files, "Ini fotonya.")
    acted(stages, "intake", "supplement", REPORTER, ticket, files, "Diambil kemarin.")
    seen = seen_by(stages, OPD_TEAM, ticket)
    assert numbers(seen["files"]) == ["1"]
    assert [(each["text"], each["files"]) for each in seen["additions"]] == [
        ("Ini fotonya.", ["1"]),
        ("Diambil kemarin.", []),
    ]


@pytest.mark.parametrize("text", [None, "", " \u200b ", "x" * 4001], ids=["none", "empty", "invisible", "long"])
def test_nothing_is_no_addition(stages: House, text: str | None) -> None:
    ticket = submitted(stages)
    with pytest.raises(InvalidInput):
        stages.do("intake", "supplement", REPORTER, ticket, [], text)
    assert seen_by(stages, REPORTER, ticket)["additions"] == []


def test_a_report_has_a_greatest_number_of_additions(stages: House) -> None:
    ticket = submitted(stages)
    for number in range(50):
        stages.do("intake", "supplement", REPORTER, ticket, [], f"Kali ke-{number}.")
    with pytest.raises(AddedTooOften):
        stages.do("intake", "supplement", REPORTER, ticket, [], "Sekali lagi.")
    stages.settle()
    acted(stages, "intake", "hand_over", OPERATOR, ticket)
    assert len(seen_by(stages, MAIN_TEAM, ticket)["additions"]) == 50


def acts(stages: House, actor: Actor, ticket: str) -> list[tuple[str, int, int]]:
    told = stages.do("notification", "timeline", actor, ticket)["beside"]
    assert {(act["event"], act["role"]) for act in told} <= {("report.added_to.v1", "reporter")}
    return [(act["at"], act["step"], act["files"]) for act in told]


def test_the_journey_tells_everybody_who_follows_it_what_was_added_and_at_which_step(stages: House) -> None:
    ticket = submitted(stages, own_upload())
    assert acts(stages, REPORTER, ticket) == []
    times = []
    for files in (1, 2):
        stages.now += timedelta(minutes=1)
        acted(stages, "intake", "supplement", REPORTER, ticket, [own_upload() for _ in range(files)])
        times.append(write_instant(stages.now))
        if files == 1:
            stages.now += timedelta(minutes=1)
            acted(stages, "intake", "hand_over", OPERATOR, ticket)
    stages.now += timedelta(minutes=1)
    acted(stages, "triage", "forward", MAIN_TEAM, ticket, OPD)
    assert acts(stages, REPORTER, ticket) == [(times[0], 2, 1), (times[1], 3, 2)]
    assert acts(stages, OPERATOR, ticket) == acts(stages, REPORTER, ticket)
    day = write_day(stages.now)
    for actor in (MAIN_TEAM, OPD_TEAM):
        assert acts(stages, actor, ticket) == [(day, 2, 1), (day, 3, 2)]


def test_what_is_added_after_the_closing_is_told_under_the_last_step(stages: House) -> None:
    ticket = handed_over(stages)
    acted(stages, "triage", "classify_as_information", MAIN_TEAM, ticket)
    acted(stages, "notification", "send_answer", OPERATOR, ticket, "Jawaban.")
    acted(stages, "notification", "confirm_receipt", REPORTER, ticket)
    stages.now += timedelta(days=1)
    acted(stages, "intake", "supplement", REPORTER, ticket, [own_upload()])
    for actor in (REPORTER, MAIN_TEAM):
        assert [(step, files) for _, step, files in acts(stages, actor, ticket)] == [(7, 1)]


def test_what_was_added_is_told_once_and_also_where_notification_hears_of_it_before_the_report(stages: House) -> None:
    ticket = stages.do("intake", "submit", REPORTER, REPORT, None)["ticket"]
    stages.do("intake", "supplement", REPORTER, ticket, [own_upload()])
    added = [(ear, event) for ear, event in stages.waiting if event.type == "report.added_to.v1"]
    others = [told for told in stages.waiting if told not in added]
    for stages.waiting in (added, others):
        stages.settle()
    assert [files for _, _, files in acts(stages, REPORTER, ticket)] == [1]


def test_an_opds_tools_learn_only_the_day_on_which_something_was_added(stages: House) -> None:
    ticket = forwarded(stages)
    acted(stages, "intake", "supplement", REPORTER, ticket, [own_upload()])
    [passed_on] = [event for _, event in stages.told if event.type == "complaint.supplemented.v1"]
    assert passed_on.time == day_of(stages.now)
    with stages.databases["triage"].reading() as connection:
        outbox = STORAGES["triage"].outbox
        stored = connection.execute(select(outbox.c.created_at).where(outbox.c.event_id == passed_on.id)).scalar()
    assert stored == stages.now


def test_a_closing_of_a_report_that_is_not_there_is_noted(stages: House) -> None:
    ticket = handed_over(stages)
    acted(stages, "triage", "classify_as_information", MAIN_TEAM, ticket)
    acted(stages, "notification", "send_answer", OPERATOR, ticket, "Jawaban.")
    complaints = STORAGES["intake"].complaints
    with stages.databases["intake"].writing() as connection:
        connection.execute(delete(complaints).where(complaints.c.ticket == ticket))
    acted(stages, "notification", "confirm_receipt", REPORTER, ticket)
    with stages.databases["intake"].reading() as connection:
        assert connection.execute(select(STORAGES["intake"].closed.c.ticket)).scalars().all() == [ticket]


def test_the_same_files_added_again_are_there_once(stages: House) -> None:
    ticket, files = forwarded(stages), [own_upload()]
    answers = [acted(stages, "intake", "supplement", REPORTER, ticket, files) for _ in range(2)]
    assert answers[0] == answers[1]
    assert numbers(seen_by(stages, OPD_TEAM, ticket)["files"]) == ["1"]


def test_a_report_takes_files_for_ten_working_days_after_it_was_closed(stages: House) -> None:
    ticket = handed_over(stages)
    acted(stages, "triage", "classify_as_information", MAIN_TEAM, ticket)
    acted(stages, "notification", "send_answer", OPERATOR, ticket, "Jawaban.")
    acted(stages, "notification", "confirm_receipt", REPORTER, ticket)
    stages.now += timedelta(days=9)
    assert numbers(acted(stages, "intake", "supplement", REPORTER, ticket, [own_upload()])["files"]) == ["1"]
    stages.now += timedelta(days=40)
    with pytest.raises(SupplementTooLate):
        stages.do("intake", "supplement", REPORTER, ticket, [own_upload()])


def test_nobody_adds_to_a_strangers_report(stages: House) -> None:
    ticket = submitted(stages)
    with pytest.raises(UnknownTicket):
        stages.do("intake", "supplement", STRANGER, ticket, [own_upload()])


def test_a_report_has_a_greatest_number_of_files(stages: House) -> None:
    ticket = submitted(stages, *(own_upload() for _ in range(50)))
    stages.do("intake", "supplement", REPORTER, ticket, [own_upload() for _ in range(50)])
    with pytest.raises(ReportFull):
        stages.do("intake", "supplement", REPORTER, ticket, [own_upload()])
    assert len(seen_by(stages, REPORTER, ticket)["files"]) == 100


@pytest.mark.parametrize(
    "wrong",
    [
        {"sha256": "x"},
        {"id": "../../etc/passwd"},
        {"size": 0},
        {"scan": "infected"},
        {"came_sha256": None},
        {"number": "1"},
    ],
    ids=lambda wrong: str(*wrong),
)
def test_a_wrong_descriptor_is_refused(stages: House, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        stages.do("intake", "submit", REPORTER, REPORT | {"files": [own_upload() | wrong]})


# -- the files of responses


def test_the_files_of_the_approved_response_are_offered_and_the_chosen_ones_reach_the_reporter(stages: House) -> None:
    ticket = forwarded(stages, own_upload())
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Sudah.", [upload(), upload()])
    assert numbers(seen_by(stages, MAIN_TEAM, ticket)["response_files"]) == ["R1-1", "R1-2"]
    acted(stages, "triage", "return_response", MAIN_TEAM, ticket, "Belum lengkap.")
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Kini lengkap.", [upload(), upload()])
    for actor in (MAIN_TEAM, OPD_TEAM):
        assert numbers(seen_by(stages, actor, ticket)["response_files"]) == ["R1-1", "R1-2", "R2-1", "R2-2"]
    acted(stages, "triage", "approve", MAIN_TEAM, ticket)
    assert numbers(stages.do("notification", "answer", OPERATOR, ticket)["answer"]["offered"]) == ["R2-1", "R2-2"]
    for unknown in ("R1-1", "R2-3", "1", "x"):
        with pytest.raises(UnknownFile):
            stages.do("notification", "send_answer", OPERATOR, ticket, "Jawaban.", [unknown])
    acted(stages, "notification", "send_answer", OPERATOR, ticket, "Jawaban.", ["R2-2"])
    assert numbers(stages.do("notification", "read_answer", REPORTER, ticket)["answer"]["files"]) == ["R2-2"]
    assert stages.do("notification", "open_file", REPORTER, ticket, "R2-2")["number"] == "R2-2"
    for kept in ("R2-1", "R1-2"):
        with pytest.raises(UnknownFile):
            stages.do("notification", "open_file", REPORTER, ticket, kept)
    with pytest.raises(UnknownTicket):
        stages.do("notification", "open_file", STRANGER, ticket, "R2-2")


def test_a_response_takes_no_upload_of_another_response(stages: House) -> None:
    file, first, second = upload(), forwarded(stages), forwarded(stages)
    acted(stages, "opd_response", "respond", OPD_TEAM, first, "Sudah.", [file])
    with pytest.raises(FileAttachedBefore):
        stages.do("opd_response", "respond", OPD_TEAM, second, "Sudah.", [file])
    assert seen_by(stages, OPD_TEAM, second)["stands"]["state"] == "awaiting_response"


# -- opening


@pytest.mark.parametrize(
    ("stage", "actor"), [("intake", OPERATOR), ("triage", MAIN_TEAM), ("opd_response", OPD_TEAM)], ids=STAGES[:3]
)
def test_every_opening_by_staff_is_on_the_record(stages: House, stage: str, actor: Actor) -> None:
    file = own_upload()
    ticket = forwarded(stages, file)
    opened = stages.do(stage, "open_file", actor, ticket, "1")
    assert (opened["id"], opened["sha256"]) == (file["id"], file["sha256"])
    stages.do(stage, "open_file", actor, ticket, "1", "preview")
    for wrong in (("2",), ("R1-1",), ("",), ("1", "raw")):
        with pytest.raises(UnknownFile):
            stages.do(stage, "open_file", actor, ticket, *wrong)
    assert openings(stages, stage)[-2:] == [
        (ticket, {"file": "1", "of": "file"}),
        (ticket, {"file": "1", "of": "preview"}),
    ]


def test_a_reporters_opening_is_not_recorded_and_a_strangers_is_refused(stages: House) -> None:
    ticket, before = submitted(stages, own_upload()), len(openings(stages, "intake"))
    assert stages.do("intake", "open_file", REPORTER, ticket, "1")["number"] == "1"
    assert len(openings(stages, "intake")) == before
    with pytest.raises(UnknownTicket):
        stages.do("intake", "open_file", STRANGER, ticket, "1")


def test_a_team_opens_no_file_of_another_agencys_complaint(stages: House) -> None:
    ticket = forwarded(stages, own_upload())
    with pytest.raises(UnknownTicket):
        stages.do("opd_response", "open_file", OTHER_TEAM, ticket, "1")


def test_the_gateway_learns_which_uploads_are_attached(stages: House) -> None:
    report, response, loose = own_upload(), upload(), upload()
    ticket = forwarded(stages, report)
    acted(stages, "opd_response", "respond", OPD_TEAM, ticket, "Sudah.", [response])
    ids = [each["id"] for each in (report, response, loose)]
    assert stages.services["intake"].attached(ids) == [report["id"]]
    assert stages.services["opd_response"].attached(ids) == [response["id"]]
