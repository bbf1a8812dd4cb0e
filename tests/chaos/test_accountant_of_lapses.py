"""The accountant reports exactly the one lapse or closing that is lost, there twice, too early or without reason."""

import json
from collections import Counter
from typing import Any

import pytest

from nkk.sop import endings, journey
from services.notification.storage import letter_id
from tests.builders import TICKET
from tests.chaos.accountant import Breach, Pages, Told, answers, closings, commands, effects, letters, questions
from tests.chaos.accountant.letters import Letter
from tests.chaos.acts import ACTS
from tests.chaos.record import Asked, Record

TRIAGE, NOTIFICATION, OPD, INTAKE = "triage", "notification", "opd_response", "intake"
AT_STEP_3 = {"step": 3, "forwarding": 1, "round": 0}
AT_STEP_4 = {"step": 4, "forwarding": 1, "round": 0}

Fact = tuple[str, str, dict[str, Any]]

SUBMITTED: Fact = (INTAKE, journey.SUBMITTED, {})
HANDED_OVER: Fact = (INTAKE, effects.HANDED_OVER, {})
FORWARDED: Fact = (TRIAGE, journey.FORWARDED, {"forwarding": 1, "round": 0})
ASKED: Fact = (TRIAGE, questions.ASKED, AT_STEP_3)
QUESTION = "event 2"
"""The id of the question of ASKED, which is the third event."""

LAPSED: Fact = (NOTIFICATION, questions.LAPSED, {"question": QUESTION})
ANSWERED: Fact = (NOTIFICATION, questions.ANSWERED, {"question": QUESTION})
CLOSED: Fact = (TRIAGE, journey.ABANDONED, AT_STEP_3 | {"question": QUESTION})
BEFORE = (SUBMITTED, HANDED_OVER, ASKED)
TRUE = (*BEFORE, LAPSED, CLOSED)

ENDED = {"ticket": TICKET, "ended": endings.ABANDONED, "question": None, "rests_until": None, "done_at": "2026-04-02"}
DESKS: dict[str, Any] = {
    "complaints": [ENDED | {"handed_over_by": "staff"}],
    "triage_cases": [ENDED | {"state": "awaiting_classification", "question": QUESTION}],
    "journeys": [ENDED | {"path": None, "closed_at": "2026-04-02", "kept": 0}],
}
KEPT = {
    "ticket": TICKET,
    "id": QUESTION,
    "number": 1,
    **AT_STEP_3,
    "state": "lapsed",
    "lapses_at": "2026-04-02",
    "ended_at": "2026-04-02",
}
LETTERS = ("received", "question_lapsed", "abandoned")


def written(*kinds: str) -> list[dict[str, Any]]:
    return [
        {"ticket": TICKET, "id": f"letter {number}", "kind": kind, "sent_at": "2026-04-02", "given_up_at": None}
        for number, kind in enumerate(kinds)
    ]


def pages(*facts: Fact, **tables: list[dict[str, Any]]) -> Pages:
    """Return the true pages of a complaint with these facts; `tables` replace those of one that was closed."""
    told = tuple(
        Told(stage, number, f"event {number}", type_, TICKET, json.dumps({"data": data}), "", "")
        for number, (stage, type_, data) in enumerate(facts)
    )
    entries = [{"ticket": TICKET, "event_id": event.event_id, "type": event.type} for event in told]
    of_journey = [entry for entry in entries if entry["type"] in journey.TURNS]
    empty = {name: [] for name in ("OPD cases", "answers", "submissions")}
    true = DESKS | {"questions": [KEPT], "messages": written(*LETTERS), "entries": of_journey} | tables
    return Pages(told, Counter(), empty | {name.replace("_", " "): rows for name, rows in true.items()})


def said(*facts: Fact, **tables: list[dict[str, Any]]) -> list[str]:
    """Return what the books of effects, questions and closings say."""
    found = pages(*facts, **tables)
    books = (effects.breaches(found), questions.breaches(found), closings.breaches(found))
    return [str(breach) for book in books for breach in book]


def only(found: list[str], *words: str) -> None:
    assert len(found) == 1, found
    assert [word for word in words if word not in found[0]] == [], found


def test_a_true_closing_balances() -> None:
    assert said(*TRUE) == []


def test_a_question_that_was_answered_and_lapsed() -> None:
    only(said(*BEFORE, ANSWERED, LAPSED, CLOSED), "questions: ", "0 answered, told 1 times")


def test_a_question_that_lapsed_twice() -> None:
    only(said(*BEFORE, LAPSED, LAPSED, CLOSED), "questions: ", "1 lapsed, told 2 times")


def test_a_question_that_lapsed_too_early() -> None:
    early = KEPT | {"ended_at": "2026-04-01"}
    only(said(*TRUE, questions=[early]), "questions: ", "question 1 lapsed at 2026-04-01, before 2026-04-02")


@pytest.mark.parametrize(
    ("kinds", "says"),
    [
        (("received", "abandoned"), "0 letters that a question lapsed, of which 1 did"),
        ((*LETTERS, "question_lapsed"), "2 letters that a question lapsed, of which 1 did"),
        (("received", "question_lapsed"), "0 letters of the kind abandoned, where 1 follow"),
        ((*LETTERS, "abandoned"), "2 letters of the kind abandoned, where 1 follow"),
    ],
    ids=["lapse lost", "lapse twice", "closing lost", "closing twice"],
)
def test_a_letter_that_is_lost_or_there_twice(kinds: tuple[str, ...], says: str) -> None:
    only(said(*TRUE, messages=written(*kinds)), says)


def test_a_letter_about_a_lapse_is_dropped_where_the_report_was_withdrawn_before_it_was_sent() -> None:
    found = pages(*BEFORE, LAPSED, (INTAKE, journey.WITHDRAWN, {}), messages=written("received"))
    assert list(questions._of_lapses(found, TICKET)) == []


def test_a_closing_without_a_lapse() -> None:
    still_open = {"questions": [KEPT | {"state": "open"}], "messages": written("received", "question", "abandoned")}
    only(said(*BEFORE, CLOSED, **still_open), "closings: ", f"for the question {QUESTION}, which did not lapse")


def test_a_closing_for_an_earlier_question_than_the_last_one() -> None:
    again: Fact = (TRIAGE, questions.ASKED, AT_STEP_3)
    rows = [KEPT, KEPT | {"id": "event 4", "number": 2, "state": "overtaken"}]
    only(said(*BEFORE, LAPSED, again, CLOSED, questions=rows), "closings: ", "where ['event 4'] was last")


def test_a_closing_for_a_question_of_another_desk() -> None:
    elsewhere: Fact = (OPD, questions.ASKED, AT_STEP_4)
    only(said(SUBMITTED, HANDED_OVER, elsewhere, LAPSED, CLOSED), "closings: ", "where [] was last")


@pytest.mark.parametrize("book", ["complaints", "triage_cases"])
def test_a_desk_that_still_waits(book: str) -> None:
    waits = [{**row, "done_at": None, "question": None} for row in DESKS[book]]
    only(said(*TRUE, **{book: waits}), "closings: ", f"{book.replace('_', ' ')} have a clock that runs")


@pytest.mark.parametrize("book", DESKS)
def test_a_stage_that_does_not_know_of_the_closing(book: str) -> None:
    only(said(*TRUE, **{book: [{**row, "ended": None} for row in DESKS[book]]}), f"{book.replace('_', ' ')}: ")


def test_an_agency_that_still_has_what_it_closed() -> None:
    asked: Fact = (OPD, questions.ASKED, AT_STEP_4)
    closed: Fact = (OPD, journey.ABANDONED, AT_STEP_4 | {"question": "event 3"})
    lapsed: Fact = (NOTIFICATION, questions.LAPSED, {"question": "event 3"})
    facts = (SUBMITTED, HANDED_OVER, FORWARDED, asked, lapsed, closed)
    of_opd = ENDED | {"state": "awaiting_response", "forwarding": 1, "question": "event 3"}
    desks = {
        "triage_cases": [ENDED | {"state": "awaiting_response"}],
        "OPD_cases": [of_opd],
        "journeys": [DESKS["journeys"][0] | {"path": "complaint"}],
        "questions": [KEPT | AT_STEP_4 | {"id": "event 3"}],
    }
    assert said(*facts, **desks) == []
    only(said(*facts, **desks | {"OPD_cases": [of_opd | {"ended": None}]}), "OPD cases: ", "ended as None")
    only(said(*facts, **desks | {"OPD_cases": [of_opd | {"done_at": None, "question": None}]}), "clock that runs")


LATER: list[Fact] = [ASKED, FORWARDED, (TRIAGE, journey.JOINED, {"first": "NKK-2026-0000-0000", "forwarding": 1})]


@pytest.mark.parametrize("later", LATER, ids=[type_ for _, type_, _ in LATER])
def test_an_act_that_went_on_after_the_desk_closed_the_report(later: Fact) -> None:
    found = [str(breach) for breach in closings.breaches(pages(*TRUE, later))]
    assert found == [f"closings: {TICKET}: {later[1]} was told by triage after it closed it"]


def test_what_was_taken_back_goes_on_although_the_agency_closed_it() -> None:
    closed: Fact = (OPD, journey.ABANDONED, AT_STEP_4 | {"question": "event 3"})
    recalled: Fact = (TRIAGE, journey.RECALLED, {"forwarding": 1, "round": 0})
    asked, lapsed = (OPD, questions.ASKED, AT_STEP_4), (NOTIFICATION, questions.LAPSED, {"question": "event 3"})
    again: Fact = (TRIAGE, journey.FORWARDED, {"forwarding": 2, "round": 0})
    facts = (SUBMITTED, HANDED_OVER, FORWARDED, asked, lapsed, closed, recalled, again)
    assert [*closings.breaches(pages(*facts))] == []


def asked(status: int | None, problem: str | None = None) -> Asked:
    return Asked(0, 0.1, "abandon", "main_team", status, TICKET, problem=problem)


def of_commands(*requests: Asked, facts: tuple[Fact, ...] = TRUE) -> list[str]:
    found: list[Breach] = [*commands.breaches(pages(*facts), [*requests])]
    return [each.says for each in found if "'abandon'" in each.says]


def test_a_closing_is_told_as_often_as_it_was_accepted() -> None:
    assert of_commands(asked(200)) == of_commands(asked(503)) == of_commands(asked(None), asked(409, "abandoned")) == []
    assert of_commands(asked(200), facts=BEFORE) == ["'abandon' was accepted 1 times and told 0 times"]
    assert of_commands(asked(409, "abandoned")) == [
        "'abandon' was told 1 times, accepted 0 times and perhaps 0 times more"
    ]


def test_a_closing_without_a_lapse_is_refused_by_name() -> None:
    refused = asked(409, "nothing-lapsed")
    assert [*answers.breaches(Record(0, asked=[refused], crowded={TICKET}))] == []
    assert [*answers.breaches(Record(0, asked=[asked(409, "already-closed")], crowded={TICKET}))] != []


def sent(*kinds: str, facts: tuple[Fact, ...] = TRUE) -> list[str]:
    rows = written(*kinds)
    came = [Letter(0, row["id"], "warga@example.id", f"{TICKET} {row['kind']}") for row in rows]
    return [str(breach) for breach in letters.breaches(pages(*facts, messages=rows), came, lambda *_: False)]


def test_each_lapse_has_its_letter_and_a_closing_has_one() -> None:
    assert sent(*LETTERS, "question_lapsed") == []
    only(sent(*LETTERS, "abandoned"), "written to warga@example.id 2 times")
    # It went on after the first, and was closed again.
    assert sent(*LETTERS, "abandoned", facts=(*TRUE, CLOSED)) == []


def came_and_dropped(question: str, kept_from_marking: bool) -> list[str]:
    """Return what is said of a letter that came, and whose row is not there."""
    came = [Letter(0, letter_id(question, "question"), "warga@example.id", "Pertanyaan")]
    found = pages(*TRUE, messages=[])
    return [str(breach) for breach in letters.breaches(found, came, lambda *_: kept_from_marking)]


def test_a_letter_about_a_question_is_dropped_where_it_could_not_be_marked_as_sent() -> None:
    assert came_and_dropped(QUESTION, kept_from_marking=True) == []
    only(came_and_dropped(QUESTION, kept_from_marking=False), "came, and nobody wrote it")
    only(came_and_dropped("another", kept_from_marking=True), "came, and nobody wrote it")


def test_every_act_is_in_the_traffic() -> None:
    assert [str(act) for act, wanted in ACTS.items() if wanted.wanted == 0] == []
