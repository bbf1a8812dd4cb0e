"""A desk asks the reporter on a whole installation, over HTTP, and the reporter answers."""

import uuid

from tests.e2e.test_acts import Case
from tests.e2e.test_counter import counter_form
from tests.installations import eventually
from tests.people import PASSWORD, People
from tests.problems import problem

ASKED, ANSWER = "Pada hari apa peristiwanya?", "Hari Selasa."


def test_a_desk_asks_and_every_desk_that_has_the_complaint_reads_the_answer(people: People) -> None:
    case = Case(people)
    case.act(case.operator, "handover")
    case.act(case.main, "questions", {"text": ASKED})
    assert case.refused(case.main, "questions", {"text": ASKED}) == "question-open"
    case.act(case.reporter, "questions/1/answer", {"text": ANSWER})
    assert case.refused(case.reporter, "questions/1/answer", {"text": ANSWER}) == "question-answered-before"
    for who in (case.main, case.operator, case.reporter):
        (shown,) = who.get(f"{case.path}/questions")["items"]
        assert (shown["text"], shown["answer"], shown["state"]) == (ASKED, ANSWER, "answered")
        assert ("by" in shown) == (who is not case.reporter)
    eventually(lambda: "ask" in case.seen_by(case.main)["acts"])


def test_files_come_with_an_answer_and_are_opened_by_whoever_reads_it(people: People) -> None:
    case = Case(people)
    case.act(case.operator, "questions", {"text": ASKED})
    eventually(lambda: case.reporter.get(f"{case.path}/questions")["items"])
    files = [case.reporter.upload(), case.reporter.upload(b"Nomor antrean 17.", "catatan.txt")]
    case.act(case.reporter, "questions/1/answer", {"text": ANSWER, "files": files})
    for who in (case.operator, case.reporter):
        (shown,) = who.get(f"{case.path}/questions")["items"]
        assert [file["number"] for file in shown["files"]] == ["T1-1", "T1-2"]
        assert all("id" not in file for file in shown["files"])
        assert who.ask("GET", f"{case.path}/files/T1-2").content == b"Nomor antrean 17."
        preview = who.ask("GET", f"{case.path}/files/T1-1/preview").headers
        assert preview["Content-Type"] == "image/jpeg"
        assert "Accept-Ranges" not in preview
        problem(who.ask("GET", f"{case.path}/files/T1-3"), 404, "unknown-file")
    assert shown["files"][1]["name"] == "catatan.txt"
    for who in (people.reporter(), case.main):
        problem(who.ask("GET", f"{case.path}/files/T1-1"), 404, "unknown-ticket")


def test_a_question_of_a_case_that_went_on_needs_no_answer(people: People) -> None:
    case = Case(people)
    case.act(case.operator, "questions", {"text": ASKED})
    eventually(lambda: case.reporter.get(f"{case.path}/questions")["items"])
    case.act(case.operator, "handover")
    eventually(lambda: case.reporter.get(f"{case.path}/questions")["items"][0]["state"] == "overtaken")
    assert case.refused(case.reporter, "questions/1/answer", {"text": ANSWER}) == "question-overtaken"


def test_acts_do_not_tell_the_teams_that_a_reporter_came_to_the_counter(people: People) -> None:
    ticket = people.operator.post("/entries", counter_form(), expect=201)["ticket"]
    assert "ask" not in people.operator.get(f"/complaints/{ticket}")["acts"]
    people.operator.act(f"/complaints/{ticket}/handover")
    assert "ask" in eventually(lambda: people.main_team.get(f"/complaints/{ticket}"))["acts"]
    people.main_team.act(f"/complaints/{ticket}/classification", {"kind": "complaint", "opd": "dinas-kesehatan"})
    assert "ask" in eventually(lambda: people.opd_team("dinas-kesehatan").get(f"/complaints/{ticket}"))["acts"]


def test_a_reporter_whom_no_question_reaches_is_not_asked(people: People) -> None:
    receipt = people.operator.post("/entries", counter_form(), expect=201)
    path, form = f"/complaints/{receipt['ticket']}/questions", {"text": ASKED}
    problem(people.operator.ask("POST", path, form), 409, "reporter-unreachable")
    assert "ask" not in people.operator.get(f"/complaints/{receipt['ticket']}")["acts"]
    # Not even that is told to a desk without the complaint.
    for who in (people.main_team, people.opd_team("dinas-kesehatan")):
        problem(who.ask("POST", path, form), 404, "unknown-ticket")
    chosen = {"username": f"warga-{uuid.uuid4().hex[:10]}", "password": PASSWORD}
    people.anyone.post("/reporters/from-code", {"access_code": receipt["access_code"], **chosen}, expect=201)
    people.operator.act(path, form)


def test_another_reporter_and_a_desk_without_the_complaint_learn_nothing_of_a_question(people: People) -> None:
    case = Case(people)
    case.act(case.operator, "questions", {"text": ASKED})
    eventually(lambda: case.reporter.get(f"{case.path}/questions")["items"])
    for who, method, path, form in (
        (people.reporter(), "GET", "questions", None),
        (people.reporter(), "POST", "questions/1/answer", {"text": ANSWER}),
        (case.main, "GET", "questions", None),
    ):
        assert who.ask(method, f"{case.path}/{path}", json=form).status_code == 404
    assert case.reporter.ask("POST", f"{case.path}/questions/1/answer", json={"text": " "}).status_code == 422
    too_long = {"text": "x" * 20_001}
    assert case.reporter.ask("POST", f"{case.path}/questions/1/answer", json=too_long).status_code == 422
