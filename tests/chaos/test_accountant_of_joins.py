"""The accountant reports exactly the one joined report or question that is lost, or not as it was told."""

import json
from collections import Counter
from typing import Any

import pytest

from nkk.sop import journey
from tests.builders import TICKET
from tests.chaos.accountant import Pages, Told, commands, effects, joins, questions
from tests.chaos.record import Asked

FIRST = "NKK-2026-0000-0000"
OTHER = "NKK-2026-1111-1111"

Fact = tuple[str, str, dict[str, Any]]


def pages(*facts: Fact, **tables: list[dict[str, Any]]) -> Pages:
    told = tuple(
        Told("triage", number, f"event {number}", type_, ticket, json.dumps({"data": data}), "", "")
        for number, (ticket, type_, data) in enumerate(facts)
    )
    names = (*questions.DESKS, "questions", "messages", "submissions", "entries")
    return Pages(told, Counter(), {name: tables.get(name.replace(" ", "_"), []) for name in names})


def joined(first: str = FIRST) -> Fact:
    return TICKET, journey.JOINED, {"first": first, "forwarding": 1}


def shared(text: str = "Ditegur.", first: str = FIRST) -> Fact:
    return TICKET, journey.SHARED, {"joined_to": first, "forwarding": 1, "text": text, "note": None}


def informed(ticket: str, joined_to: str | None = None) -> Fact:
    return ticket, effects.INFORMATION, {"forwarding": 1, "joined_to": joined_to}


HANDED_OVER: Fact = (TICKET, effects.HANDED_OVER, {})
RESPONDED: Fact = (FIRST, "response.submitted.v1", {"forwarding": 1, "round": 1, "text": "Ditegur."})
APPROVED: Fact = (FIRST, "response.approved.v1", {"forwarding": 1, "round": 1, "text": "Ditegur."})
WITHDRAWN: Fact = (FIRST, journey.WITHDRAWN, {"cycle": 1})


def of_joins(*facts: Fact) -> list[str]:
    return [str(breach) for breach in joins.breaches(pages(*facts))]


def test_a_joined_report_is_given_what_the_first_got() -> None:
    assert of_joins(joined(), RESPONDED, APPROVED, shared()) == []
    assert of_joins(joined(), informed(FIRST), informed(TICKET, FIRST)) == []


def test_a_joined_report_rests_while_the_first_is_undecided() -> None:
    assert of_joins(joined(), RESPONDED) == []


@pytest.mark.parametrize("end", [APPROVED, informed(FIRST), WITHDRAWN], ids=["approved", "information", "withdrawn"])
def test_a_joined_report_that_was_forgotten_when_the_first_was_decided(end: Fact) -> None:
    assert of_joins(joined(), end) == [f"joins: {TICKET}: rests with {FIRST}, of which {end[1]} was told last"]


def test_a_result_that_the_first_never_got() -> None:
    assert of_joins(joined(), RESPONDED, shared()) == [
        f"joins: {TICKET}: was given a result by {journey.SHARED}, and {FIRST} has none"
    ]
    assert of_joins(joined(), RESPONDED, APPROVED, shared("Lain.")) == [
        f"joins: {TICKET}: was given a response that {FIRST} never got"
    ]


def test_a_result_of_a_report_that_it_was_not_joined_with() -> None:
    (breach,) = of_joins(joined(OTHER), RESPONDED, APPROVED, shared())
    assert breach == f"joins: {TICKET}: was given the result of {FIRST}, and was joined with {OTHER}"


def test_what_was_ever_joined_is_one_group() -> None:
    found = joins.groups(pages(joined(), (OTHER, journey.JOINED, {"first": TICKET, "forwarding": 1})))
    assert [found[each] for each in (FIRST, TICKET, OTHER)] == [{FIRST, TICKET, OTHER}] * 3


def of_commands(operation: str, *facts: Fact, asked: tuple[Asked, ...] = ()) -> list[str]:
    found = commands.breaches(pages(*facts), [*asked])
    return [str(breach) for breach in found if f"'{operation}'" in breach.says]


def test_a_report_that_was_parted_by_the_end_of_the_first_was_parted_by_nobody() -> None:
    parted = {"first": FIRST, "forwarding": 1}
    assert of_commands("part", joined(), (TICKET, journey.PARTED, parted | {"by": None})) == []
    assert of_commands("part", joined(), (TICKET, journey.PARTED, parted | {"by": "staff"})) != []


def test_what_is_classified_with_the_first_was_classified_by_nobody() -> None:
    assert of_commands("classify", joined(), informed(TICKET, FIRST)) == []
    assert of_commands("classify", joined(), informed(TICKET)) != []


def test_what_rests_with_another_is_refused_as_classified_before() -> None:
    refused = (Asked(0, 0.1, "classify", "main_team", 409, TICKET, problem="already-classified"),)
    assert of_commands("classify", joined(), informed(TICKET, FIRST), asked=refused) == []
    assert of_commands("classify", joined(), asked=refused) == []
    assert of_commands("classify", HANDED_OVER, asked=refused) != []


def test_joined_reports_are_hidden_together() -> None:
    aside = tuple((ticket, "case.recused.v1", {"account": "staff"}) for ticket in (TICKET, FIRST))
    asked = (Asked(0, 0.1, "recuse", "main_team", 200, FIRST),)
    assert of_commands("recuse", joined(), *aside, asked=asked) == []
    assert of_commands("recuse", HANDED_OVER, *aside, asked=asked) != []


QUESTION: Fact = (TICKET, questions.ASKED, {"step": 3, "forwarding": 1})
ANSWERED: Fact = (TICKET, questions.ANSWERED, {"question": "event 1"})
WAITS = {"ticket": TICKET, "ended": None, "question": "event 1", "rests_until": None, "done_at": None}
LETTER = {"ticket": TICKET, "kind": "question"}
OF_LAPSE = {"ticket": TICKET, "kind": "question_lapsed"}


def kept(state: str = "open", **changed: Any) -> dict[str, Any]:
    row = {"ticket": TICKET, "id": "event 1", "number": 1, "step": 3, "forwarding": 1, "round": 0, "state": state}
    return row | {"lapses_at": "2026-04-02", "ended_at": "2026-04-02"} | changed


def of_questions(*facts: Fact, **tables: list[dict[str, Any]]) -> list[str]:
    return [str(breach) for breach in questions.breaches(pages(HANDED_OVER, QUESTION, *facts, **tables))]


def test_true_questions_balance() -> None:
    assert of_questions(questions=[kept()], triage_cases=[WAITS], messages=[LETTER]) == []
    goes_on = WAITS | {"rests_until": "2026-03-03"}
    assert of_questions(ANSWERED, questions=[kept("answered")], triage_cases=[goes_on], messages=[LETTER]) == []
    assert of_questions(questions=[kept("overtaken")], triage_cases=[WAITS | {"done_at": "2026-03-03"}]) == []


def test_a_letter_about_a_question_that_ended_before_it_was_sent_is_dropped() -> None:
    assert of_questions(ANSWERED, questions=[kept("answered")]) == []
    assert of_questions(questions=[kept(forwarding=2)]) == []
    assert of_questions(questions=[kept()]) == [
        f"questions: {TICKET}: 0 letters about 1 questions, of which 1 are open"
    ]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "0 questions, told 1 times"),
        ([kept("overtaken", number=2)], "numbered [2]"),
        ([kept("answered")], "1 answered, told 0 times"),
        ([kept("lapsed")], "1 lapsed, told 0 times"),
    ],
    ids=["lost", "misnumbered", "answered untold", "lapsed untold"],
)
def test_a_question_that_is_not_as_it_was_told(rows: list[dict[str, Any]], says: str) -> None:
    letters = [OF_LAPSE for row in rows if row["state"] == "lapsed"]
    assert of_questions(questions=rows, messages=letters) == [f"questions: {TICKET}: {says}"]


def test_an_answer_that_is_lost_or_told_twice() -> None:
    (lost,) = of_questions(ANSWERED, questions=[kept("overtaken")])
    assert lost == f"questions: {TICKET}: 0 answered, told 1 times"
    (twice,) = of_questions(ANSWERED, ANSWERED, questions=[kept("answered")])
    assert twice == f"questions: {TICKET}: 1 answered, told 2 times"


def test_a_desk_that_waits_for_an_answer_that_came() -> None:
    (breach,) = of_questions(ANSWERED, questions=[kept("answered")], triage_cases=[WAITS])
    assert breach == f"questions: {TICKET}: triage cases wait for a question that has ended"


def test_a_desk_that_waits_for_a_question_that_nobody_asked() -> None:
    (breach,) = of_questions(questions=[kept("overtaken")], OPD_cases=[WAITS | {"question": "another"}])
    assert breach == f"questions: {TICKET}: OPD cases have a question that nobody asked"
