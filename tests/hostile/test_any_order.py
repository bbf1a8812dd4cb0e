"""Acts by anybody in any order, with late and repeated events: only the transitions of the SOP's table happen.

The model is a copy of that table, independent of the services: who does what, from which step to which.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from nkk.settings.keys import as_pem
from nkk.sop.refusals import Refused
from nkk.trust.actor import Actor, Caller, sign
from ops.stack.keys import new_keys
from tests.builders import complaint_form
from tests.effort import effort
from tests.stages import ADMIN, MAIN_TEAM, OPD, OPD_TEAM, OPERATOR, REPORTER, House, house

OTHER_OPD = "inspektorat"
PEOPLE = {
    "owner": REPORTER,
    "other reporter": Actor("reporter-2", "reporter"),
    "operator": OPERATOR,
    "Tim Utama": MAIN_TEAM,
    "OPD": OPD_TEAM,
    "other OPD": Actor("staff-other", "opd_team", OTHER_OPD),
    "admin": ADMIN,
    "somebody of no role": Actor("staff-x", "superuser"),
    "nobody": None,
}
DONE = 8

# By command: the role, the stage, the steps before and after, and the arguments after the ticket.
TABLE: dict[str, tuple[str, str, int, int, tuple[Any, ...]]] = {
    "hand_over": ("operator", "intake", 2, 3, ()),
    "classify_as_information": ("Tim Utama", "triage", 3, 6, ("Jawab langsung.",)),
    "forward": ("Tim Utama", "triage", 3, 4, (OPD, None)),
    "respond": ("OPD", "opd_response", 4, 5, ("Sudah.",)),
    "return_response": ("Tim Utama", "triage", 5, 4, ("Uraikan.",)),
    "approve": ("Tim Utama", "triage", 5, 6, (None,)),
    "send_answer": ("operator", "notification", 6, 7, ("Terima kasih.",)),
    "confirm_receipt": ("owner", "notification", 7, DONE, ()),
}
TOLD = {
    "hand_over": "complaint.handed_over.v1",
    "classify_as_information": "complaint.classified_as_information.v1",
    "forward": "complaint.forwarded.v1",
    "respond": "response.submitted.v1",
    "return_response": "response.returned.v1",
    "approve": "response.approved.v1",
    "send_answer": "answer.sent.v1",
    "confirm_receipt": "complaint.closed.v1",
}
KEYS = new_keys()


@dataclass
class Journey:
    """The model's state of a complaint: its step, and the events published about it."""

    step: int = 2
    told: list[str] = field(default_factory=lambda: ["complaint.submitted.v2"])


class AnyOrder(RuleBasedStateMachine):
    """A state machine in which everybody tries everything; `settled` is true once every event was handled."""

    house: House
    tickets: Bundle[str] = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.house.empty()
        self.house.chance = random.Random(7)
        self.journeys: dict[str, Journey] = {}
        self.settled = True

    @precondition(lambda self: len(self.journeys) < 3)
    @rule(target=tickets)
    def somebody_reports(self) -> str:
        receipt = self.told_to("intake", "submit", "owner", complaint_form())
        self.journeys[receipt["ticket"]] = Journey()
        self.settled = False
        return receipt["ticket"]

    @rule(ticket=tickets, command=st.sampled_from(list(TABLE)), who=st.sampled_from(list(PEOPLE)))
    def somebody_tries(self, ticket: str, command: str, who: str) -> None:
        may, stage, begins, ends, args = TABLE[command]
        journey, before = self.journeys[ticket], len(self.house.told)
        in_turn = who == may and journey.step == begins
        try:
            self.told_to(stage, command, who, ticket, *args)
        except Refused:
            assert not (in_turn and self.settled), f"{command} by {who} at step {journey.step} was refused"
            assert len(self.house.told) == before, "a refusal changes nothing"
            return
        assert in_turn, f"{command} by {who} at step {journey.step}"
        journey.step, self.settled = ends, False
        journey.told.append(TOLD[command])
        assert [event.type for _, event in self.house.told[before:]] == [TOLD[command]]

    @rule(ticket=tickets, which=st.integers(0, 1))
    def whose_turn_it_is_acts(self, ticket: str, which: int) -> None:
        """Carry out one of the next acts by the table, so that journeys make progress."""
        self.every_event_is_heard()
        following = [command for command, row in TABLE.items() if row[2] == self.journeys[ticket].step]
        if following:
            command = following[which % len(following)]
            self.somebody_tries(ticket, command, TABLE[command][0])

    @rule(ticket=tickets, who=st.sampled_from(list(PEOPLE)))
    def somebody_opens_the_answer(self, ticket: str, who: str) -> None:
        journey, before = self.journeys[ticket], len(self.house.told)
        try:
            shown = self.told_to("notification", "open_answer", who, ticket)
        except Refused:
            assert not (who == "owner" and self.settled)
            return
        assert who == "owner"
        assert bool((shown["answer"] or {}).get("text")) == (journey.step >= 7)
        told = [event.type for _, event in self.house.told[before:]]
        assert told == (["complaint.closed.v1"] if journey.step == 7 else [])
        if told:
            journey.step, self.settled = DONE, False
            journey.told += told

    @rule(some=st.sampled_from([0.3, 0.7]))
    def some_events_are_heard(self, some: float) -> None:
        self.house.deliver(some=some)
        self.settled = not self.house.waiting

    @rule()
    def every_event_is_heard(self) -> None:
        self.house.deliver()
        self.settled = True

    @invariant()
    def what_was_told_is_what_the_table_allows(self) -> None:
        told: dict[str, list[str]] = {ticket: [] for ticket in self.journeys}
        for _, event in self.house.told:
            if event.subject in told:
                told[event.subject].append(event.type)
        assert told == {ticket: journey.told for ticket, journey in self.journeys.items()}

    def teardown(self) -> None:
        """Handle all events; then every timeline must show its journey."""
        self.house.deliver()
        for ticket, journey in self.journeys.items():
            timeline = self.told_to("notification", "timeline", "owner", ticket)
            assert sorted(entry["event"] for entry in timeline["entries"]) == sorted(journey.told)
            if journey.step < DONE:
                assert timeline["stands"]["step"] == journey.step

    def told_to(self, stage: str, command: str, who: str, *args: Any) -> Any:
        """Call a stage with the token of `who`; return the result."""
        actor, service = PEOPLE[who], self.house.services[stage]
        token = sign(actor, as_pem(KEYS["NKK_TOKEN_SIGNING_KEY"]))[0] if actor else None
        service.caller = Caller(token, as_pem(KEYS["NKK_TOKEN_PUBLIC_KEY"]))
        given = getattr(service, command)(*args)
        self.house.collect()
        return given


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("any-order")
    with house(lambda stage: f"sqlite:///{folder}/{stage}.db") as built:
        yield built


@pytest.mark.proof
def test_only_the_ways_of_the_table_are_ever_gone(stages: House) -> None:
    AnyOrder.house = stages
    run_state_machine_as_test(
        AnyOrder, settings=settings(effort(40), stateful_step_count=30, suppress_health_check=list(HealthCheck))
    )
