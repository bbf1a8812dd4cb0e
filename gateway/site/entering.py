"""The operator's pages to enter a report for somebody (step 1): the form, the receipt, and a new access code.

No draft is kept of this form, and no field is offered what was typed before: it holds another person's identity, and
the next person stands at the same screen.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from gateway import complaints, entries, schemas
from gateway.backend import backend
from gateway.limits import by_account, limit
from gateway.site import forms, uploading
from gateway.site.forms import Form
from gateway.site.guard import new_pages
from gateway.site.reporter import KEY
from gateway.site.session import needs
from nkk.messaging.calls import RefusedRemotelyError
from nkk.sop.steps import Channel, Role
from nkk.validation import load

pages = new_pages("entering")


@pages.route("/petugas/laporan-baru", methods=["GET", "POST"])
@needs(Role.OPERATOR)
@limit("WEBSITE", by_account, exempt_when=forms.idle)
@uploading.takes_files
def write() -> ResponseReturnValue:
    """Show the empty form, or enter the report. The key in the address is that of the report, as in the reporter's."""
    if request.method == "GET":
        key = request.args.get("kunci", "")
        if not KEY.fullmatch(key):
            return redirect(url_for(".write", kunci=uuid.uuid4().hex), 303)
        return _form_page(Form({"key": key, "channel": Channel.COUNTER, "kind": "public", "claimed_kind": "complaint"}))
    try:
        return forms.attempt(schemas.EntryForm, _enter, _form_page, _read)
    except RefusedRemotelyError as refusal:
        ticket = refusal.details.get("ticket")
        if refusal.name == "PaperEnteredBefore":
            said = gettext("Surat atau lembar ini sudah dimasukkan sebagai laporan %(ticket)s.", ticket=ticket)
            return _form_page(Form(forms.typed(), {"paper": [said]}, status=409), ticket), 409
        if refusal.name == "IdempotencyKeyReused":
            return _form_page(Form(forms.typed() | {"key": uuid.uuid4().hex}, status=409), ticket), 409
        raise


def _form_page(form: Form, accepted: str | None = None) -> str:
    if "category" in form.faults or "sub_category" in form.faults:
        category, sub_category = form.faults.pop("category", []), form.faults.pop("sub_category", [])
        form.faults = {"topic": sub_category or category} | form.faults
    return render_template("enter.html", form=form, lists=backend().lists(), accepted=accepted)


def _read(values: Mapping[str, str]) -> dict[str, Any]:
    """Read the form for the schema, which has the person apart, and the category from one list."""
    category, _, sub_category = values.get("topic", "").partition("/")
    topic = {"category": category, "sub_category": sub_category} if sub_category else {}
    form = forms.filled_in(schemas.EntryForm, values) | topic | {name: name in values for name in forms.TICKED}
    found = uploading.ids()
    return form | {"reporter": forms.filled_in(schemas.Entrant, values)} | ({"files": found} if found else {})


def _enter(form: dict[str, Any]) -> ResponseReturnValue:
    key = load(schemas.IdempotencyKey, {"Idempotency-Key": request.form.get("key") or uuid.uuid4().hex})
    return _receipt_page(entries.submit(form, key["idempotency_key"]))


def _receipt_page(entered: Mapping[str, Any], is_renewed: bool = False) -> str:
    return render_template("entered.html", entered=entered, is_renewed=is_renewed)


@pages.route("/petugas/laporan/<ticket>/kode", methods=["GET", "POST"])
@needs(Role.OPERATOR)
@limit("SUBMISSION", by_account, of="codes", exempt_when=forms.idle)
def renew_code(ticket: str) -> str:
    """Say what follows from a new access code, or give the report one, which ends the code before."""
    if request.method == "GET":
        return render_template("renew_code.html", ticket=complaints.known(ticket))
    return _receipt_page(entries.renew_code(ticket), is_renewed=True)


@pages.post("/petugas/laporan/<ticket>/tanda-terima")
@needs(Role.OPERATOR)
@limit("DOCUMENTS", by_account)
def receipt(ticket: str) -> Response:
    """Return the receipt on paper, with the access code that the page before showed."""
    shown = load(schemas.ShownCode, forms.filled_in(schemas.ShownCode, forms.typed()))
    return entries.receipt(ticket, shown["access_code"], "pdf")


@pages.get("/petugas/laporan/<ticket>/tanda-terima")
@needs(Role.OPERATOR)
def back(ticket: str) -> ResponseReturnValue:
    """Redirect to the complaint where the receipt's address is opened by GET, for example after a log-in."""
    return redirect(url_for("cases.read", ticket=complaints.known(ticket)), 303)
