"""Acts by anybody in any order, with late and repeated events: only the transitions of the SOP's table happen.

The model is a copy of that table, independent of the services: who does what, from which step to which. It knows which
files are attached to a report and to each response, and which of them the operator chose: once all events are handled,
every desk has exactly these.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
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
from tests.builders import complaint_form, own_upload, upload
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
JOURNEY = {"complaint.submitted.v2", *TOLD.values()}
NOTED, ADDED = "report.added_to.v1", "report.supplemented.v1"
KEYS = new_keys()

MOST = {"none": 0, "first": 1, "all": 2}
CHOSEN = st.sampled_from(list(MOST))
"""How many files come with a response, and how many of them the operator chooses."""

Files = list[dict[str, Any]]


@dataclass
class Journey:
    """The model's state of a complaint: its step, and the events published about it.

    `files` are the report's, of which `added` came later, `responses` those of each response, and `chosen` the numbers
    that the operator sent.
    """

    step: int = 2
    told: list[str] = field(default_factory=lambda: ["complaint.submitted.v2"])
    files: Files = field(default_factory=list)
    added: int = 0
    responses: list[Files] = field(default_factory=list)
    chosen: list[str] = field(default_factory=list)

    @property
    def was_forwarded(self) -> bool:
        return TOLD["forward"] in self.told

    def report_files(self) -> dict[str, str]:
        """Return the ids of the report's files by their numbers."""
        return {str(number): file["id"] for number, file in enumerate(self.files, 1)}

    def response_files(self) -> dict[str, str]:
        """Return the ids of all responses' files by their numbers."""
        return {
            f"R{round_}-{number}": file["id"]
            for round_, files in enumerate(self.responses, 1)
            for number, file in enumerate(files, 1)
        }

    def offered(self) -> dict[str, str]:
        """Return those of the last response, from which the operator chooses."""
        last = f"R{len(self.responses)}-"
        return {number: id for number, id in self.response_files().items() if number.startswith(last)}


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
    @rule(target=tickets, count=st.integers(0, 2))
    def somebody_reports(self, count: int) -> str:
        files = [own_upload() for _ in range(count)]
        receipt = self.told_to("intake", "submit", "owner", complaint_form(files=files))
        journey = self.journeys[receipt["ticket"]] = Journey(files=files)
        assert numbered(receipt["files"]) == journey.report_files()
        self.settled = False
        return receipt["ticket"]

    @rule(ticket=tickets, who=st.sampled_from(["owner", *PEOPLE]), what=st.sampled_from(["new", "again", "mixed"]))
    def somebody_adds_files(self, ticket: str, who: str, what: str) -> None:
        """Add files, send the last one again, or send it together with a new one, which is refused."""
        journey, before = self.journeys[ticket], len(self.house.told)
        new = [own_upload()] if what != "again" or not journey.files else []
        known = journey.files[-1:] if what != "new" else []
        try:
            answer = self.told_to("intake", "supplement", who, ticket, known + new)
        except Refused:
            assert who != "owner" or (known and new)
            assert len(self.house.told) == before, "a refusal changes nothing"
            return
        assert who == "owner"
        assert not (known and new)
        journey.files += new
        journey.added += len(new)
        assert numbered(answer["files"]) == journey.report_files()
        self.settled = False
        # What is added before the hand-over goes to Tim Utama with it.
        told = [NOTED, *([ADDED] if journey.step > 2 else [])] if new else []
        assert [event.type for _, event in self.house.told[before:]] == told

    @rule(
        ticket=tickets,
        command=st.sampled_from(list(TABLE)),
        who=st.sampled_from(list(PEOPLE)),
        chosen=CHOSEN,
    )
    def somebody_tries(self, ticket: str, command: str, who: str, chosen: str) -> None:
        may, stage, begins, ends, args = TABLE[command]
        journey, before = self.journeys[ticket], len(self.house.told)
        in_turn = who == may and journey.step == begins
        most = MOST[chosen]
        files: Files = [upload() for _ in range(most)] if command == "respond" else []
        sent = list(journey.offered())[:most] if command == "send_answer" else []
        try:
            self.told_to(stage, command, who, ticket, *args, *[more for more in (files, sent) if more])
        except Refused:
            assert not (in_turn and self.settled), f"{command} by {who} at step {journey.step} was refused"
            assert len(self.house.told) == before, "a refusal changes nothing"
            return
        assert in_turn, f"{command} by {who} at step {journey.step}"
        journey.step, self.settled = ends, False
        journey.told.append(TOLD[command])
        journey.responses += [files] if command == "respond" else []
        journey.chosen += sent
        assert [event.type for _, event in self.house.told[before:]] == [TOLD[command]]

    @rule(ticket=tickets, acts=st.lists(st.tuples(st.integers(0, 1), CHOSEN, st.booleans()), min_size=3, max_size=7))
    def those_whose_turn_it_is_act(self, ticket: str, acts: list[tuple[int, str, bool]]) -> None:
        """Carry out some of the next acts by the table, so that journeys progress; files are added between them."""
        for which, chosen, adds in acts:
            self.every_event_is_heard()
            following = [command for command, row in TABLE.items() if row[2] == self.journeys[ticket].step]
            if following:
                command = following[which % len(following)]
                self.somebody_tries(ticket, command, TABLE[command][0], chosen)
            if adds:
                self.somebody_adds_files(ticket, "owner", "new")

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
        if self.house.waiting:
            self.house.deliver(some=some)
            self.house.collect()
        self.settled = not self.house.waiting

    @rule()
    def every_event_is_heard(self) -> None:
        self.house.settle()
        self.settled = True

    @invariant()
    def what_was_told_is_what_the_table_allows(self) -> None:
        told: dict[str, list[str]] = {ticket: [] for ticket in self.journeys}
        for _, event in self.house.told:
            if event.subject in told and event.type in JOURNEY:
                told[event.subject].append(event.type)
        assert told == {ticket: journey.told for ticket, journey in self.journeys.items()}

    def teardown(self) -> None:
        """Handle all events; then every timeline must show its journey, and every desk must have its files."""
        self.house.settle()
        for ticket, journey in self.journeys.items():
            timeline = self.told_to("notification", "timeline", "owner", ticket)
            assert sorted(entry["event"] for entry in timeline["entries"]) == sorted(journey.told)
            assert sum(act["files"] for act in timeline["beside"]) == journey.added
            if journey.step < DONE:
                assert timeline["stands"]["step"] == journey.step
            self.every_desk_has_its_files(ticket, journey)

    def every_desk_has_its_files(self, ticket: str, journey: Journey) -> None:
        for who in ("owner", "operator"):
            assert numbered(self.told_to("intake", "complaint", who, ticket)["files"]) == journey.report_files()
        desks = [("Tim Utama", "triage", journey.step > 2), ("OPD", "opd_response", journey.was_forwarded)]
        for who, stage, has_it in desks:
            if has_it:
                case = self.told_to(stage, "case", who, ticket)
                assert numbered(case["files"]) == journey.report_files()
                assert numbered(case["response_files"]) == journey.response_files()
        for who, stage, has_it in [*desks, ("other OPD", "opd_response", False)]:
            for number in ("1", "R1-1") if not has_it else ():
                with pytest.raises(Refused):
                    self.told_to(stage, "open_file", who, ticket, number)
        if journey.step >= 6:
            answer = self.told_to("notification", "answer", "operator", ticket)["answer"]
            assert numbered(answer["offered"]) == journey.offered()
        if journey.step >= 7:
            read = self.told_to("notification", "read_answer", "owner", ticket)["answer"]
            assert numbered(read["files"]) == {number: journey.offered()[number] for number in journey.chosen}

    def told_to(self, stage: str, command: str, who: str, *args: Any) -> Any:
        """Call a stage with the token of `who`; return the result."""
        service = self.house.services[stage]
        service.caller = Caller(token(who), as_pem(KEYS["NKK_TOKEN_PUBLIC_KEY"]))
        given = getattr(service, command)(*args)
        self.house.collect(stage)
        return given


@cache
def token(who: str) -> str | None:
    """Return the token of `who`; None for nobody."""
    actor = PEOPLE[who]
    return sign(actor, as_pem(KEYS["NKK_TOKEN_SIGNING_KEY"]))[0] if actor else None


def numbered(files: Files) -> dict[str, str]:
    """Return the ids of shown files by their numbers."""
    return {file["number"]: file["id"] for file in files}


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
