"""SIGKILL to a stage between an act and its event: the act is done once, and its event is told once it runs again."""

from random import Random
from typing import Any

import pytest

from nkk.sop.acts import RULES, Act
from nkk.sop.steps import Role
from ops.demo.lapsing import let_lapse
from tests.chaos.acts import ACTS, OPDS
from tests.chaos.promises import PROMISES
from tests.faults.stages import UNTOLD
from tests.faults.trial import Trial
from tests.installations import eventually
from tests.people import Person

pytestmark = pytest.mark.proof

OPD = OPDS[0]
INFORMED, FORWARDED = {"kind": "information"}, {"kind": "complaint", "opd": OPD}
FORMS: dict[Act, Any] = {
    Act.CLASSIFY: FORWARDED,
    Act.GATHER: {"opd": OPDS[1]},
    Act.DECLINE: {"reason": "Bukan kewenangan kami."},
    Act.RATE: {"rating": 4},
    Act.RECUSE: {"reason": "Kerabat terlapor."},
}
"""The forms of the acts that have several."""

WITH_OPD = (Act.HAND_OVER, Act.CLASSIFY)
TO_OPERATOR = (Act.HAND_OVER, "inform")
ANSWERED = (*TO_OPERATOR, Act.ANSWER)
LAPSES = "the question lapses"

BEFORE: dict[Act, tuple[Any, ...]] = {
    Act.HAND_OVER: (),
    Act.CLASSIFY: (Act.HAND_OVER,),
    Act.RESPOND: WITH_OPD,
    Act.APPROVE: (*WITH_OPD, Act.RESPOND),
    Act.ANSWER: TO_OPERATOR,
    Act.CONFIRM: ANSWERED,
    Act.WITHDRAW: (Act.HAND_OVER,),
    Act.KEEP: (Act.HAND_OVER, Act.WITHDRAW),
    Act.DECLINE: WITH_OPD,
    Act.RECALL: WITH_OPD,
    Act.REQUEST_TIME: WITH_OPD,
    Act.GRANT_TIME: (*WITH_OPD, Act.REQUEST_TIME),
    Act.GATHER: (*WITH_OPD, Act.RESPOND),
    Act.CONCLUDE: (*WITH_OPD, Act.RESPOND, Act.GATHER, Act.RECALL),
    Act.RECLASSIFY: TO_OPERATOR,
    Act.OBJECT: ANSWERED,
    Act.RATE: (*ANSWERED, Act.CONFIRM),
    Act.ASK: (),
    Act.ANSWER_QUESTION: (Act.ASK,),
    Act.ABANDON: (Act.ASK, LAPSES),
    Act.RECUSE: (),
}
"""The acts of a case before each act at which its stage dies.

A note has no event; files are in `test_uploads.py`. Joining and parting need a second case.
"""

REFUSED = {
    Act.KEEP: "nothing-to-keep",
    Act.DECLINE: "no-longer-here",
    Act.RECALL: "not-with-opd",
    Act.GRANT_TIME: "no-request",
    Act.GATHER: "no-response-yet",
    Act.CONCLUDE: "already-classified",
    Act.RECLASSIFY: "not-your-step",
    Act.ABANDON: "abandoned",
    Act.RECUSE: "",
}
"""How those acts are refused a second time that have no name for it; of others PROMISES knows it. Stepping aside
again has the same answer."""


def test_every_act_with_an_event_is_tried() -> None:
    assert {rule.act for rule in RULES} - {Act.NOTE, Act.SUPPLEMENT, Act.JOIN, Act.PART} == BEFORE.keys()


class Case:
    """A complaint, and the people who act on it."""

    def __init__(self, trial: Trial) -> None:
        people, self.installation = trial.people, trial.installation
        reporter = people.reporter()
        self.ticket = people.submit(reporter)
        self._people: dict[Role, Person] = {
            Role.REPORTER: reporter,
            Role.OPERATOR: people.operator,
            Role.MAIN_TEAM: people.main_team,
            Role.OPD_TEAM: people.opd_team(OPD),
        }

    def ask(self, what: Any) -> tuple[int, str]:
        """Send an act, or "inform"; return its status, and the problem where it was refused. LAPSES comes by itself."""
        if what == LAPSES:
            let_lapse(self.installation.stack.database_url("notification"), self.ticket)
            offered = self._people[Role.OPERATOR].get(f"/complaints/{self.ticket}")["acts"]
            return (200 if Act.ABANDON in offered else 409), ""
        act = Act.CLASSIFY if what == "inform" else what
        person = next(self._people[rule.role] for rule in RULES if rule.act == act)
        form = INFORMED if what == "inform" else FORMS[act] if act in FORMS else ACTS[act].form(Random(1))
        answer = person.ask("POST", f"/complaints/{self.ticket}/{ACTS[act].path}", json=form)
        return answer.status_code, str(answer.json().get("type", "")).rpartition(":")[2]


@pytest.mark.long
@pytest.mark.parametrize("act", BEFORE, ids=str)
def test_a_stage_that_dies_between_an_act_and_its_event_tells_it_once(sqlite_trial: Trial, act: Act) -> None:
    trial, case, sent = sqlite_trial, Case(sqlite_trial), ACTS[act]
    for earlier in BEFORE[act]:
        eventually(lambda earlier=earlier: case.ask(earlier)[0] in (200, 202))
    trial.settled(case.ticket)
    trial.ask_for(UNTOLD + case.ticket)
    status, _ = case.ask(act)
    assert status in (sent.success, 503)
    trial.happened(UNTOLD + case.ticket)
    done = (REFUSED.get(act), *PROMISES[sent.operation].done)
    eventually(lambda: case.ask(act)[1] in done)
    trial.settled(case.ticket)
    told = [event.type for event in trial.books.read().about(case.ticket)]
    assert sum(told.count(type_) for type_ in PROMISES[sent.operation].facts) == 1
