"""Questions to reporters, for the API and the pages: asked at the caller's own desk, kept at notification."""

from typing import Any

from flask import g

from gateway import journeys
from gateway.backend import backend
from gateway.complaints import known
from gateway.notes import NOTED_AT
from nkk.contracts import views
from nkk.sop.steps import Role


def ask(ticket: str, text: str) -> views.Acted:
    """Ask the reporter about a complaint that stands at the caller's desk."""
    return backend().call(NOTED_AT[Role(g.actor.role)], "ask", known(ticket), text)


def of(ticket: str) -> list[views.Question]:
    """Return the questions about a complaint that the caller may follow; none where notification has it not yet."""
    return journeys.told(known(ticket), "questions") or []


def answer(ticket: str, number: int, form: dict[str, Any]) -> views.AnsweredQuestion:
    """Answer a question about the caller's own complaint."""
    answered = journeys.told(known(ticket), "answer_question", number, form["text"])
    if answered is None:
        raise journeys.being_prepared()
    return answered
