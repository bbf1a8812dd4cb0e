"""The documents of a complaint as files to keep or print, under the same rules as in the API."""

from flask import Response, abort, g, redirect, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import MethodNotAllowed

from gateway import papers
from gateway.complaints import known
from gateway.limits import by_account, limit
from gateway.site.guard import new_pages
from gateway.site.session import needs
from nkk.sop.steps import Role

FORMATS = ("docx", "pdf")

pages = new_pages("papers")


@pages.get("/laporan/<ticket>/dokumen/<kind>.<any(docx, pdf):format>")
@needs(Role.REPORTER, Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM)
@limit("DOCUMENTS", by_account)
def file(ticket: str, kind: str, format: str) -> Response:
    """Return a document. For its reporter, opening the document with the answer counts as receiving the answer."""
    if kind not in papers.OF_COMPLAINTS:
        abort(404)
    papers.require(kind, Role(g.actor.role))
    if kind in papers.BY_ACT:
        raise MethodNotAllowed
    return papers.of_complaint(known(ticket), kind, format, Role(g.actor.role))


@pages.post(f"/laporan/<ticket>/{papers.REPORTER}/<format>")
@needs(Role.OPERATOR)
@limit("DOCUMENTS", by_account)
def who_reported(ticket: str, format: str) -> Response:
    """Return the document that shows who reported. Intake records each reading."""
    if format not in FORMATS:
        abort(404)
    return papers.of_complaint(known(ticket), papers.REPORTER, format, Role(g.actor.role))


@pages.get(f"/laporan/<ticket>/{papers.REPORTER}/<format>")
@needs(Role.OPERATOR)
def back(ticket: str, format: str) -> ResponseReturnValue:
    """Redirect to the complaint where the document's address is opened by GET, for example after a log-in."""
    return redirect(url_for("cases.read", ticket=known(ticket)), 303)
