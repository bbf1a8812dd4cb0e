"""Reports that the servers of other websites send in for their visitors, and follow; and that operators enter."""

import hashlib
import json
from typing import Any

from flask import Response, jsonify, request

from gateway import entries, schemas
from gateway.api.documents import as_file
from gateway.api.resources import Resources
from gateway.auth import needs
from gateway.limits import by_account, limit
from nkk.sop.steps import Role

resources = Resources(
    "entries", __name__, description="Reports entered for a person, by the servers of other websites or an operator"
)


@resources.route("/entries", methods=["POST"])
@needs(Role.WEBSITE, Role.OPERATOR)
@limit("WEBSITE", by_account)
@resources.arguments(schemas.IdempotencyKey(), location="headers")
@resources.arguments(schemas.EntryForm())
@resources.response(201, schemas.EntryReceipt)
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def submit(headers: dict[str, str], form: dict[str, Any]) -> dict[str, Any]:
    """Step 1: submit a complaint for a person, as a website's server or an operator. A 201: it is stored on disk.

    Send an Idempotency-Key of its own with each entry, and the same one when you send the entry again: then it has the
    same ticket and the same access code. The person's identity is stored encrypted, and no response contains it. The
    clocks start with the entry. An operator names the channel.
    """
    return entries.submit(form, headers.get("idempotency_key"))


@resources.route("/entries/<ticket>/code", methods=["POST"])
@needs(Role.OPERATOR)
@limit("SUBMISSION", by_account, of="codes")
@resources.response(201, schemas.RenewedCode)
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def renew_code(ticket: str) -> dict[str, Any]:
    """Give a complaint that an operator entered a new access code, which ends the one before at once; it is recorded.

    Check first that it is the same person: the code opens their account.
    """
    return entries.renew_code(ticket)


@resources.route("/entries/<ticket>/receipt.<any(docx, pdf):format>", methods=["POST"])
@needs(Role.OPERATOR)
@limit("DOCUMENTS", by_account)
@resources.arguments(schemas.ShownCode())
@as_file("docx", "pdf")
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def receipt(form: dict[str, Any], ticket: str, format: str) -> Response:
    """Get the receipt on paper for the person, with the ticket, what is promised, and the access code that you send."""
    return entries.receipt(ticket, form["access_code"], format)


@resources.route("/entries", methods=["GET"])
@needs(Role.WEBSITE)
@resources.arguments(schemas.Page(), location="query")
@resources.response(200, schemas.EntryListing)
def own(page: dict[str, Any]) -> dict[str, Any]:
    """List the complaints that your website sent in, newest first."""
    return entries.own(page.get("cursor"), page.get("limit"))


@resources.route("/entries/<ticket>", methods=["GET"])
@needs(Role.WEBSITE)
@resources.arguments(schemas.Known(), location="headers")
@resources.response(200, schemas.EntryStatus, headers=schemas.ETAG_HEADERS)
@resources.alt_response(304, description="Nothing has changed since the response with this ETag.")
@resources.alt_response(404, response="NOT_FOUND")
def read(_headers: dict[str, str], ticket: str) -> Response:
    """Get the state of a complaint that your website sent in: the step it waits for, and when it is due."""
    status = schemas.EntryStatus().dump(entries.one(ticket))
    response = jsonify(status)
    response.set_etag(hashlib.sha256(json.dumps(status, sort_keys=True).encode()).hexdigest()[:32])
    response.make_conditional(request)
    return response
