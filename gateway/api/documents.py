"""The documents of a complaint and the monthly recapitulation, made on request in a process of their own."""

import json
from collections.abc import Callable
from typing import Any

from flask import Response, g

from gateway import papers, recap, schemas
from gateway.api.complaints import READERS
from gateway.api.resources import Resources
from gateway.auth import needs
from gateway.complaints import known
from gateway.documents import MEDIA_TYPES
from gateway.limits import by_account, limit
from nkk.sop.steps import Role

OPENED = ", ".join(f'"{kind}"' for kind in sorted(papers.OF_COMPLAINTS - set(papers.BY_ACT)))
"""The kinds that are opened by GET; the others are made by POST."""

resources = Resources("documents", __name__, description="The documents of each step, and the monthly recapitulation")


def as_file(*formats: str, **more: Any) -> Callable[..., Any]:
    """Return a view decorator that describes a 200 with a file of one of `formats`, or with `more` by media type."""
    media = {MEDIA_TYPES[name]: {"schema": {"type": "string", "format": "binary"}} for name in formats}
    return resources.doc(responses={"200": {"description": "The file.", "content": media | more}})


@resources.route(f"/complaints/<ticket>/documents/<any({OPENED}):kind>.<any(docx, pdf):format>", methods=["GET"])
@needs(*READERS)
@limit("DOCUMENTS", by_account)
@as_file("docx", "pdf")
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def document(ticket: str, kind: str, format: str) -> Response:
    """Get a document of a complaint as DOCX or PDF, with what your role may see.

    For its reporter, opening the document with the answer counts as receiving the answer.
    """
    role = Role(g.actor.role)
    papers.require(kind, role)
    return papers.of_complaint(known(ticket), kind, format, role)


def _by_act(kind: str) -> Callable[..., Any]:
    @resources.route(f"/complaints/<ticket>/documents/{kind}.<any(docx, pdf):format>", methods=["POST"], endpoint=kind)
    @needs(Role.OPERATOR)
    @limit("DOCUMENTS", by_account)
    @resources.doc(summary="Get the document with the reporter's identity, as DOCX or PDF. Every call is recorded.")
    @as_file("docx", "pdf")
    @resources.alt_response(404, response="NOT_FOUND")
    @resources.alt_response(409, response="CONFLICT")
    def made(ticket: str, format: str) -> Response:
        return papers.of_complaint(known(ticket), kind, format, Role(g.actor.role))

    return made


for _kind in papers.BY_ACT:
    _by_act(_kind)


@resources.route("/reports/monthly", methods=["GET"])
@needs(*recap.COUNTERS)
@limit("DOCUMENTS", by_account)
@resources.arguments(schemas.Recapitulation(), location="query")
@as_file("xlsx", "pdf", **{"application/json": {"schema": schemas.Month}})
def monthly(form: dict[str, str]) -> Response:
    """Get the recapitulation of a month (WIB): counts, times against the standard, open and late complaints."""
    month = form["month"]
    if form["format"] == "json":
        return Response(json.dumps(recap.of_month(month), ensure_ascii=False), mimetype="application/json")
    return recap.as_file(month, form["format"])
