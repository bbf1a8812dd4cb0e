"""Two people act on one complaint at the same moment, on a whole installation: it goes on, and ends in one way."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.test_acts import OPD, OTHER, Case
from tests.e2e.test_races import at_once
from tests.installations import eventually
from tests.people import People, Person

DATABASES = ["postgres"]

WHY = {"reason": "Alasan yang cukup."}
TEXT = {"text": "Kata-kata yang cukup."}
RETURNED = {"approved": False, "note": "Kurang jelas."}

ENDED = ("closed", "withdrawn", "abandoned")

Acts = tuple[tuple[str, str, Any], tuple[str, str, Any]]


def handed_over(case: Case) -> None:
    case.act(case.operator, "handover")
    eventually(lambda: case.ticket in case.main.desk("triage"))


def forwarded(case: Case) -> None:
    case.forwarded()
    eventually(lambda: case.ticket in case.people.opd_team(OPD).desk("opd"))


def responded(case: Case) -> None:
    case.forwarded().act(case.people.opd_team(OPD), "response", TEXT)
    eventually(lambda: case.ticket in case.main.desk("triage"))


def asked_by_the_opd(case: Case) -> None:
    forwarded(case)
    case.act(case.people.opd_team(OPD), "questions", TEXT)
    eventually(lambda: case.reporter.get(f"{case.path}/questions")["items"])


def lapsed_at_the_opd(case: Case) -> None:
    forwarded(case)
    case.lapsed(case.people.opd_team(OPD))


def lapsed_at_the_main_team(case: Case) -> None:
    handed_over(case)
    case.lapsed(case.main)


def at_the_answers(case: Case) -> None:
    case.informed()
    eventually(lambda: case.ticket in case.operator.desk("answers"))


def answered(case: Case) -> None:
    case.answered()
    eventually(lambda: case.operator.get(f"{case.path}/timeline")["stands"]["state"] == "receive")


WITHDRAW, RECALL, RESPOND = ("reporter", "withdrawal", WHY), ("main", "recall", WHY), ("team", "response", TEXT)
ANSWER_QUESTION = ("reporter", "questions/1/answer", TEXT)

PAIRS: dict[str, tuple[Callable[[Case], None], Acts]] = {
    "withdraw-respond": (forwarded, (WITHDRAW, RESPOND)),
    "recall-respond": (forwarded, (RECALL, RESPOND)),
    "recall-decline": (forwarded, (RECALL, ("team", "declination", WHY))),
    "recall-ask for time": (forwarded, (RECALL, ("team", "time-request", WHY | {"days": 2}))),
    "forward-join": (
        handed_over,
        (("main", "classification", {"kind": "complaint", "opd": OPD}), ("main", "joins", WHY)),
    ),
    "withdraw-join": (handed_over, (WITHDRAW, ("main", "joins", WHY))),
    "answer a question-respond": (asked_by_the_opd, (ANSWER_QUESTION, RESPOND)),
    "answer a question-withdraw": (asked_by_the_opd, (ANSWER_QUESTION, WITHDRAW)),
    "close-withdraw": (lapsed_at_the_main_team, (("main", "abandonment", WHY), WITHDRAW)),
    "close-recall": (lapsed_at_the_opd, (("team", "abandonment", WHY), RECALL)),
    "return-gather": (
        responded,
        (("main", "approval", RETURNED), ("main", "further-opd", {"opd": OTHER, "note": "Tanggapi juga."})),
    ),
    "withdraw-answer": (at_the_answers, (WITHDRAW, ("operator", "answer", TEXT))),
    "object-confirm": (answered, (("reporter", "objection", WHY), ("reporter", "receipt", None))),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_two_acts_at_one_moment_leave_a_complaint_that_goes_on_to_its_end(people: People, pair: str) -> None:
    prepare, acts = PAIRS[pair]
    case = Case(people)
    prepare(case)
    first = Case(people)
    handed_over(first)
    who = {"reporter": case.reporter, "main": case.main, "team": people.opd_team(OPD), "operator": case.operator}

    def carry_out(name: str, what: str, form: Any) -> Callable[[], Any]:
        sent = form | {"first": first.ticket} if what == "joins" else form
        return lambda: who[name].ask("POST", f"{case.path}/{what}", sent)

    answers = [answer.status_code for answer in at_once(*(carry_out(*each) for each in acts))]
    assert {*answers} <= {200, 201, 202, 409}
    assert answers.count(409) < len(acts)
    for each in (first, case):
        eventually(lambda each=each: ends(each, people))
    desks = [(case.operator, "intake"), (case.operator, "answers"), (case.main, "triage")]
    desks += [(people.opd_team(opd), "opd") for opd in (OPD, OTHER)]
    for person, desk in desks:
        eventually(lambda person=person, desk=desk: case.ticket not in person.desk(desk))


def ends(case: Case, people: People) -> bool:
    """Return whether the complaint has ended; where it has not, do what the desks are offered."""
    ways: list[tuple[Person, str, str, Any]] = [
        (case.main, "classify", "classification", {"kind": "information"}),
        *((people.opd_team(opd), "respond", "response", TEXT) for opd in (OPD, OTHER)),
        (case.main, "approve", "approval", {"approved": True}),
        (case.operator, "answer", "answer", TEXT),
        (case.reporter, "confirm_receipt", "receipt", None),
    ]
    for person, act, what, form in ways:
        seen = person.ask("GET", case.path)
        if seen.status_code == 200 and act in seen.json()["acts"]:
            person.ask("POST", f"{case.path}/{what}", form)
    return str(case.operator.get(f"{case.path}/timeline")["stands"]["state"]) in ENDED
