"""Cases in every state, as the version before stored them, go on after an upgrade to where the procedure leads."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nkk.contracts import STAGES
from nkk.sop.acts import Act
from nkk.store.migrations import downgrade, upgrade
from ops.stack.postgres import PrivatePostgres
from tests.builders import complaint_form
from tests.chaos.accountant import Books, effects
from tests.every_act import Acting
from tests.installations import new_databases
from tests.integration.test_abandoning import closed
from tests.stages import House, house

SERVICES = Path(__file__).parents[2] / "services"

BEFORE = {"intake": "0020", "triage": "0012", "opd_response": "0011", "notification": "0020"}
"""The revisions of the first version with acts beside the path."""

KNOWN = {
    *(Act.HAND_OVER, Act.CLASSIFY, Act.RESPOND, Act.APPROVE, Act.ANSWER, Act.CONFIRM, Act.SUPPLEMENT, Act.WITHDRAW),
    *(Act.KEEP, Act.DECLINE, Act.RECALL, Act.RECLASSIFY, Act.OBJECT, Act.RATE, Act.NOTE),
}
"""The acts of that version."""

STATES = {
    "intake": ("awaiting_hand_over", "handed_over", "withdrawn"),
    "triage": (
        *("awaiting_classification", "classified_as_information", "awaiting_response", "awaiting_approval"),
        *("approved", "withdrawn"),
    ),
    "opd_response": ("awaiting_response", "responded", "declined", "recalled", "withdrawn"),
    "notification": ("awaiting_answer", "answered", "closed", "returned", "objected", "withdrawn"),
}
"""The states of that version, by stage."""

TO_THE_END = {Act.HAND_OVER, Act.CLASSIFY, Act.RESPOND, Act.APPROVE, Act.ANSWER, Act.CONFIRM}
MOST_ACTS, MOST_CASES = 14, 200


class Cases(Acting):
    """Cases of one House, one left in each state, with some of the events about them on their way."""

    def __init__(self, built: House) -> None:
        self.house, self.chance = built, random.Random(11)
        self.tickets: list[str] = []
        missing = {(stage, state) for stage, states in STATES.items() for state in states}
        for _ in range(MOST_CASES):
            if missing:
                missing -= self.left_in_one_of(missing)
        assert not missing

    def left_in_one_of(self, wanted: set[tuple[str, str]]) -> set[tuple[str, str]]:
        """Have random acts bring a case to a wanted state of a stage, and leave it there; return where it stands."""
        ticket = self.told_to("intake", "submit", "owner", complaint_form())["ticket"]
        self.tickets.append(ticket)
        for _ in range(MOST_ACTS):
            if self.stands(ticket) & wanted:
                break
            self.acts_once(ticket, KNOWN - {Act.NOTE})
            self.house.settle()
        found = self.stands(ticket)
        self.acts_once(ticket, {Act.SUPPLEMENT, Act.NOTE})
        return found

    def stands(self, ticket: str) -> set[tuple[str, str]]:
        return {(stage, row.stands()["state"]) for stage in STAGES for row in self.house.held(stage, [ticket])}  # type: ignore[attr-defined]

    def acts_once(self, ticket: str, acts: set[Act]) -> bool:
        """Carry out one of these acts, where somebody is offered any; return whether somebody was."""
        offered = [each for each in self.possible(ticket) if each[0][0].act in acts]
        if offered:
            self.carry_out(ticket, *self.chance.choice(offered))
        return bool(offered)

    def go_on(self) -> None:
        """Bring every case to its end."""
        for ticket in self.tickets:
            for _ in range(MOST_ACTS):
                self.house.settle()
                if not self.acts_once(ticket, TO_THE_END):
                    break


@pytest.fixture(params=["sqlite", "postgres"])
def built(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[House, Callable[[str], str]]]:
    if request.param == "postgres":
        server: PrivatePostgres = request.getfixturevalue("postgres")
        urls = new_databases(server)
    else:
        urls = {stage: f"sqlite:///{tmp_path}/{stage}.db" for stage in STAGES}
    for stage in STAGES:
        upgrade(SERVICES / stage / "migrations", urls[stage])
    with house(urls.__getitem__) as found:
        yield found, urls.__getitem__


def stored(house: House, tickets: list[str]) -> dict[str, list[str]]:
    """Return what each stage holds of cases, without what goes with a downgrade.

    These are the days on which files were added, the OPD's mark of a report that its reporter withdrew and the number
    with which a complaint goes on there, and at intake the number of the last classification that was taken back.
    """
    return {
        stage: sorted(repr(as_after_a_downgrade(stage, row)) for row in house.held(stage, tickets)) for stage in STAGES
    }


def as_after_a_downgrade(stage: str, row: Any) -> Any:
    if stage == "opd_response":
        row = replace(row, kept=False, goes_on_from=0)
    if stage == "intake":
        row = replace(row, recalled=0)
    return replace(row, additions=()) if hasattr(row, "additions") else row


@pytest.mark.long
def test_cases_in_every_state_go_on_after_an_upgrade(built: tuple[House, Callable[[str], str]]) -> None:
    house, url_of = built
    cases = Cases(house)
    before = stored(house, cases.tickets)
    house.close()
    for stage, revision in BEFORE.items():
        downgrade(SERVICES / stage / "migrations", url_of(stage), revision)
        upgrade(SERVICES / stage / "migrations", url_of(stage))
    assert stored(house, cases.tickets) == before
    cases.go_on()
    books = Books({stage: url_of(stage) for stage in STAGES})
    assert "\n".join(map(str, effects.breaches(books.read()))) == ""
    for ticket in cases.tickets:
        offered = {attempt[0].act for attempt, _ in cases.possible(ticket)}
        assert not offered & TO_THE_END, ticket


BEFORE_CLOSING = {"intake": "0025", "triage": "0018", "opd_response": "0015", "notification": "0027"}
"""The revisions of the last version in which no desk closed a report that was not answered."""


def test_a_stage_with_a_report_that_a_desk_closed_does_not_go_back(
    built: tuple[House, Callable[[str], str]],
) -> None:
    house, url_of = built
    closed(house, "opd_response")
    house.close()
    for stage, revision in BEFORE_CLOSING.items():
        with pytest.raises(RuntimeError, match="version before"):
            downgrade(SERVICES / stage / "migrations", url_of(stage), revision)
