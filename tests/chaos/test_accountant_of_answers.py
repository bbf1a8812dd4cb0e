"""The accountant reports exactly the one request that was added to or removed from true books."""

from dataclasses import replace

import pytest

from tests.chaos.accountant.history import history
from tests.chaos.accountant.journeys import Unfinished
from tests.chaos.promises import PROMISES
from tests.chaos.record import Struck
from tests.chaos.true_books import COMPLAINT, WAITING, Copy, asked, only


def test_a_complaint_that_nobody_submitted(copy: Copy) -> None:
    record = copy.evidence.record
    others = [each for each in record.asked if (each.operation, each.ticket) != ("submit", copy.tickets[WAITING])]
    only(copy.said(record=replace(record, asked=others)), "submissions:", copy.tickets[WAITING], "nobody submitted it")


def test_a_submission_whose_answer_was_lost_may_have_been_entered(copy: Copy) -> None:
    record, ticket = copy.evidence.record, copy.tickets[WAITING]
    lost = [
        replace(each, ticket=None, status=503, problem="unavailable")
        if (each.operation, each.ticket) == ("submit", ticket)
        else each
        for each in record.asked
    ]
    assert copy.said(record=replace(record, asked=lost)) == []


def test_one_key_with_two_tickets(copy: Copy) -> None:
    (key,) = {
        each.key
        for each in copy.evidence.record.asked
        if (each.operation, each.ticket) == ("submit", copy.tickets[WAITING])
    }
    said = copy.said_of(asked("submit", 201, copy.tickets[COMPLAINT], key=key))
    assert any("several tickets for one Idempotency-Key" in words for words in said)
    assert any("one ticket for several Idempotency-Keys" in words for words in said)


def test_a_command_accepted_and_not_carried_out(copy: Copy) -> None:
    only(
        copy.said_of(asked("classify", 200, copy.tickets[WAITING])),
        "commands:",
        copy.tickets[WAITING],
        "'classify' was accepted 1 times and told 0 times",
    )


def test_a_command_refused_as_done_that_nobody_did(copy: Copy) -> None:
    only(
        copy.said_of(asked("answer", 409, copy.tickets[WAITING], problem="already-answered")),
        "commands:",
        copy.tickets[WAITING],
        "'answer' was refused as done before, and never told",
    )


def test_a_command_of_which_nothing_is_known_may_be_carried_out_or_not(copy: Copy) -> None:
    assert copy.said_of(asked("classify", 503, copy.tickets[WAITING], problem="unavailable")) == []


def test_a_fact_without_a_command(copy: Copy) -> None:
    record = copy.evidence.record
    others = [each for each in record.asked if each.operation != "return"]
    only(
        copy.said(record=replace(record, asked=others)),
        "commands:",
        copy.tickets[COMPLAINT],
        "'return' was told 1 times, accepted 0 times",
    )


def test_an_answer_shown_as_received_that_was_not(copy: Copy) -> None:
    only(
        copy.said_of(asked("read", 200, copy.tickets[WAITING], closed=True)),
        "commands:",
        copy.tickets[WAITING],
        "shown it as closed",
    )


@pytest.mark.parametrize(
    ("status", "problem", "words"),
    [
        (500, "failed", "not promised"),
        (404, "unknown-ticket", "not promised"),
        (409, "already-classified", "not promised with a 409"),
        (503, None, "not promised with a 503"),
        (401, "not-authenticated", "not promised"),
    ],
)
def test_an_answer_nobody_promised(copy: Copy, status: int, problem: str | None, words: str) -> None:
    only(
        copy.said_of(asked("hand over", status, copy.tickets[WAITING], problem=problem)),
        "answers:",
        copy.tickets[WAITING],
        words,
    )


def test_an_answer_that_came_late(copy: Copy) -> None:
    late = PROMISES["timeline"].seconds + 1
    only(copy.said_of(asked("timeline", 200, copy.tickets[WAITING], took=late)), "answers:", f"took {late:.1f} s")


def test_an_answer_may_be_later_by_what_the_machine_was_busy_with_other_things(copy: Copy) -> None:
    late = PROMISES["timeline"].seconds + 1
    assert copy.said_of(asked("timeline", 200, copy.tickets[WAITING], took=late, starved=2.0)) == []


def test_no_machine_is_so_busy_that_an_answer_may_hang(copy: Copy) -> None:
    late = 2 * PROMISES["timeline"].seconds + 1
    only(
        copy.said_of(asked("timeline", 200, copy.tickets[WAITING], took=late, starved=late)),
        "answers:",
        f"took {late:.1f} s",
    )


def test_an_answer_waits_for_a_gateway_that_is_stopped(copy: Copy) -> None:
    slow = asked("timeline", 200, copy.tickets[WAITING], took=PROMISES["timeline"].seconds + 1)
    frozen = Struck("worker frozen", "0", slow.at + 1, slow.at + 4)
    assert copy.said_of(slow, struck=(frozen,)) == []


def test_an_answer_in_another_form(copy: Copy) -> None:
    only(
        copy.said_of(
            asked(
                "timeline",
                503,
                copy.tickets[WAITING],
                problem="unavailable",
                flaw="a 503 that does not say when to come again",
            )
        ),
        "answers:",
        "when to come again",
    )


def test_no_answer_at_all_is_for_a_gateway_that_died_alone(copy: Copy) -> None:
    broken = asked("hand over", None, copy.tickets[WAITING], problem="ReadError")
    only(copy.said_of(broken), "answers:", copy.tickets[WAITING], "no answer, and no fault of the gateway")
    died = Struck("worker killed", "0", broken.at, broken.at + 1)
    assert copy.said_of(broken, struck=(died,)) == []


def test_a_log_in_may_run_out_while_a_clock_is_wrong(copy: Copy) -> None:
    refused = asked("hand over", 401, copy.tickets[WAITING], problem="not-authenticated")
    jumped = Struck("clock jumps", "intake +3h", refused.at - 2, refused.at - 1)
    assert copy.said_of(refused, struck=(jumped,)) == []


def test_the_history_of_a_complaint_tells_requests_faults_events_and_rows(copy: Copy) -> None:
    ticket, record = copy.tickets[COMPLAINT], copy.evidence.record
    struck = Struck("instance killed", "triage-1", record.asked[0].at, record.asked[-1].at)
    told = history(ticket, copy.evidence.pages, replace(record, struck=[struck]))
    for words in (
        "somebody: submit -> 201",
        "somebody: return -> 200",
        "** instance killed triage-1",
        "told by triage",
        "response.returned.v1",
        "heard by notification, opd_response",
        "answers: state=closed",
        "messages:",
        "journeys: path=complaint",
    ):
        assert words in told, words


def test_a_journey_that_stands_still(copy: Copy) -> None:
    end = max(each.at for each in copy.evidence.record.asked)
    only(
        copy.said(unfinished=[Unfinished(copy.tickets[WAITING], end, end + 300)]),
        "journeys:",
        copy.tickets[WAITING],
        "stands still",
    )
