"""A desk asks the reporter on a whole installation, over HTTP, and the reporter answers."""

from tests.e2e.test_acts import Case
from tests.installations import eventually
from tests.people import People

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


def test_a_question_of_a_case_that_went_on_needs_no_answer(people: People) -> None:
    case = Case(people)
    case.act(case.operator, "questions", {"text": ASKED})
    eventually(lambda: case.reporter.get(f"{case.path}/questions")["items"])
    case.act(case.operator, "handover")
    eventually(lambda: case.reporter.get(f"{case.path}/questions")["items"][0]["state"] == "overtaken")
    assert case.refused(case.reporter, "questions/1/answer", {"text": ANSWER}) == "question-overtaken"


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
