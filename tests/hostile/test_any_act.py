"""Every act of the table, by anybody and at any moment: what the table lists is accepted, all else is refused by name.

The attempts are made from `nkk.sop.acts.RULES`, each at the state that its stage has of the case, while events are late
and repeated. In the end every row of every stage is what the journey makes of it (`tests.chaos.accountant.effects`).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from nkk.contracts import STAGES
from nkk.settings.keys import as_pem
from nkk.sop import journey
from nkk.sop.acts import RULES, Act, Rule
from nkk.sop.refusals import Refused
from nkk.sop.steps import Role
from nkk.trust.actor import Actor, Caller, sign
from ops.stack.keys import new_keys
from tests.builders import complaint_form, own_upload, upload
from tests.chaos.accountant import Books, effects
from tests.effort import effort
from tests.stages import MAIN_TEAM, OPD, OPD_TEAM, OPERATOR, REPORTER, House, house

OTHER_OPD = "inspektorat"
PEOPLE = {
    "owner": REPORTER,
    "other reporter": Actor("reporter-2", "reporter"),
    "operator": OPERATOR,
    "Tim Utama": MAIN_TEAM,
    "OPD": OPD_TEAM,
    "other OPD": Actor("staff-other", "opd_team", OTHER_OPD),
}
WHY = "Alasan tertulis."
NOTED, ADDED = "report.added_to.v1", "report.supplemented.v1"


@dataclass(frozen=True)
class Way:
    """One command that carries out an act: its arguments after the ticket, and the events that it may publish."""

    command: str
    args: tuple[Any, ...] = ()
    told: tuple[str, ...] = ()


WAYS: dict[Act, tuple[Way, ...]] = {
    Act.HAND_OVER: (Way("hand_over", told=(effects.HANDED_OVER,)),),
    Act.CLASSIFY: (
        Way("classify_as_information", ("Jawab langsung.",), (effects.INFORMATION,)),
        Way("forward", (OPD, None), (effects.FORWARDED,)),
        Way("forward", (OTHER_OPD, None), (effects.FORWARDED,)),
    ),
    Act.RESPOND: (
        Way("respond", ("Sudah.",), ("response.submitted.v1",)),
        Way("respond", ("Sudah.", [upload()]), ("response.submitted.v1",)),
    ),
    Act.APPROVE: (
        Way("approve", (None,), ("response.approved.v1",)),
        Way("return_response", ("Uraikan.",), (effects.RETURNED,)),
    ),
    Act.ANSWER: (Way("send_answer", ("Terima kasih.",), (journey.ANSWERED,)),),
    Act.CONFIRM: (Way("confirm_receipt", told=(journey.CLOSED,)),),
    Act.SUPPLEMENT: (Way("supplement", told=(NOTED, ADDED)),),
    Act.WITHDRAW: (Way("withdraw", (WHY,), (journey.WITHDRAWN,)),),
    Act.KEEP: (Way("keep", (WHY,), (journey.KEPT,)),),
    Act.DECLINE: (Way("decline", (WHY, OTHER_OPD), (journey.DECLINED,)),),
    Act.RECALL: (Way("recall", (WHY,), (journey.RECALLED,)),),
    Act.RECLASSIFY: (Way("send_back", (WHY,), (journey.RETURNED,)),),
    Act.OBJECT: (Way("object_to", (WHY,), (journey.CLOSED, journey.REOPENED)),),
    Act.RATE: (Way("rate", (4, None), (effects.RATED,)),),
    Act.NOTE: (Way("add_note", ("Catatan.",)),),
}
"""How each act is carried out. An act that the table gets is added here."""

MAY_TELL_NOTHING = (Act.CONFIRM, Act.NOTE)
"""The acts that may be accepted without an event: a receipt after the answer was opened, and a note."""

ATTEMPTS = [(each, way) for each in RULES for way in WAYS.get(each.act, ())]
TRIES = st.sampled_from(ATTEMPTS)
MOST_FILES = 15
KEYS = new_keys()
TOKENS = {who: sign(actor, as_pem(KEYS["NKK_TOKEN_SIGNING_KEY"]))[0] for who, actor in PEOPLE.items()}


def test_every_act_of_the_table_is_tried() -> None:
    # Whoever steps aside sees the case no more, so that nothing is offered to them: tests/integration/test_recusals.py.
    assert {each.act for each in RULES} - {Act.RECUSE} == WAYS.keys()


class AnyAct(RuleBasedStateMachine):
    """A state machine in which everybody tries every act at every moment."""

    house: House
    books: Books
    tickets: Bundle[str] = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.house.empty()
        self.house.chance = random.Random(7)
        self.reports: list[str] = []

    @precondition(lambda self: len(self.reports) < 3)
    @rule(target=tickets)
    def somebody_reports(self) -> str:
        receipt = self.told_to("intake", "submit", "owner", complaint_form())
        self.reports.append(receipt["ticket"])
        return receipt["ticket"]

    @rule(ticket=tickets, attempt=TRIES, who=st.sampled_from(list(PEOPLE)))
    def somebody_tries(self, ticket: str, attempt: tuple[Rule, Way], who: str) -> None:
        tried, way = attempt
        before, states = len(self.house.told), self.states(ticket)
        offered = tried.act in self.offered(ticket, tried.stage, who)
        assert offered <= (self.state(ticket, tried.stage, who) in tried.states and PEOPLE[who].role == tried.role)
        try:
            self.told_to(tried.stage, way.command, who, ticket, *self.args(tried, way))
        except Refused as refusal:
            assert not offered or self.is_full(ticket, tried), f"{tried.act} by {who} was refused as {refusal.code}"
            assert refusal.code in type(refusal).codes
            assert type(refusal) is not Refused
            assert len(self.house.told) == before, "a refusal changes nothing"
            assert self.states(ticket) == states, "a refusal changes nothing"
            return
        assert offered, f"{tried.act} by {who} was accepted and not offered"
        told = [event.type for _, event in self.house.told[before:] if event.type not in effects.ALARMS]
        assert {*told} <= {*way.told}, f"{tried.act} told {told}"
        assert told or tried.act in MAY_TELL_NOTHING

    @rule(ticket=tickets, chosen=st.lists(st.integers(0, 99), min_size=3, max_size=12), late=st.booleans())
    def those_who_may_act_do(self, ticket: str, chosen: list[int], late: bool) -> None:
        """Carry out some acts that are offered, so that cases go far; `late` leaves their events on the way."""
        for number in chosen:
            if not late:
                self.every_event_is_heard()
            offered = [
                (attempt, who)
                for attempt in ATTEMPTS
                for who in PEOPLE
                if attempt[0].act not in (Act.NOTE, Act.SUPPLEMENT)
                and PEOPLE[who].role == attempt[0].role
                and attempt[0].act in self.offered(ticket, attempt[0].stage, who)
            ]
            if offered:
                attempt, who = offered[number % len(offered)]
                self.somebody_tries(ticket, attempt, who)

    @rule(ticket=tickets)
    def its_reporter_opens_the_answer(self, ticket: str) -> None:
        before = len(self.house.told)
        try:
            self.told_to("notification", "open_answer", "owner", ticket)
        except Refused:
            assert self.state(ticket, "notification", "owner") is None
        told = [event.type for _, event in self.house.told[before:] if event.type not in effects.ALARMS]
        assert told in ([], [journey.CLOSED])

    @rule(days=st.integers(0, 9), hours=st.integers(0, 23))
    def time_passes(self, days: int, hours: int) -> None:
        self.house.now += timedelta(days=days, hours=hours)
        self.house.services["notification"].close_lapsed()
        self.house.collect("notification")

    @rule(some=st.sampled_from([0.3, 0.7]))
    def some_events_are_heard(self, some: float) -> None:
        if self.house.waiting:
            self.house.deliver(some=some)
            self.house.collect()

    @rule()
    def every_event_is_heard(self) -> None:
        self.house.settle()

    def teardown(self) -> None:
        """Handle all events; then every row of every stage must be what the journey makes of it."""
        self.house.settle()
        assert [str(breach) for breach in effects.breaches(self.books.read())] == []

    def offered(self, ticket: str, stage: str, who: str) -> list[str]:
        """Return the acts that the stage says are possible for `who`."""
        case, actor = self.case(ticket, stage, who), PEOPLE[who]
        if case is None or not self.is_for(stage, who, case):
            return []
        if stage in ("triage", "opd_response"):
            return case.acts() if actor.role in (Role.MAIN_TEAM, Role.OPD_TEAM) else []
        calendar = self.house.services[stage].calendars.get(case.calendar)
        return case.acts(actor.role, self.house.now, calendar)

    def is_for(self, stage: str, who: str, case: Any) -> bool:
        """Return whether the case is one of `who`: a reporter's own, or one of the desk."""
        roles = {"triage": Role.MAIN_TEAM, "opd_response": Role.OPD_TEAM}
        actor = PEOPLE[who]
        if actor.role == Role.REPORTER:
            return who == "owner" and stage in ("intake", "notification")
        return actor.role == roles.get(stage, Role.OPERATOR)

    def state(self, ticket: str, stage: str, who: str) -> str | None:
        case = self.case(ticket, stage, who)
        return case.stands()["state"] if case else None

    def case(self, ticket: str, stage: str, who: str) -> Any:
        """Return the row of a stage that an act of `who` is about; None where there is none."""
        rows = sorted(self.house.held(stage, [ticket]), key=lambda row: row.about_forwarding)
        if stage == "opd_response":
            rows = [row for row in rows if row.team_opd == PEOPLE[who].group]
        return rows[-1] if rows else None

    def states(self, ticket: str) -> list[Any]:
        return [row for stage in STAGES for row in self.house.held(stage, [ticket])]

    def is_full(self, ticket: str, tried: Rule) -> bool:
        """Return whether the report takes no more files."""
        (report,) = self.house.held("intake", [ticket])
        return tried.act == Act.SUPPLEMENT and len(report.files) >= MOST_FILES  # type: ignore[attr-defined]

    def args(self, tried: Rule, way: Way) -> tuple[Any, ...]:
        """Return the arguments of a command; each file is sent once."""
        return ([own_upload()],) if tried.act == Act.SUPPLEMENT else way.args

    def told_to(self, stage: str, command: str, who: str, *args: Any) -> Any:
        """Call a stage with the token of `who`; return the result."""
        service = self.house.services[stage]
        service.caller = Caller(TOKENS[who], as_pem(KEYS["NKK_TOKEN_PUBLIC_KEY"]))
        given = getattr(service, command)(*args)
        self.house.collect(stage)
        return given


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Books]]:
    folder: Path = tmp_path_factory.mktemp("any-act")
    urls = {stage: f"sqlite:///{folder}/{stage}.db" for stage in STAGES}
    with house(urls.__getitem__) as built:
        yield built, Books(urls)


@pytest.mark.proof
def test_what_the_table_lists_is_accepted_and_all_else_is_refused(stages: tuple[House, Books]) -> None:
    AnyAct.house, AnyAct.books = stages
    # A case that fails is shown as it was found, since making it smaller would take minutes.
    effortful = settings(
        effort(20), stateful_step_count=20, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
    )
    run_state_machine_as_test(AnyAct, settings=effortful)
