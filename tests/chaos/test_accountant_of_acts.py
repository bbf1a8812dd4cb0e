"""The accountant reports exactly the one act that is lost, there twice, or not at the desk where its events put it."""

import json
from collections import Counter
from typing import Any

import pytest

from nkk.contracts import STAGES
from nkk.sop import journey
from nkk.sop.acts import RULES
from tests.builders import TICKET
from tests.chaos.accountant import Breach, Pages, Told, answers, commands, effects, notes, recusals, tools
from tests.chaos.acts import ACTS, ASIDE, RECUSED
from tests.chaos.promises import PROMISES
from tests.chaos.record import Asked, Record

OPD = {"opd": "disdukcapil"}

Fact = tuple[str, dict[str, Any]]

SUBMITTED: Fact = (journey.SUBMITTED, {})
HANDED_OVER: Fact = (effects.HANDED_OVER, {})
INFORMED: Fact = (effects.INFORMATION, {"forwarding": 1})
ANSWERED: Fact = (journey.ANSWERED, {"forwarding": 1})
CLOSED: Fact = (journey.CLOSED, {"forwarding": 1, "cycle": 1, "how": "confirmed"})
RATED: Fact = (effects.RATED, {"forwarding": 1, "rating": 4})
WITHDRAWN: Fact = (journey.WITHDRAWN, {"cycle": 1})
ABANDONED: Fact = (journey.ABANDONED, {"forwarding": 1, "round": 0, "step": 3})


def forwarded(number: int) -> Fact:
    return journey.FORWARDED, OPD | {"forwarding": number, "round": number - 1}


def recalled(number: int) -> Fact:
    return journey.RECALLED, OPD | {"forwarding": number, "round": number}


def responded(number: int) -> Fact:
    return "response.submitted.v1", OPD | {"forwarding": number, "round": number}


def row(**columns: Any) -> dict[str, Any]:
    return {"ticket": TICKET, "ended": None, **columns}


def pages(*facts: Fact, **tables: list[dict[str, Any]]) -> Pages:
    """Return true pages of a complaint with these facts; `tables` replace those of what they make of it."""
    told = tuple(
        Told("intake", number, f"event {number}", type_, TICKET, json.dumps({"data": data}), "", "")
        for number, (type_, data) in enumerate(facts)
    )
    entries = [row(event_id=event.event_id, type=event.type) for event in told if event.type != effects.RATED]
    kinds = [effects.LETTERS[type_][0] for type_, _ in facts if type_ in effects.LETTERS]
    empty: dict[str, Any] = {name: [] for name in ("triage cases", "OPD cases", "answers")}
    true = {"entries": entries, "messages": [row(id=str(n), kind=kind) for n, kind in enumerate(kinds)]}
    return Pages(told, Counter(), empty | true | {name.replace("_", " "): rows for name, rows in tables.items()})


def said(*facts: Fact, **tables: list[dict[str, Any]]) -> list[str]:
    return [str(breach) for breach in effects.breaches(pages(*facts, **tables))]


def intake(**columns: Any) -> list[dict[str, Any]]:
    return [row(done_at="2026-03-02", handed_over_by="staff", **columns)]


def way(**columns: Any) -> list[dict[str, Any]]:
    return [row(**{"path": None, "closed_at": None, "kept": 0} | columns)]


def answer(**columns: Any) -> list[dict[str, Any]]:
    return [row(**{"rating": None, "earlier": "[]"} | columns)]


TAKEN_BACK = (SUBMITTED, HANDED_OVER, forwarded(1), recalled(1))
AT_DESK: dict[str, Any] = {
    "complaints": intake(),
    "triage_cases": [row(state="awaiting_classification")],
    "OPD_cases": [row(state="recalled", forwarding=1)],
    "journeys": way(path="complaint"),
}
RATED_ONCE = (SUBMITTED, HANDED_OVER, INFORMED, ANSWERED, CLOSED, RATED)
CLOSED_DESKS: dict[str, Any] = {
    "complaints": intake(),
    "triage_cases": [row(state="classified_as_information")],
    "answers": answer(state="closed", rating=4),
    "journeys": way(path="information", closed_at="2026-03-02"),
}
ENDED_BY_REPORTER = (SUBMITTED, HANDED_OVER, WITHDRAWN)
ENDED_DESKS: dict[str, Any] = {
    "complaints": [row(done_at="2026-03-02", handed_over_by="staff") | {"ended": "withdrawn"}],
    "triage_cases": [row(state="awaiting_classification") | {"ended": "withdrawn"}],
    "journeys": [row(path=None, closed_at="2026-03-02", kept=0) | {"ended": "withdrawn"}],
}
ENDED_BY_DESK = (SUBMITTED, HANDED_OVER, ABANDONED)
ABANDONED_DESKS = {book: [{**each, "ended": "abandoned"} for each in rows] for book, rows in ENDED_DESKS.items()}
TRUE = [
    (TAKEN_BACK, AT_DESK),
    (RATED_ONCE, CLOSED_DESKS),
    (ENDED_BY_REPORTER, ENDED_DESKS),
    (ENDED_BY_DESK, ABANDONED_DESKS),
]


@pytest.mark.parametrize(("facts", "desks"), TRUE, ids=["taken back", "rated", "withdrawn", "closed as not completed"])
def test_true_acts_balance(facts: tuple[Fact, ...], desks: dict[str, Any]) -> None:
    assert said(*facts, **desks) == []


def test_a_response_to_what_was_taken_back_changes_nothing() -> None:
    assert said(*TAKEN_BACK, responded(1), **AT_DESK) == []


def test_a_response_to_what_was_taken_back_that_was_taken_all_the_same() -> None:
    wrong = AT_DESK | {"triage_cases": [row(state="awaiting_approval")]}
    (breach,) = said(*TAKEN_BACK, responded(1), **wrong)
    assert breach.startswith(f"triage cases: {TICKET}: stands as awaiting_approval")


@pytest.mark.parametrize("book", ["complaints", "triage_cases", "journeys"])
def test_a_withdrawal_that_a_stage_has_lost(book: str) -> None:
    (lost,) = [{**each, "ended": None} for each in ENDED_DESKS[book]]
    assert len(found := said(*ENDED_BY_REPORTER, **ENDED_DESKS | {book: [lost]})) == 1, found
    assert f"{book.replace('_', ' ')}: {TICKET}: " in found[0]


@pytest.mark.parametrize("book", ["complaints", "triage_cases", "journeys"])
def test_a_closing_that_a_stage_has_lost(book: str) -> None:
    (lost,) = [{**each, "ended": None} for each in ABANDONED_DESKS[book]]
    assert len(found := said(*ENDED_BY_DESK, **ABANDONED_DESKS | {book: [lost]})) == 1, found
    assert f"{book.replace('_', ' ')}: {TICKET}: " in found[0]


def test_what_is_forwarded_after_a_recall_has_the_responses_that_were_given_before() -> None:
    returned: Fact = (effects.RETURNED, OPD | {"forwarding": 1, "round": 1})
    taken: Fact = (journey.RECALLED, OPD | {"forwarding": 1, "round": 2})
    desks = AT_DESK | {
        "triage_cases": [row(state="awaiting_response")],
        "OPD_cases": [row(state="recalled", forwarding=1), row(state="awaiting_response", forwarding=2)],
    }
    assert said(SUBMITTED, HANDED_OVER, forwarded(1), responded(1), returned, taken, forwarded(2), **desks) == []


def test_a_withdrawal_that_came_after_the_answer_ends_nothing() -> None:
    late = [row(done_at="2026-03-02", handed_over_by="staff") | {"ended": "withdrawn"}]
    desks = CLOSED_DESKS | {"complaints": late}
    assert said(*RATED_ONCE, WITHDRAWN, **desks) == []
    assert said(*RATED_ONCE, WITHDRAWN, **CLOSED_DESKS) == []
    (breach,) = said(*RATED_ONCE, WITHDRAWN, **desks | {"journeys": [{**way()[0], "closed_at": "x", "path": None}]})
    assert breach == f"journeys: {TICKET}: on the path None, by what is told on information"


def test_a_row_of_a_forwarding_that_is_missing() -> None:
    (breach,) = said(*TAKEN_BACK, forwarded(2), **AT_DESK | {"triage_cases": [row(state="awaiting_response")]})
    assert breach == f"OPD cases: {TICKET}: rows of the forwardings [1], where [1, 2] follow from what is told"


@pytest.mark.parametrize(("kept", "told"), [(None, "4"), (5, "4")], ids=["lost", "another"])
def test_a_rating_that_is_not_kept_as_it_was_told(kept: int | None, told: str) -> None:
    (breach,) = said(*RATED_ONCE, **CLOSED_DESKS | {"answers": answer(state="closed", rating=kept)})
    assert breach == f"ratings: {TICKET}: kept as {[kept] if kept else []}, told as [{told}]"


def test_a_rating_stands_twice_until_there_is_another_answer() -> None:
    reopened: Fact = (journey.REOPENED, {"forwarding": 1, "cycle": 2})
    desks = CLOSED_DESKS | {
        "triage_cases": [row(state="awaiting_classification")],
        "answers": answer(state="objected", rating=4, earlier=json.dumps([{"rating": 4}])),
        "journeys": way(),
    }
    assert said(*RATED_ONCE, reopened, **desks) == []


def test_what_is_told_after_a_withdrawal_makes_no_journey() -> None:
    reopened: Fact = (journey.REOPENED, {"forwarding": 1, "cycle": 2})
    found = said(*ENDED_BY_REPORTER, reopened, **ENDED_DESKS)
    assert any(each.startswith(f"path: {TICKET}: what is told of it makes no journey") for each in found)


def asked(operation: str, status: int | None, problem: str | None = None) -> Asked:
    return Asked(0, 0.1, operation, "somebody", status, TICKET, problem=problem)


def balanced(*requests: Asked, facts: tuple[Fact, ...] = TAKEN_BACK) -> list[Breach]:
    """Return what the commands say besides those that are not about a recall."""
    return [
        each
        for each in commands.breaches(pages(*facts, complaints=[], submissions=[]), [*requests])
        if "'recall'" in each.says
    ]


def test_an_act_that_was_accepted_and_is_lost() -> None:
    (breach,) = balanced(asked("recall", 200), facts=TAKEN_BACK[:3])
    assert breach.says == "'recall' was accepted 1 times and told 0 times"


def test_an_act_that_was_told_once_more_than_it_was_accepted() -> None:
    again = (*TAKEN_BACK, forwarded(2), recalled(2))
    (breach,) = balanced(asked("recall", 200), asked("recall", 409, "not-with-opd"), facts=again)
    assert breach.says == "'recall' was told 2 times, accepted 1 times and perhaps 0 times more"
    assert balanced(asked("recall", None), asked("recall", 200), facts=again) == []


def test_an_act_may_be_overtaken_on_a_crowded_complaint_only() -> None:
    overtaken = asked("respond", 409, "no-longer-here")
    assert [*answers.breaches(Record(0, asked=[overtaken], crowded={TICKET}))] == []
    assert [*answers.breaches(Record(0, asked=[overtaken]))] != []


@pytest.mark.parametrize(
    ("statuses", "there", "balances"),
    [([201], 1, True), ([201], 0, False), ([201], 2, False), ([503], 0, True), ([503], 1, True), ([404], 1, False)],
    ids=str,
)
def test_a_note_is_there_as_often_as_it_was_accepted(statuses: list[int], there: int, balances: bool) -> None:
    record = Record(0, notes={"Catatan.": [(TICKET, status) for status in statuses]})
    kept = {f"{stage} notes": [] for stage in ("intake", "opd_response")}
    found = Pages((), Counter(), kept | {"triage notes": [row(text="Catatan.")] * there})
    assert ([*notes.breaches(found, record)] == []) is balances


def test_what_is_forwarded_to_a_further_opd_was_not_classified() -> None:
    gathered: Fact = (journey.GATHERED, OPD | {"forwarding": 1, "round": 1})
    further = pages(SUBMITTED, HANDED_OVER, forwarded(1), gathered, forwarded(2), complaints=[], submissions=[])

    def of_classifying(*requests: Asked) -> list[str]:
        return [each.says for each in commands.breaches(further, [*requests]) if "classify" in each.says]

    assert of_classifying(asked("classify", 200), asked("gather", 200)) == []
    assert of_classifying(asked("gather", 200)) == [
        "'classify' was told 1 times, accepted 0 times and perhaps 0 times more"
    ]


WHOM = {"account": "staff-1"}
KNOWN = {f"{stage} recusals": [row(whom="staff-1")] for stage in STAGES}
REASON = {"triage notes": [row(text=ASIDE["reason"])]}
NOBODY: dict[str, list[dict[str, Any]]] = {name: [] for name in KNOWN | REASON}


def aside(*facts: Fact, tables: dict[str, list[dict[str, Any]]] = NOBODY) -> list[str]:
    told = pages(SUBMITTED, *facts).told
    return [str(breach) for breach in recusals.breaches(Pages(told, Counter(), NOBODY | tables))]


def test_who_stepped_aside_is_known_to_every_stage_and_the_reason_to_one() -> None:
    assert aside() == []
    assert aside((RECUSED, WHOM), tables=KNOWN | REASON) == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_does_not_know_who_stepped_aside(stage: str) -> None:
    (breach,) = aside((RECUSED, WHOM), tables=KNOWN | REASON | {f"{stage} recusals": []})
    assert breach == f"{stage} recusals: {TICKET}: 0 accounts stepped aside, told 1 times"


def test_somebody_from_whom_a_case_is_hidden_and_nobody_told() -> None:
    (breach,) = aside(tables={"intake recusals": KNOWN["intake recusals"]})
    assert breach == f"intake recusals: {TICKET}: 1 accounts stepped aside, told 0 times"


def test_a_reason_that_is_there_twice() -> None:
    (breach,) = aside((RECUSED, WHOM), tables=KNOWN | {"triage notes": REASON["triage notes"] * 2})
    assert breach == f"triage notes: {TICKET}: 2 reasons to step aside, told 1 times"


def test_no_tool_is_to_receive_who_stepped_aside() -> None:
    told = pages(SUBMITTED, (RECUSED, WHOM))
    submission, recusal = (event.event_id for event in told.told)

    def heard(*ids: str) -> list[str]:
        return [each.says for each in tools.breaches(told, [tools.Received("listens", "intake", None, [*ids], [])])]

    assert heard(submission) == []
    assert heard(submission, recusal) == ["this event is not for the tool"]


def test_stepping_aside_twice_is_told_once() -> None:
    once = pages(SUBMITTED, (RECUSED, WHOM), complaints=[], submissions=[])
    said_of = [each.says for each in commands.breaches(once, [asked("recuse", 200), asked("recuse", 200)])]
    assert not [each for each in said_of if "recuse" in each]


def test_every_act_of_the_table_is_sent_and_promised() -> None:
    assert {rule.act for rule in RULES} == ACTS.keys()
    assert {sent.operation for sent in ACTS.values()} <= PROMISES.keys()
