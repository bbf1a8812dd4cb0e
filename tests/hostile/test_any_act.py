"""Every act of the table, by anybody and at any moment: what the table lists is accepted, all else is refused by name.

The attempts are made from `nkk.sop.acts.RULES`, each at the state that its stage has of the case, while events are late
and repeated. In the end every row of every stage is what the journey makes of it (`tests.chaos.accountant.effects`).
"""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from nkk.contracts import STAGES
from nkk.sop import journey
from nkk.sop.acts import RULES, Act, Rule
from nkk.sop.refusals import Refused
from tests.builders import complaint_form
from tests.chaos.accountant import Books, effects
from tests.effort import effort
from tests.every_act import ATTEMPTS, PEOPLE, WAYS, Acting, Way
from tests.stages import House, house

MAY_TELL_NOTHING = (Act.CONFIRM, Act.NOTE, Act.RECUSE)
"""The acts that may be accepted without an event: a receipt after the answer was opened, a note, stepping
aside again."""

ASIDE = (Act.NOTE, Act.SUPPLEMENT, Act.RECUSE)
"""The acts that bring no case further."""

TRIES = st.sampled_from(ATTEMPTS)
MOST_FILES = 15


def test_every_act_of_the_table_is_tried() -> None:
    assert {each.act for each in RULES} == WAYS.keys()


class AnyAct(Acting, RuleBasedStateMachine):
    """A state machine in which everybody tries every act at every moment."""

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
        assert offered <= (
            self.state(ticket, tried.stage, who, tried.act) in tried.states and PEOPLE[who].role == tried.role
        )
        try:
            self.carry_out(ticket, attempt, who)
        except Refused as refusal:
            assert not offered or self.is_full(ticket, tried), f"{tried.act} by {who} was refused as {refusal.code}"
            assert refusal.code in type(refusal).codes
            assert type(refusal) is not Refused
            assert len(self.house.told) == before, "a refusal changes nothing"
            assert self.states(ticket) == states, "a refusal changes nothing"
            return
        told = [event.type for _, event in self.house.told[before:] if event.type not in effects.ALARMS]
        assert offered or (tried.act == Act.RECUSE and not told), f"{tried.act} by {who} was accepted and not offered"
        assert {*told} <= {*way.told}, f"{tried.act} told {told}"
        assert told or tried.act in MAY_TELL_NOTHING

    @rule(ticket=tickets, chosen=st.lists(st.integers(0, 99), min_size=3, max_size=12), late=st.booleans())
    def those_who_may_act_do(self, ticket: str, chosen: list[int], late: bool) -> None:
        """Carry out some acts that are offered, so that cases go far; `late` leaves their events on the way."""
        for number in chosen:
            if not late:
                self.every_event_is_heard()
            offered = [each for each in self.possible(ticket) if each[0][0].act not in ASIDE]
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

    @rule()
    def questions_lapse(self) -> None:
        self.house.now += timedelta(days=45)
        for timer in ("close_lapsed", "end_questions"):
            getattr(self.house.services["notification"], timer)()
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

    def states(self, ticket: str) -> list[Any]:
        return [row for stage in STAGES for row in self.house.held(stage, [ticket])]

    def is_full(self, ticket: str, tried: Rule) -> bool:
        """Return whether the report takes no more files, or has the response of the OPD that is to be asked further."""
        if tried.act == Act.GATHER:
            return True
        (report,) = self.house.held("intake", [ticket])
        return tried.act == Act.SUPPLEMENT and len(report.files) >= MOST_FILES  # type: ignore[attr-defined]


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
