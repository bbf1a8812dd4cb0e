"""The files of a complaint as pages: opened, and added by its reporter."""

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from gateway import complaints, evidence, schemas
from gateway.backend import backend
from gateway.limits import by_account, limit
from gateway.site import forms, uploading
from gateway.site.forms import Form
from gateway.site.guard import new_pages
from gateway.site.session import needs
from nkk.sop.steps import Role

READERS = (Role.REPORTER, Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM)

pages = new_pages("evidence")


@pages.get("/laporan/<ticket>/bukti/<number>")
@needs(*READERS)
def file(ticket: str, number: str) -> Response:
    """Return a file of a complaint, or a part of it, to keep or play."""
    return evidence.opened(complaints.known(ticket), number)


@pages.get("/laporan/<ticket>/bukti/<number>/pratinjau")
@needs(*READERS)
def preview(ticket: str, number: str) -> Response:
    """Return the preview of a file."""
    return evidence.preview(complaints.known(ticket), number)


@pages.route("/laporan/<ticket>/tambah", methods=["GET", "POST"])
@needs(Role.REPORTER)
@limit("SUBMISSION", by_account, exempt_when=forms.idle)
@uploading.takes_files
def add(ticket: str) -> ResponseReturnValue:
    """Show the form that adds files to a report, or add them."""
    ticket = complaints.known(ticket)

    def show(form: Form) -> str:
        case = evidence.shown_in(backend().call("intake", "complaint", ticket))
        return render_template("add_files.html", form=form, case=case)

    def act(form: dict[str, list[str]]) -> ResponseReturnValue:
        added = len(form["files"])
        complaints.supplement(ticket, form["files"])
        flash(ngettext("%(num)s berkas ditambahkan.", "%(num)s berkas ditambahkan.", added))
        return redirect(url_for("cases.read", ticket=ticket) + "#bukti", 303)

    if request.method == "GET":
        return show(Form())
    return forms.attempt(schemas.Supplement, act, show, lambda _: {"files": uploading.ids()})
