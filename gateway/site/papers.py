"""The documents of a complaint, as files to keep or print: for whom and from when on, as with the API."""

from flask import Response, abort, g

from gateway import papers
from gateway.complaints import known
from gateway.limits import by_account, limit
from gateway.site.guard import new_pages
from gateway.site.session import needs
from nkk.sop.steps import Role

pages = new_pages("papers")


@pages.get("/laporan/<ticket>/dokumen/<kind>.<any(docx, pdf):format>")
@needs(Role.REPORTER, Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM)
@limit("DOCUMENTS", by_account)
def file(ticket: str, kind: str, format: str) -> Response:
    """A document. For its reporter, opening the answer's is receiving the answer."""
    if kind not in papers.OF_COMPLAINTS:
        abort(404)
    ticket = known(ticket)
    return papers.of_complaint(ticket, kind, format, Role(g.actor.role))
