"""The acts that people carry out on a crowded complaint, in one table: how each is sent, and what is promised of it.

An act that `nkk.sop.acts` gets is added here as one row, and the fact that it publishes in `accountant.effects`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from nkk.sop import journey
from nkk.sop.acts import Act

OPDS = ("disdukcapil", "dinas-kesehatan")
WHY = {"reason": "Alasan tertulis."}
ASKED = {"text": "Pada hari apa?"}
ASIDE = {"reason": "Kerabat terlapor.", "account": "opd-dinas-sosial"}
RECUSED = "case.recused.v1"
TEXT = {"text": "Petugas yang dilaporkan telah ditegur secara tertulis."}

Form = Callable[[Random], Any]


@dataclass(frozen=True)
class Sent:
    """How an act is sent: `operation` names its promise, `path` is its address after the ticket's.

    `refused` are the problems of one that another act overtook, of which `done` say that it was carried out before.
    `missing` are those of one that is about something that is not there.
    `wanted` is the probability that somebody wants to carry it out at all; those that lead to the end have None.
    """

    operation: str
    path: str
    form: Form
    refused: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    success: int = 200
    calls: int = 1
    wanted: float | None = None
    missing: tuple[str, ...] = ()


def _same(form: Any) -> Form:
    return lambda _: form


def _classified(dice: Random) -> Any:
    information = dice.random() < 0.4
    return {"kind": "information"} if information else {"kind": "complaint", "opd": dice.choice(OPDS)}


def _responded(dice: Random) -> Any:
    return {"text": f"{TEXT['text']} Surat {dice.getrandbits(48):012x}."}


ENDED = ("withdrawn", "abandoned")
PREPARED = ("being-prepared",)

ACTS: dict[Act, Sent] = {
    Act.HAND_OVER: Sent("hand over", "handover", _same(None), ENDED),
    Act.CLASSIFY: Sent("classify", "classification", _classified, ENDED),
    Act.RESPOND: Sent("respond", "response", _responded, (*ENDED, "no-longer-here")),
    Act.APPROVE: Sent("approve", "approval", _same({"approved": True}), ENDED),
    Act.ANSWER: Sent("answer", "answer", _same(TEXT), ENDED),
    Act.CONFIRM: Sent("confirm", "receipt", _same(None), ("not-your-step",)),
    Act.SUPPLEMENT: Sent("supplement", "supplements", _same(None), (*ENDED, "supplement-too-late"), wanted=0.3),
    Act.WITHDRAW: Sent(
        "withdraw",
        "withdrawal",
        _same(WHY),
        ("already-closed", "too-late-to-withdraw", "abandoned"),
        ("already-withdrawn",),
        (journey.WITHDRAWN,),
        success=202,
        calls=2,
        wanted=0.35,
    ),
    Act.KEEP: Sent("keep", "continuation", _same(WHY), ("nothing-to-keep",), facts=(journey.KEPT,), wanted=0.7),
    Act.DECLINE: Sent(
        "decline",
        "declination",
        lambda dice: WHY | dice.choice([{}, {"better_opd": OPDS[0]}]),
        (*ENDED, "no-longer-here", "already-responded"),
        facts=(journey.DECLINED,),
        wanted=0.4,
    ),
    Act.RECALL: Sent("recall", "recall", _same(WHY), (*ENDED, "not-with-opd"), facts=(journey.RECALLED,), wanted=0.4),
    Act.REQUEST_TIME: Sent(
        "request time",
        "time-request",
        lambda dice: WHY | {"days": dice.randint(1, 30)},
        (*ENDED, "no-longer-here", "already-responded"),
        ("already-asked",),
        facts=(journey.REQUESTED,),
        wanted=0.4,
    ),
    Act.GRANT_TIME: Sent(
        "grant time",
        "time-grant",
        lambda dice: dice.choice([{"days": dice.randint(1, 30)}, {"days": 0, "note": "Waktunya cukup."}]),
        (*ENDED, "no-request"),
        facts=(journey.GRANTED,),
        wanted=0.8,
    ),
    Act.GATHER: Sent(
        "gather",
        "further-opd",
        lambda dice: {"opd": dice.choice(OPDS)},
        # The OPD that is drawn may be the one that has just responded.
        (*ENDED, "no-response-yet", "already-approved", "already-gathered"),
        facts=(journey.GATHERED,),
        wanted=0.3,
    ),
    Act.CONCLUDE: Sent(
        "conclude",
        "conclusion",
        lambda dice: {},
        (*ENDED, "nothing-gathered", "already-classified"),
        facts=(journey.CONCLUDED,),
        wanted=0.5,
    ),
    # The form gets the ticket of another complaint, which may have been decided meanwhile.
    Act.JOIN: Sent(
        "join",
        "joins",
        _same(WHY),
        (*ENDED, "already-classified", "cannot-join"),
        ("already-joined",),
        facts=(journey.JOINED,),
        wanted=0.6,
    ),
    Act.PART: Sent("part", "parting", _same(WHY), (*ENDED, "not-joined"), facts=(journey.PARTED,), wanted=0.4),
    Act.RECLASSIFY: Sent(
        "reclassify",
        "reclassification",
        _same(WHY),
        (*ENDED, *PREPARED, "no-information", "not-your-step", "already-answered"),
        facts=(journey.RETURNED,),
        calls=2,
        wanted=0.4,
    ),
    Act.OBJECT: Sent(
        "object",
        "objection",
        _same(WHY),
        (*PREPARED, "not-your-step", "not-answered-yet", "objection-too-late"),
        ("already-objected",),
        (journey.REOPENED,),
        calls=2,
        wanted=0.4,
    ),
    Act.RATE: Sent(
        "rate",
        "rating",
        lambda dice: {"rating": dice.randint(1, 5)},
        (*PREPARED, "not-your-step", "not-closed-yet"),
        ("already-rated",),
        ("answer.rated.v1",),
        calls=2,
        wanted=0.6,
    ),
    Act.ASK: Sent(
        "ask",
        "questions",
        _same(ASKED),
        (*ENDED, "already-handed-over", "not-your-step", "already-responded", "no-longer-here", "without-reporter"),
        ("question-open",),
        ("question.asked.v1",),
        calls=3,
        wanted=0.7,
    ),
    # The traffic lets questions lapse, which would take days.
    Act.ABANDON: Sent(
        "abandon",
        "abandonment",
        _same(WHY),
        (
            *ENDED,
            "already-handed-over",
            "not-your-step",
            "already-responded",
            "no-longer-here",
            "nothing-lapsed",
            "responded-before",
        ),
        facts=(journey.ABANDONED,),
        wanted=0.7,
    ),
    Act.ANSWER_QUESTION: Sent(
        "answer question",
        "questions/1/answer",
        lambda dice: {"text": f"Hari {dice.choice(('Senin', 'Selasa'))}."},
        (*PREPARED, "question-overtaken", "question-has-lapsed"),
        ("question-answered-before",),
        ("question.answered.v1",),
        calls=2,
        missing=("unknown-question",),
        wanted=0.8,
    ),
    Act.NOTE: Sent(
        "note",
        "notes",
        lambda dice: {"text": f"Catatan {dice.getrandbits(96):024x}"},
        success=201,
        calls=2,
        wanted=0.5,
    ),
    # Each desk has one account here, so that whoever stepped aside would leave the case to nobody: Tim Utama has
    # somebody step aside who does not work on it.
    Act.RECUSE: Sent("recuse", "recusals", _same(ASIDE), facts=(RECUSED,), calls=2, wanted=0.4),
}

RETURN = Sent("return", "approval", _same({"approved": False, "note": "Uraikan."}), ENDED, wanted=0.3)
"""What Tim Utama does with a response instead of Act.APPROVE; the table of acts has both as one."""

EVERY = (*ACTS.values(), RETURN)

MEANWHILE = {sent.operation: sent.refused for sent in EVERY}
"""By operation: why an act on a crowded complaint may be refused besides what is promised of one on the plain path."""
