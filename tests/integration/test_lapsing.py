"""A question that is made to lapse now, on either database, and no other one."""

from datetime import UTC, datetime
from typing import Any

import pytest

from nkk.sop.clock import day_of
from ops.demo.lapsing import let_lapse
from services.notification.asking import QuestionHasLapsed
from tests.integration.test_questions import ANSWER, asked, questions
from tests.stages import MAIN_TEAM, REPORTER, House


@pytest.fixture
def today(stages: House) -> House:
    stages.now = datetime.now(UTC)
    return stages


def lapsing(stages: House, ticket: str, at: datetime | None = None) -> int:
    url = stages.databases["notification"].engine.url.render_as_string(hide_password=False)
    return let_lapse(url, ticket, at)


def looks(stages: House) -> None:
    stages.services["notification"].end_questions()
    stages.collect()
    stages.settle()


def states(stages: House, *tickets: str) -> list[Any]:
    return [shown["state"] for ticket in tickets for shown in questions(stages, ticket)]


def test_an_open_question_lapses_when_notification_looks_next_and_another_ones_does_not(today: House) -> None:
    ticket, other = asked(today), asked(today)
    assert lapsing(today, ticket) == 1
    with pytest.raises(QuestionHasLapsed):
        today.do("notification", "answer_question", REPORTER, ticket, 1, ANSWER)
    looks(today)
    assert states(today, ticket, other) == ["lapsed", "open"]
    assert [event.type for _, event in today.told].count("question.lapsed.v1") == 1
    assert "abandon" in today.do("triage", "case", MAIN_TEAM, ticket)["acts"]


def test_its_time_ended_with_yesterday_as_if_days_had_passed_or_when_it_is_said(today: House) -> None:
    ticket = asked(today)

    def ends() -> datetime:
        with today.services["notification"].uow.reading() as work:
            (question,) = work.questions.of([ticket])[ticket]
        return question.lapses_at

    lapsing(today, ticket)
    assert ends() == day_of(datetime.now(UTC))
    lapsing(today, ticket, today.now)
    assert ends() == today.now


@pytest.mark.parametrize("end", ["answered", "lapsed", "never asked"])
def test_a_question_that_is_not_open_is_left_as_it_is(today: House, end: str) -> None:
    ticket = "NKK-2026-7H4K-Q2MV" if end == "never asked" else asked(today)
    if end == "answered":
        today.do("notification", "answer_question", REPORTER, ticket, 1, ANSWER)
    elif end == "lapsed":
        lapsing(today, ticket)
        looks(today)
    before = list(today.told)
    assert lapsing(today, ticket) == 0
    looks(today)
    assert today.told == before
