"""Complaints: reporters submit and follow them, and each desk acts on them at its step."""

from typing import Any

from gateway import complaints, schemas
from gateway.api.describing import next_acts
from gateway.api.resources import Resources
from gateway.auth import needs
from gateway.limits import by_account, limit
from nkk.contracts import views
from nkk.sop.steps import Role

READERS = (Role.REPORTER, Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM)

resources = Resources("complaints", __name__, description="Complaints, and the acts of the seven steps")


@resources.route("/complaints", methods=["POST"])
@needs(Role.REPORTER)
@limit("SUBMISSION", by_account)
@resources.arguments(schemas.IdempotencyKey(), location="headers")
@resources.arguments(schemas.ComplaintForm())
@resources.response(201, schemas.Receipt)
@next_acts(201, "complaints_read", "complaints_timeline", "complaints_hand_over", "claims_claim")
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def submit(headers: dict[str, str], form: dict[str, Any]) -> dict[str, Any]:
    """Step 1: submit a complaint. A 201 means that it is stored on disk; keep the ticket."""
    return complaints.submit(form, headers.get("idempotency_key"))


@resources.route("/complaints", methods=["GET"])
@needs(Role.REPORTER)
@resources.arguments(schemas.Page(), location="query")
@resources.response(200, schemas.Listing)
def own(page: dict[str, Any]) -> dict[str, Any]:
    """List your own complaints, newest first."""
    return complaints.own(page.get("cursor"), page.get("limit"))


@resources.route("/complaints/<ticket>", methods=["GET"])
@needs(*READERS)
@resources.response(200, schemas.Complaint)
@resources.alt_response(404, response="NOT_FOUND")
def read(ticket: str) -> views.Complaint:
    """Get a complaint, with what your role may see. For its reporter, reading the answer counts as receiving it."""
    return complaints.view(ticket)


@resources.route("/complaints/<ticket>/identity", methods=["POST"])
@needs(Role.OPERATOR)
@resources.response(200, schemas.Reporter)
@resources.alt_response(404, response="NOT_FOUND")
def identity(ticket: str) -> dict[str, Any]:
    """Get the reporter's identity (Data Pemberi Aduan). Every call is recorded.

    The call is refused if the reporter asked for confidentiality, the caller's account is disabled or the session has
    ended.
    """
    return complaints.identity(ticket)


@resources.route("/complaints/<ticket>/timeline", methods=["GET"])
@needs(*READERS)
@resources.response(200, schemas.Timeline)
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def timeline(ticket: str) -> complaints.Followed:
    """Get the timeline of a complaint through the seven steps.

    A team gets the problem `being-prepared` until notification has consumed the event that brought the complaint to the
    team's desk a moment ago.
    """
    return complaints.timeline(ticket)


@resources.route("/complaints/<ticket>/handover", methods=["POST"])
@needs(Role.OPERATOR)
@resources.response(200, schemas.Standing)
@next_acts(200, "complaints_classify", "claims_claim")
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def hand_over(ticket: str) -> views.Acted:
    """Step 2: hand the complaint over to the main team."""
    return complaints.hand_over(ticket)


@resources.route("/complaints/<ticket>/classification", methods=["POST"])
@needs(Role.MAIN_TEAM)
@resources.arguments(schemas.Classification())
@resources.response(200, schemas.Standing)
@next_acts(200, "complaints_respond", "complaints_answer")
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def classify(form: dict[str, Any], ticket: str) -> views.Acted:
    """Step 3: classify the complaint as information, or as a complaint for an OPD's helper team."""
    return complaints.classify(ticket, form)


@resources.route("/complaints/<ticket>/response", methods=["POST"])
@needs(Role.OPD_TEAM)
@resources.arguments(schemas.Response())
@resources.response(200, schemas.Standing)
@next_acts(200, "complaints_approve")
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def respond(form: dict[str, Any], ticket: str) -> views.Acted:
    """Step 4: respond as the OPD's helper team, and again after each return."""
    return complaints.respond(ticket, form)


@resources.route("/complaints/<ticket>/approval", methods=["POST"])
@needs(Role.MAIN_TEAM)
@resources.arguments(schemas.Approval())
@resources.response(200, schemas.Standing)
@next_acts(200, "complaints_respond", "complaints_answer")
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def approve(form: dict[str, Any], ticket: str) -> views.Acted:
    """Step 5: hand the response to the operator, or return it with a note."""
    return complaints.approve(ticket, form)


@resources.route("/complaints/<ticket>/answer", methods=["POST"])
@needs(Role.OPERATOR)
@resources.arguments(schemas.AnswerText())
@resources.response(200, schemas.Standing)
@next_acts(200, "complaints_read", "complaints_confirm_receipt")
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def answer(form: dict[str, Any], ticket: str) -> views.Acted:
    """Step 6: send the answer to the reporter."""
    return complaints.answer(ticket, form)


@resources.route("/complaints/<ticket>/receipt", methods=["POST"])
@needs(Role.REPORTER)
@resources.response(200, schemas.Standing)
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def confirm_receipt(ticket: str) -> views.Acted:
    """Step 7: confirm as the reporter that you have received the answer."""
    return complaints.confirm_receipt(ticket)
