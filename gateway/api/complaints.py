"""Complaints: submitted and followed by reporters, acted on by the desk at whose step each stands."""

from typing import Any

from flask import g

from gateway import papers
from gateway.api import Resources, schemas
from gateway.auth import needs
from gateway.backend import backend
from gateway.limits import by_account, limit
from nkk.messaging.calls import RefusedRemotelyError
from nkk.sop.refusals import InvalidInput, UnknownTicket
from nkk.sop.steps import Path, Role
from nkk.sop.ticket import read_ticket

READERS = (Role.REPORTER, Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM)

resources = Resources("complaints", __name__, description="Complaints and their way through the seven steps")


@resources.route("/complaints", methods=["POST"])
@needs(Role.REPORTER)
@limit("SUBMISSION", by_account)
@resources.arguments(schemas.IdempotencyKey(), location="headers")
@resources.arguments(schemas.ComplaintForm())
@resources.response(201, schemas.Receipt)
def submit(headers: dict[str, str], form: dict[str, Any]) -> dict[str, Any]:
    """Step 1: enter a complaint. A 201 means it is on disk; keep the ticket."""
    return backend().call("intake", "submit", form, headers.get("idempotency_key"))


@resources.route("/complaints", methods=["GET"])
@needs(Role.REPORTER)
@resources.arguments(schemas.Page(), location="query")
@resources.response(200, schemas.Listing)
def own(page: dict[str, Any]) -> dict[str, Any]:
    """Your own complaints, newest first."""
    listing = backend().call("intake", "complaints", page.get("cursor"), page.get("limit"))
    standings = backend().call("notification", "standings", [item["ticket"] for item in listing["items"]])
    for item in listing["items"]:
        item["stands"] = standings.get(item["ticket"]) or JUST_SUBMITTED
    return listing


@resources.route("/complaints/<ticket>", methods=["GET"])
@needs(*READERS)
@resources.response(200, schemas.Complaint)
@resources.alt_response(404, response="NOT_FOUND")
def read(ticket: str) -> dict[str, Any]:
    """One complaint, as far as your role may see it. For its reporter, reading the answer counts as receiving it."""
    return _VIEWS[g.actor.role](known(ticket))


@resources.route("/complaints/<ticket>/timeline", methods=["GET"])
@needs(*READERS)
@resources.response(200, schemas.Timeline)
@resources.alt_response(404, response="NOT_FOUND")
def timeline(ticket: str) -> dict[str, Any]:
    """The journey of a complaint through the seven steps."""
    ticket = known(ticket)
    try:
        told = backend().call("notification", "timeline", ticket)
        return told | {"documents": papers.openable(ticket, Role(g.actor.role), told)}
    except RefusedRemotelyError as refusal:
        # Accepted a moment ago, its first event still on the way: its reporter is not told that it does not exist.
        if refusal.name != "UnknownTicket" or g.actor.role != Role.REPORTER:
            raise
        complaint = backend().call("intake", "complaint", ticket)
        return {"ticket": ticket, "path": None, "submitted_at": complaint["submitted_at"],
                "service_due_at": complaint["service_due_at"], "stands": JUST_SUBMITTED, "next": None,
                "entries": [], "documents": []}


@resources.route("/complaints/<ticket>/handover", methods=["POST"])
@needs(Role.OPERATOR)
@resources.response(200, schemas.Standing)
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def hand_over(ticket: str) -> dict[str, Any]:
    """Step 2: the operator hands the complaint to Tim Utama."""
    return backend().call("intake", "hand_over", known(ticket))


@resources.route("/complaints/<ticket>/classification", methods=["POST"])
@needs(Role.MAIN_TEAM)
@resources.arguments(schemas.Classification())
@resources.response(200, schemas.Standing)
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def classify(form: dict[str, Any], ticket: str) -> dict[str, Any]:
    """Step 3: Tim Utama says what it is: information, or a complaint for an OPD's helper team."""
    ticket, opd, note = known(ticket), form.get("opd"), form.get("note")
    if form["kind"] == Path.INFORMATION:
        if opd is not None:
            raise InvalidInput.of(opd="Information goes to the operator: leave the OPD out.")
        return backend().call("triage", "classify_as_information", ticket, note)
    if opd not in backend().lists()["opds"]:
        raise InvalidInput.of(opd="Choose an agency of the roster (GET /opds).")
    return backend().call("triage", "forward", ticket, opd, note)


@resources.route("/complaints/<ticket>/response", methods=["POST"])
@needs(Role.OPD_TEAM)
@resources.arguments(schemas.Text())
@resources.response(200, schemas.Standing)
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def respond(form: dict[str, Any], ticket: str) -> dict[str, Any]:
    """Step 4: the OPD's helper team responds; again, after a return."""
    return backend().call("opd_response", "respond", known(ticket), form["text"])


@resources.route("/complaints/<ticket>/approval", methods=["POST"])
@needs(Role.MAIN_TEAM)
@resources.arguments(schemas.Approval())
@resources.response(200, schemas.Standing)
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def approve(form: dict[str, Any], ticket: str) -> dict[str, Any]:
    """Step 5: Tim Utama hands the response to the operator, or returns it with a note."""
    ticket, note = known(ticket), form.get("note")
    if form["approved"]:
        return backend().call("triage", "approve", ticket, note)
    if note is None:
        raise InvalidInput.of(note="Say what the response lacks: the OPD team works from it.")
    return backend().call("triage", "return_response", ticket, note)


@resources.route("/complaints/<ticket>/answer", methods=["POST"])
@needs(Role.OPERATOR)
@resources.arguments(schemas.Text())
@resources.response(200, schemas.Standing)
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def answer(form: dict[str, Any], ticket: str) -> dict[str, Any]:
    """Step 6: the operator sends the answer to the reporter."""
    return backend().call("notification", "send_answer", known(ticket), form["text"])


@resources.route("/complaints/<ticket>/receipt", methods=["POST"])
@needs(Role.REPORTER)
@resources.response(200, schemas.Standing)
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def confirm_receipt(ticket: str) -> dict[str, Any]:
    """Step 7: the reporter confirms having received the answer."""
    return backend().call("notification", "confirm_receipt", known(ticket))


JUST_SUBMITTED = {"state": "hand_over", "step": 2}


def known(ticket: str) -> str:
    """The ticket as it is written. Raises UnknownTicket where `ticket` can be none."""
    written = read_ticket(ticket)
    if written is None:
        raise UnknownTicket
    return written


def _for_reporter(ticket: str) -> dict[str, Any]:
    return backend().call("intake", "complaint", ticket) | _answer("open_answer", ticket)


def _for_operator(ticket: str) -> dict[str, Any]:
    view = backend().complaint_with_reporter(ticket) | _answer("answer", ticket)
    # The operator has two desks: once it is handed over, nobody is on it at the first any more.
    return view | {"claim": view["claim"] or (view["answer"] or {}).get("claim")}


def _answer(method: str, ticket: str) -> dict[str, Any]:
    """Where a complaint of intake's stands and its answer, as notification knows them."""
    try:
        return backend().call("notification", method, ticket)
    except RefusedRemotelyError as refusal:
        if refusal.name != "UnknownTicket":
            raise
        return {"stands": JUST_SUBMITTED, "answer": None}


_VIEWS = {
    Role.REPORTER: _for_reporter,
    Role.OPERATOR: _for_operator,
    Role.MAIN_TEAM: lambda ticket: backend().call("triage", "case", ticket),
    Role.OPD_TEAM: lambda ticket: backend().call("opd_response", "case", ticket),
}
