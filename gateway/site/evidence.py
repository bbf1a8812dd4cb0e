"""The files of a complaint as pages: opened, and added by its reporter."""

from collections.abc import Mapping
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

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
        return render_template("add_files.html", form=form, case=case, draft=draft_of(ticket))

    def act(form: dict[str, Any]) -> ResponseReturnValue:
        added, text = len(form["files"]), form.get("text")
        complaints.supplement(ticket, form["files"], text)
        flash(what_was_added(added, bool(text)))
        flash(draft_of(ticket), "draft")
        return redirect(url_for("cases.read", ticket=ticket) + "#tambahan", 303)

    if request.method == "GET":
        return show(Form())
    return forms.attempt(schemas.Supplement, act, show, _read)


def what_was_added(files: int, text: bool) -> str:
    """Return what is said once `files`, words or both were added."""
    if not files:
        return gettext("Keterangan Anda ditambahkan.")
    if not text:
        return ngettext("%(num)s berkas ditambahkan.", "%(num)s berkas ditambahkan.", files)
    return ngettext(
        "Keterangan Anda dan %(num)s berkas ditambahkan.", "Keterangan Anda dan %(num)s berkas ditambahkan.", files
    )


def draft_of(ticket: str) -> str:
    """Return the name under which a browser keeps the words that are being added."""
    return f"tambah-{ticket}"


def _read(values: Mapping[str, str]) -> dict[str, Any]:
    return forms.filled_in(schemas.Supplement, values) | {"files": uploading.ids()}
