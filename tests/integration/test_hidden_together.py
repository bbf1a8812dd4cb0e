"""Reports about one matter that are joined: whoever may not see one of them sees none of them, at any desk."""

from collections.abc import Callable

import pytest

from nkk.contracts.events import CaseRecused
from nkk.sop.refusals import UnknownTicket
from nkk.trust.actor import Actor
from tests.builders import REPORT
from tests.integration.test_acts import acted
from tests.integration.test_conflicts import NIP, OTHER_NIP, about, accused
from tests.stages import MAIN_TEAM, OPD, OPD_TEAM, OPERATOR, REPORTER, VAULT, House
from tests.unseen import COLLEAGUES

WHY = "Terlapor kerabat saya."
SAME = "Melaporkan loket yang sama."


def reported(stages: House, report: dict) -> str:
    """Return a report that awaits its classification."""
    ticket: str = acted(stages, "intake", "submit", REPORTER, report)["ticket"]
    acted(stages, "intake", "hand_over", OPERATOR, ticket)
    return ticket


def forwarded(stages: House, report: dict) -> str:
    ticket = reported(stages, report)
    acted(stages, "triage", "forward", MAIN_TEAM, ticket, OPD)
    return ticket


def join(stages: House, second: str, first: str) -> None:
    acted(stages, "triage", "join", MAIN_TEAM, second, first, SAME)


def hidden(stages: House, actor: Callable[[Actor], Actor], first: str, second: str) -> list[bool]:
    """Return whether each is hidden at the operator's desk, at Tim Utama's and in its journey; the first at the OPD."""
    return [
        _is_hidden(stages, stage, method, actor(of), ticket)
        for ticket in (first, second)
        for stage, method, of in (
            ("intake", "complaint", OPERATOR),
            ("triage", "case", MAIN_TEAM),
            ("notification", "timeline", MAIN_TEAM),
        )
    ] + [_is_hidden(stages, "opd_response", "case", actor(OPD_TEAM), first)]


def _is_hidden(stages: House, stage: str, method: str, actor: Actor, ticket: str) -> bool:
    try:
        stages.do(stage, method, actor, ticket)
    except UnknownTicket:
        return True
    return False


ALL, NONE = [True] * 7, [False] * 7


@pytest.mark.parametrize("of_first", [True, False])
def test_the_accused_in_one_sees_neither(stages: House, of_first: bool) -> None:
    first = forwarded(stages, about() if of_first else REPORT)
    second = reported(stages, REPORT if of_first else about())
    join(stages, second, first)
    assert hidden(stages, accused, first, second) == ALL
    assert hidden(stages, lambda actor: accused(actor, OTHER_NIP), first, second) == NONE


def test_each_of_two_persons_sees_neither(stages: House) -> None:
    first, second = forwarded(stages, about()), reported(stages, about(OTHER_NIP))
    third = reported(stages, REPORT)
    join(stages, second, first)
    join(stages, third, first)
    for nip in (NIP, OTHER_NIP):
        assert hidden(stages, lambda actor, nip=nip: accused(actor, nip), first, second) == ALL
        assert hidden(stages, lambda actor, nip=nip: accused(actor, nip), first, third) == ALL


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("aside", [0, 1], ids=["first", "second"])
def test_whoever_stepped_aside_from_one_sees_neither(stages: House, before: bool, aside: int) -> None:
    first, second = forwarded(stages, REPORT), reported(stages, REPORT)
    colleague = COLLEAGUES["triage"]
    for is_now in (True, False):
        if is_now == before:
            acted(stages, "triage", "recuse", colleague, (first, second)[aside], WHY)
        else:
            join(stages, second, first)
    for ticket in (first, second):
        for stage, method in (("triage", "case"), ("notification", "timeline")):
            assert _is_hidden(stages, stage, method, colleague, ticket)
            assert not _is_hidden(stages, stage, method, MAIN_TEAM, ticket)
    assert all(note["text"] != WHY for note in stages.do("triage", "notes", MAIN_TEAM, (second, first)[aside]))


def test_an_operator_who_steps_aside_at_intake_sees_neither(stages: House) -> None:
    first, second = forwarded(stages, REPORT), reported(stages, REPORT)
    join(stages, second, first)
    acted(stages, "intake", "recuse", COLLEAGUES["intake"], first, WHY)
    assert _is_hidden(stages, "intake", "complaint", COLLEAGUES["intake"], second)


def test_reports_that_were_parted_stay_hidden_and_later_ones_do_not_follow(stages: House) -> None:
    first, second = forwarded(stages, about()), reported(stages, REPORT)
    join(stages, second, first)
    acted(stages, "triage", "part", MAIN_TEAM, second, "Hal lain.")
    assert _is_hidden(stages, "triage", "case", accused(MAIN_TEAM), second)
    acted(stages, "triage", "recuse", COLLEAGUES["triage"], second, WHY)
    assert not _is_hidden(stages, "triage", "case", COLLEAGUES["triage"], first)


def test_it_is_told_once_for_each_report_and_account(stages: House) -> None:
    first, second = forwarded(stages, about()), reported(stages, about())
    already = len(stages.told)
    join(stages, second, first)
    acted(stages, "triage", "recuse", COLLEAGUES["triage"], first, WHY)
    told = [event.data for _, event in stages.told[already:] if isinstance(event.data, CaseRecused)]
    assert sorted({(each.ticket, each.account) for each in told}) == sorted(
        (ticket, COLLEAGUES["triage"].id) for ticket in (first, second)
    )
    assert VAULT.barred(NIP) not in repr(told)
