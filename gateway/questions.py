"""Questions to reporters, for the API and the pages: asked at the caller's own desk, kept at notification."""

from typing import Any, cast

from flask import g

from gateway import desks, evidence, journeys
from gateway.backend import backend
from gateway.complaints import is_unreachable, known
from gateway.notes import NOTED_AT
from nkk.contracts import views
from nkk.messaging.calls import RefusedRemotelyError
from nkk.sop.refusals import NotYourStep
from nkk.sop.steps import Role, Stands


class ReporterUnreachable(NotYourStep):
    """The reporter has neither an e-mail address nor an account that they opened: a question would reach nobody."""


def ask(ticket: str, text: str) -> views.Acted:
    """Ask the reporter about a complaint that stands at the caller's desk. Raises ReporterUnreachable.

    While intake is unavailable, which knows the reporter, the question is asked all the same.
    """
    check_reachable(ticket)
    return backend().call(NOTED_AT[Role(g.actor.role)], "ask", known(ticket), text)


def check_reachable(ticket: str) -> None:
    """Raise ReporterUnreachable where a question would reach nobody.

    Threat: an agency that was passed over learns that there is a complaint. To whoever does not have it, its reporter
    is as one who can be asked, and their own stage refuses the question.
    """
    if is_unreachable(ticket) and (stands := _stands(known(ticket))):
        raise ReporterUnreachable({"stands": stands})


def _stands(ticket: str) -> Stands | None:
    """Return the state of a complaint at the caller's desk; None where they do not have it."""
    try:
        return desks.read(ticket)["stands"]
    except RefusedRemotelyError as refusal:
        if refusal.name != "UnknownTicket":
            raise
        return None


def abandon(ticket: str, form: dict[str, Any]) -> views.Acted:
    """Close a complaint at the caller's desk as not completed, because a question was not answered."""
    return backend().call(NOTED_AT[Role(g.actor.role)], "abandon", known(ticket), form["reason"])


def of(ticket: str) -> list[views.Question]:
    """Return the questions about a complaint that the caller may follow; none where notification has it not yet."""
    found: list[views.Question] = journeys.told(known(ticket), "questions") or []
    return [cast(views.Question, {**asked, "files": evidence.shown(asked.get("files", ()))}) for asked in found]


def lapsed(ticket: str) -> views.Question | None:
    """Return the last question about a complaint, where it was not answered in time."""
    asked = of(ticket)
    return asked[-1] if asked and asked[-1]["state"] == "lapsed" else None


def answer(ticket: str, number: int, form: dict[str, Any]) -> views.AnsweredQuestion:
    """Answer a question about the caller's own complaint, with the uploads in the form's `files`."""
    # A stage of the version before knows no files: it is sent none where there are none.
    files = [evidence.of_response(form["files"])] if form.get("files") else []
    answered = journeys.told(known(ticket), "answer_question", number, form["text"], *files)
    if answered is None:
        raise journeys.being_prepared()
    return answered
