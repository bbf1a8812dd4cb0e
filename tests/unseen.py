"""Calls about a case that the caller may not see: every method that takes a ticket, its answer and its statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import event as engine_event

from nkk.sop.refusals import Refused
from nkk.trust.actor import Actor
from tests.builders import REPORT
from tests.stages import MAIN_TEAM, OPD, OPD_TEAM, OPERATOR, REPORTER, House

NEVER = "NKK-2026-0000-0000"
ANOTHER = "NKK-2026-0000-0011"
DESKS = {"intake": OPERATOR, "triage": MAIN_TEAM, "opd_response": OPD_TEAM}
COLLEAGUES = {
    "intake": Actor("staff-11", "operator"),
    "triage": Actor("staff-12", "main_team"),
    "opd_response": Actor("staff-13", "opd_team", OPD),
}

ARGUMENTS: dict[str, dict[str, tuple[Any, ...]]] = {
    "intake": {
        "complaint": (),
        "is_confidential": (),
        "is_unreachable": (),
        "open_file": ("1",),
        "hand_over": (),
        "claim": (),
        "release": (),
        "notes": (),
        "add_note": ("Catatan.",),
        "ask": ("Kapan?",),
        "abandon": ("Tanpa jawaban tidak dapat diperiksa.",),
    },
    "triage": {
        "case": (),
        "open_file": ("1",),
        "classify_as_information": (),
        "forward": (OPD,),
        "approve": (),
        "return_response": ("Belum menjawab.",),
        "recall": ("Salah alamat.",),
        "keep": ("Berulang.",),
        "grant_time": (2,),
        "gather": ("inspektorat",),
        "conclude": (),
        "join": (ANOTHER, "Hal yang sama."),
        "similar": (),
        "part": ("Hal yang lain.",),
        "claim": (),
        "release": (),
        "notes": (),
        "add_note": ("Catatan.",),
        "ask": ("Kapan?",),
        "abandon": ("Tanpa jawaban tidak dapat diperiksa.",),
    },
    "opd_response": {
        "case": (),
        "open_file": ("1",),
        "respond": ("Ditegur.",),
        "decline": ("Bukan kami.",),
        "request_time": (2, "Menunggu arsip."),
        "claim": (),
        "release": (),
        "notes": (),
        "add_note": ("Catatan.",),
        "ask": ("Kapan?",),
        "abandon": ("Tanpa jawaban tidak dapat diperiksa.",),
    },
    "notification": {
        "answer": (),
        "open_file": ("1",),
        "send_answer": ("Jawaban.",),
        "send_back": ("Ini pengaduan.",),
        "claim": (),
        "release": (),
        "timeline": (),
        "questions": (),
        "open_question_file": ("T1-1",),
    },
}
"""What staff call about a case at each stage, with what comes after the ticket."""

OTHERS = {
    # Reporters', websites' and an admin's methods; and stepping aside itself, which is tried on its own.
    "intake": {"supplement", "withdraw", "entry", "recuse"},
    "triage": {"recuse"},
    "opd_response": {"recuse"},
    "notification": {"read_answer", "open_answer", "confirm_receipt", "object_to", "rate", "record", "answer_question"},
}


def everywhere(stages: House, report: dict[str, Any] = REPORT) -> str:
    """Return a complaint that every desk has."""
    ticket: str = stages.do("intake", "submit", REPORTER, report)["ticket"]
    for stage, act, actor, *args in (
        ("intake", "hand_over", OPERATOR),
        ("triage", "forward", MAIN_TEAM, OPD),
        ("opd_response", "respond", OPD_TEAM, "Ditegur."),
        ("triage", "approve", MAIN_TEAM),
    ):
        stages.settle()
        stages.now += timedelta(minutes=1)
        stages.do(str(stage), str(act), actor, ticket, *args)
    stages.settle()
    return ticket


@contextmanager
def statements(stages: House, stage: str) -> Iterator[list[str]]:
    """Collect the SQL statements of a stage."""
    engine, found = stages.databases[stage].engine, []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.append(statement)

    engine_event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        engine_event.remove(engine, "before_cursor_execute", note)


def refusal(stages: House, stage: str, method: str, actor: Actor, ticket: str) -> tuple[Any, list[str]]:
    """Return what a call is answered with, and its SQL statements."""
    with statements(stages, stage) as found:
        try:
            answer: Any = stages.do(stage, method, actor, ticket, *ARGUMENTS[stage][method])
        except Refused as error:
            answer = (type(error), error.code, error.details)
    return answer, found


CALLS = [(stage, method) for stage, named in ARGUMENTS.items() for method in named]
