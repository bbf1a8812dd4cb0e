"""Acts beside the path of the seven steps. Each complaint lists those that are possible now (`acts`)."""

from collections.abc import Callable
from typing import Any

from marshmallow import Schema

from gateway import complaints, notes, questions, schemas
from gateway.api.resources import Resources
from gateway.auth import needs
from gateway.limits import by_account, limit
from nkk.contracts import views
from nkk.sop.steps import Role

STAFF = (Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM)

resources = Resources(
    "acts", __name__, description="Acts beside the path; `acts` of a complaint lists the possible ones"
)

Form = dict[str, Any]


def _act(
    path: str,
    role: Role,
    schema: type[Schema],
    carry_out: Callable[[str, Form], views.Acted],
    what: str,
    status: int = 200,
) -> None:
    # Reporters are limited as in submitting; staff work in their offices.
    limited = limit("SUBMISSION", by_account) if role == Role.REPORTER else lambda view: view

    @resources.route(f"/complaints/<ticket>/{path}", methods=["POST"], endpoint=carry_out.__name__)
    @needs(role)
    @limited
    @resources.doc(summary=what)
    @resources.arguments(schema())
    @resources.response(status, schemas.Standing)
    @resources.alt_response(404, response="NOT_FOUND")
    @resources.alt_response(409, response="CONFLICT")
    def act(form: Form, ticket: str) -> views.Acted:
        return carry_out(ticket, form)


_act(
    "withdrawal",
    Role.REPORTER,
    schemas.Reason,
    complaints.withdraw,
    "Withdraw your report, until the answer is sent. 202: an answer sent at the same moment prevails; you are told.",
    202,
)
_act(
    "objection",
    Role.REPORTER,
    schemas.Objection,
    complaints.object_to,
    "Object to the answer, once, within ten working days: the complaint is classified anew.",
)
_act("rating", Role.REPORTER, schemas.Rating, complaints.rate, "Rate the answer, once the complaint is closed.")
_act(
    "declination",
    Role.OPD_TEAM,
    schemas.Declination,
    complaints.decline,
    "Decline a complaint that is not your agency's: back to the main team.",
)
_act(
    "recall",
    Role.MAIN_TEAM,
    schemas.Reason,
    complaints.recall,
    "Take a complaint back from the OPD that has still to respond, to classify it anew.",
)
_act(
    "time-request",
    Role.OPD_TEAM,
    schemas.TimeRequest,
    complaints.request_time,
    "Ask the main team for more working days to respond, once each time that the complaint is forwarded.",
)
_act(
    "time-grant",
    Role.MAIN_TEAM,
    schemas.TimeGrant,
    complaints.grant_time,
    "Decide on the OPD's request: its step is due so many working days later. The promise to the reporter stays.",
)
_act(
    "further-opd",
    Role.MAIN_TEAM,
    schemas.FurtherOpd,
    complaints.gather,
    "Keep the response and forward the complaint to a further OPD; the operator gets all responses together.",
)
_act(
    "conclusion",
    Role.MAIN_TEAM,
    schemas.Conclusion,
    complaints.conclude,
    "Hand the responses that were kept to the operator, as the further OPD declined or the complaint was taken back.",
)
_act(
    "joins",
    Role.MAIN_TEAM,
    schemas.Joining,
    complaints.join,
    "Join a report with another about the same matter: it rests until that is decided, then each is answered alone.",
)
_act(
    "parting",
    Role.MAIN_TEAM,
    schemas.Reason,
    complaints.part,
    "Part a report from the one that it rests with: it is classified alone. Once decided, the operator sends it back.",
)
_act(
    "reclassification",
    Role.OPERATOR,
    schemas.Reason,
    complaints.reclassify,
    "Send information back to the main team, because it is a complaint after all, or a joined report: another matter.",
)
_act(
    "continuation",
    Role.MAIN_TEAM,
    schemas.Reason,
    complaints.keep,
    "Let a withdrawn report, which was at your desk, go on without its reporter.",
)


@resources.route("/complaints/<ticket>/recusals", methods=["POST"])
@needs(*STAFF)
@resources.arguments(schemas.Recusal())
@resources.response(200, schemas.Recused)
@resources.alt_response(404, response="NOT_FOUND")
def recuse(form: Form, ticket: str) -> views.Recused:
    """Step aside from a complaint, which you then see no more; the main team also has a colleague step aside."""
    return complaints.recuse(ticket, form)


@resources.route("/complaints/<ticket>/questions", methods=["POST"])
@needs(*STAFF)
@resources.arguments(schemas.QuestionText())
@resources.response(200, schemas.Standing)
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def ask(form: Form, ticket: str) -> views.Acted:
    """Ask the reporter about a complaint at your desk: its step's clock rests until they answer, or it lapses."""
    return questions.ask(ticket, form["text"])


@resources.route("/complaints/<ticket>/abandonment", methods=["POST"])
@needs(*STAFF)
@resources.arguments(schemas.Reason())
@resources.response(200, schemas.Standing)
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def abandon(form: Form, ticket: str) -> views.Acted:
    """Close a complaint at your desk as not completed, because your question lapsed; the reporter reads the reason."""
    return questions.abandon(ticket, form)


@resources.route("/complaints/<ticket>/questions", methods=["GET"])
@needs(Role.REPORTER, *STAFF)
@resources.response(200, schemas.Questions)
@resources.alt_response(404, response="NOT_FOUND")
def read_questions(ticket: str) -> Form:
    """List the questions to the reporter and their answers."""
    return {"items": questions.of(ticket)}


@resources.route("/complaints/<ticket>/questions/<int:number>/answer", methods=["POST"])
@needs(Role.REPORTER)
@limit("SUBMISSION", by_account)
@resources.arguments(schemas.QuestionAnswer())
@resources.response(200, schemas.AnsweredQuestion)
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def answer_question(form: Form, ticket: str, number: int) -> views.AnsweredQuestion:
    """Answer a question about your own complaint, once; every desk that has the complaint reads it."""
    return questions.answer(ticket, number, form)


@resources.route("/complaints/<ticket>/notes", methods=["GET"])
@needs(*STAFF)
@resources.response(200, schemas.Notes)
@resources.alt_response(404, response="NOT_FOUND")
def read_notes(ticket: str) -> Form:
    """List the notes about a complaint: those of your desk, and for the main team those of all desks."""
    return {"items": notes.of(complaints.known(ticket))}


@resources.route("/complaints/<ticket>/notes", methods=["POST"])
@needs(*STAFF)
@resources.arguments(schemas.NoteText())
@resources.response(201, schemas.Notes)
@resources.alt_response(404, response="NOT_FOUND")
def add_note(form: Form, ticket: str) -> Form:
    """Add a note about a complaint, for your own desk and for the main team."""
    ticket = complaints.known(ticket)
    notes.add(ticket, form["text"])
    return {"items": notes.of(ticket)}
