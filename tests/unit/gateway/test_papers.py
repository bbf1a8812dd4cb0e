import pytest
from flask import g

from gateway import papers
from nkk.sop.steps import Role
from nkk.trust.actor import Actor


@pytest.mark.parametrize(
    ("role", "is_staff"),
    [("reporter", False), ("operator", True), ("main_team", True), ("opd_team", True), ("admin", True)],
)
def test_a_document_is_made_in_the_turn_of_its_account_and_staff_come_first(app, monkeypatch, role, is_staff):
    asked = {}
    monkeypatch.setattr(papers, "make", lambda *_, **how: asked.update(how) or b"made")
    with app.test_request_context():
        g.actor = Actor("one", role)
        papers.sent("tanda-terima", "pdf", {}, "tanda-terima")
    assert (asked["account"], asked["is_staff"]) == ("one", is_staff)


def told(*events):
    return {"entries": [{"step": step, "event": event} for step, event in events]}


FORWARDED = [(1, "complaint.submitted.v2"), (2, "complaint.handed_over.v1"), (3, "complaint.forwarded.v1")]
JOINED = (3, "complaint.joined.v1")
INFORMATION = [*FORWARDED[:2], (3, "complaint.classified_as_information.v1")]


@pytest.mark.parametrize(
    ("role", "events"),
    [
        ("main_team", [*FORWARDED, (4, "complaint.declined.v1")]),
        ("opd_team", [*FORWARDED, (4, "complaint.recalled.v1")]),
        ("reporter", [*INFORMATION, (6, "answer.returned.v1")]),
        ("operator", [*INFORMATION, (6, "answer.returned.v1")]),
    ],
)
def test_what_sends_a_complaint_back_makes_no_response_to_open(app, role, events):
    with app.test_request_context():
        found = papers.openable("NKK-2026-3M3W-0NXV", Role(role), told(*events), confidential=True)
    assert "laporan-tanggapan-pengaduan" not in {document["kind"] for document in found}


def test_a_report_that_was_only_joined_was_not_classified(app):
    with app.test_request_context():
        found = papers.openable("NKK-2026-3M3W-0NXV", Role.MAIN_TEAM, told((2, "complaint.handed_over.v1"), JOINED))
    assert {document["kind"] for document in found} == {"data-pengaduan"}


def test_a_document_names_the_last_approval():
    entry = dict.fromkeys(("activity", "minutes", "came_at", "due_at", "used_minutes", "late", "round"))
    entry = {**entry, "step": 5, "event": "response.approved.v1", "role": "main_team"}
    timeline = {"submitted_at": None, "service_due_at": None, "path": None}
    timeline["entries"] = [entry | {"at": "first"}, entry | {"at": "second"}]
    assert papers._told(timeline, 7, Role.MAIN_TEAM)["approved_at"] == "second"


def test_the_reporters_document_has_the_first_answer_until_there_is_a_second(app, monkeypatch):
    first = {"text": "Jawaban pertama.", "sent_at": "2026-03-04", "how": "opened", "files": []}
    monkeypatch.setattr(papers.desks, "read", lambda _: {})
    for answer, text in ((None, "Jawaban pertama."), ({"text": "Jawaban kedua."}, "Jawaban kedua.")):
        monkeypatch.setattr(papers.journeys, "told", lambda *_, answer=answer: {"answer": answer, "earlier": [first]})
        assert papers._for_reporter("NKK-2026-3M3W-0NXV", papers.RESPONSE)["answer"] == text


def test_the_responses_of_several_agencies_are_one_text_with_their_names(monkeypatch):
    class Known:
        def lists(self):
            return {"opds": {"disdukcapil": "Disdukcapil"}}

    monkeypatch.setattr(papers, "backend", Known)
    kept = [{"opd": "disdukcapil", "round": 1, "text": "Petugas ditegur."}]
    assert papers._every_response({"response": "Ditegur."}) == {}
    for last, text in (({}, ""), ({"response": "Dicatat.", "opd": "Satpol PP"}, "\n\nSatpol PP:\nDicatat.")):
        held = papers._every_response({"gathered": kept, **last})
        assert held == {"response": "Disdukcapil:\nPetugas ditegur." + text}


@pytest.mark.parametrize(
    ("view", "numbers"),
    [
        ({"round": 1, "response": "a"}, ["R1-1"]),
        ({"round": 2, "response": "b", "gathered": [{"round": 1}]}, ["R1-1", "R2-1"]),
        ({"round": 2, "response": None, "gathered": [{"round": 1}]}, ["R1-1"]),
    ],
    ids=["one", "two", "concluded"],
)
def test_the_files_of_every_response_in_force_go_with_the_document(monkeypatch, view, numbers):
    monkeypatch.setattr(papers.evidence, "rows", lambda files: [file["number"] for file in files])
    view = view | {"response_files": [{"number": "R1-1"}, {"number": "R2-1"}]}
    assert papers._files_of(papers.RESPONSE, Role.MAIN_TEAM, view)["attachments"] == numbers


@pytest.mark.parametrize("event", ["response.approved.v1", "response.shared.v1", "response.concluded.v1"])
def test_an_operator_opens_the_response_from_its_approval_on(app, event):
    with app.test_request_context():
        found = papers.openable("NKK-2026-3M3W-0NXV", Role.OPERATOR, told(*FORWARDED, (5, event)), confidential=True)
    assert "laporan-tanggapan-pengaduan" in {document["kind"] for document in found}


@pytest.mark.parametrize(("by", "opens"), [("inspektorat", True), ("satpol-pp", False)])
def test_an_opd_opens_the_document_of_its_own_response_and_of_no_other(app, by, opens):
    timeline = told(*FORWARDED, (4, "response.submitted.v1"), (5, "response.gathered.v1"))
    timeline["entries"][3]["opd"] = by
    with app.test_request_context():
        g.actor = Actor("opd-1", "opd_team", "inspektorat")
        found = papers.openable("NKK-2026-3M3W-0NXV", Role.OPD_TEAM, timeline, confidential=True)
    assert ("laporan-tanggapan-pengaduan" in {document["kind"] for document in found}) == opens
