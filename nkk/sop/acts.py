"""The acts that a case allows: the only list of who may do what, while it is where.

Each stage says of its own cases which acts are possible now, by this table and by what it knows besides: a time limit,
or that an act is possible once. A page shows these acts and no others.

Two acts at the same moment: at one stage, the second is refused. Across stages, which do not call each other, both are
accepted, and this order decides in whatever order their events arrive:

1. an answer that was sent stands: a withdrawal that was on its way changes nothing;
2. a withdrawal ends the case wherever it is; acts that were on their way are kept, for the case may go on;
3. what Tim Utama took back takes no response and no declination that were on their way;
4. more time counts only where it was given before the step ended, and not after a withdrawal;
5. an act that moves a case on ends its open question: an answer on its way is kept, and changes no clock;
6. a desk whose question lapsed may close the report as not completed: that ends it wherever it is, for good, but counts
   neither after a withdrawal nor after the desk's complaint was taken back, which were on their way.

A report that was joined with another is parted at the desk that has it: by Tim Utama while it rests, and from then on
by the operator, who sends it back instead of answering it. So an answer and a parting never cross.

The reporter, or the team, whose act was overtaken sees it on the case (`nkk.sop.journey.in_order`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from nkk.sop.endings import ABANDONED, WITHDRAWN
from nkk.sop.steps import Role


class Act(StrEnum):
    """The acts, by the name that the API gives them."""

    HAND_OVER = "hand_over"
    CLASSIFY = "classify"
    RESPOND = "respond"
    APPROVE = "approve"
    ANSWER = "answer"
    CONFIRM = "confirm_receipt"
    SUPPLEMENT = "supplement"
    WITHDRAW = "withdraw"
    KEEP = "keep"
    DECLINE = "decline"
    RECALL = "recall"
    RECLASSIFY = "reclassify"
    OBJECT = "object"
    RATE = "rate"
    NOTE = "note"
    ASK = "ask"
    ABANDON = "abandon"
    ANSWER_QUESTION = "answer_question"
    RECUSE = "recuse"
    REQUEST_TIME = "request_time"
    GRANT_TIME = "grant_time"
    GATHER = "gather"
    CONCLUDE = "conclude"
    JOIN = "join"
    PART = "part"


@dataclass(frozen=True)
class Rule:
    """Who may act, at which stage, while the case is in one of `states` there."""

    act: Act
    role: Role
    stage: str
    states: tuple[str, ...]


_INTAKE = ("awaiting_hand_over", "handed_over", WITHDRAWN, ABANDONED)
_TRIAGE = (
    "awaiting_classification",
    "joined",
    "classified_as_information",
    "awaiting_response",
    "awaiting_approval",
    "approved",
    WITHDRAWN,
    ABANDONED,
)
_OPD = ("awaiting_response", "responded", "declined", "recalled", WITHDRAWN, ABANDONED)

RULES = (
    Rule(Act.HAND_OVER, Role.OPERATOR, "intake", ("awaiting_hand_over",)),
    Rule(Act.CLASSIFY, Role.MAIN_TEAM, "triage", ("awaiting_classification",)),
    Rule(Act.RESPOND, Role.OPD_TEAM, "opd_response", ("awaiting_response",)),
    Rule(Act.APPROVE, Role.MAIN_TEAM, "triage", ("awaiting_approval",)),
    Rule(Act.ANSWER, Role.OPERATOR, "notification", ("awaiting_answer",)),
    Rule(Act.CONFIRM, Role.REPORTER, "notification", ("answered", "closed")),
    Rule(Act.SUPPLEMENT, Role.REPORTER, "intake", ("awaiting_hand_over", "handed_over")),
    Rule(Act.WITHDRAW, Role.REPORTER, "intake", ("awaiting_hand_over", "handed_over")),
    Rule(Act.KEEP, Role.MAIN_TEAM, "triage", (WITHDRAWN,)),
    Rule(Act.DECLINE, Role.OPD_TEAM, "opd_response", ("awaiting_response",)),
    Rule(Act.RECALL, Role.MAIN_TEAM, "triage", ("awaiting_response",)),
    Rule(Act.REQUEST_TIME, Role.OPD_TEAM, "opd_response", ("awaiting_response",)),
    Rule(Act.GRANT_TIME, Role.MAIN_TEAM, "triage", ("awaiting_response",)),
    Rule(Act.GATHER, Role.MAIN_TEAM, "triage", ("awaiting_approval",)),
    Rule(Act.CONCLUDE, Role.MAIN_TEAM, "triage", ("awaiting_classification",)),
    Rule(Act.JOIN, Role.MAIN_TEAM, "triage", ("awaiting_classification",)),
    Rule(Act.PART, Role.MAIN_TEAM, "triage", ("joined",)),
    Rule(Act.RECLASSIFY, Role.OPERATOR, "notification", ("awaiting_answer",)),
    Rule(Act.OBJECT, Role.REPORTER, "notification", ("answered", "closed")),
    Rule(Act.RATE, Role.REPORTER, "notification", ("closed",)),
    Rule(Act.ASK, Role.OPERATOR, "intake", ("awaiting_hand_over",)),
    Rule(Act.ASK, Role.MAIN_TEAM, "triage", ("awaiting_classification", "awaiting_approval")),
    Rule(Act.ASK, Role.OPD_TEAM, "opd_response", ("awaiting_response",)),
    Rule(Act.ABANDON, Role.OPERATOR, "intake", ("awaiting_hand_over",)),
    Rule(Act.ABANDON, Role.MAIN_TEAM, "triage", ("awaiting_classification", "awaiting_approval")),
    Rule(Act.ABANDON, Role.OPD_TEAM, "opd_response", ("awaiting_response",)),
    Rule(Act.ANSWER_QUESTION, Role.REPORTER, "notification", ("hand_over", "classify", "respond", "approve")),
    Rule(Act.NOTE, Role.OPERATOR, "intake", _INTAKE),
    Rule(Act.NOTE, Role.MAIN_TEAM, "triage", _TRIAGE),
    Rule(Act.NOTE, Role.OPD_TEAM, "opd_response", _OPD),
    Rule(Act.RECUSE, Role.OPERATOR, "intake", _INTAKE),
    Rule(Act.RECUSE, Role.MAIN_TEAM, "triage", _TRIAGE),
    Rule(Act.RECUSE, Role.OPD_TEAM, "opd_response", _OPD),
)


def possible(stage: str, role: str, state: str, not_now: Collection[str] = ()) -> list[str]:
    """Return the acts of `role` on a case in `state` at `stage`, except those that are `not_now` possible."""
    return [
        str(rule.act)
        for rule in RULES
        if rule.stage == stage and rule.role == role and state in rule.states and rule.act not in not_now
    ]
