"""The reporter's pages: write a complaint (step 1), follow it, receive its answer (step 7)."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from gateway import complaints, schemas
from gateway.backend import backend
from gateway.limits import by_account, limit
from gateway.site import forms, uploading, words
from gateway.site.due import of_service
from gateway.site.forms import Form
from gateway.site.guard import new_pages
from gateway.site.session import needs
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.sop.steps import SERVICE_MINUTES, Role
from nkk.validation import load

PAGE_SIZE = 20
DRAFT = "laporan-baru"
KEY = re.compile(r"[0-9a-f]{32}")

pages = new_pages("reporter")


@pages.get("/laporan")
@needs(Role.REPORTER)
def own() -> str:
    """List the reporter's own complaints, newest first."""
    listing = complaints.written(request.args.get("cursor"), PAGE_SIZE)
    is_told = True
    try:
        complaints.tell_standings(listing)
    except (StageUnavailableError, StageFailedError):
        is_told = False
    known = words.lists()
    rows = [
        row | {"topic": words.topic(row, known), "service": of_service(row, SERVICE_MINUTES)}
        for row in listing["items"]
    ]
    return render_template(
        "own.html", rows=rows, next=listing["next"], first="cursor" not in request.args, is_told=is_told
    )


@pages.route("/laporan/baru", methods=["GET", "POST"])
@needs(Role.REPORTER)
@limit("SUBMISSION", by_account, exempt_when=forms.idle)
@uploading.takes_files
def write() -> ResponseReturnValue:
    """Show the form of step 1, or submit it. A link may choose the category: `?kategori=kode-perilaku/sopan`."""
    if request.method == "GET":
        key, topic = request.args.get("kunci", ""), request.args.get("kategori", "")
        if not KEY.fullmatch(key):
            # The key is in the address, so that the back button leads to the same report and sends no second one.
            return redirect(url_for(".write", kunci=uuid.uuid4().hex, kategori=topic or None), 303)
        return _form_page(_empty(key, topic))
    try:
        return forms.attempt(schemas.ComplaintForm, _submit, _form_page, _read)
    except RefusedRemotelyError as refusal:
        if refusal.name != "IdempotencyKeyReused":
            raise
        # The report was accepted, its answer was lost on the way, and the text was changed since.
        form = Form(forms.typed() | {"key": uuid.uuid4().hex}, status=409)
        return _form_page(form, accepted=refusal.details.get("ticket")), 409


def _empty(key: str, topic: str) -> Form:
    """Return the empty form with `topic` chosen; where that is in no list, without a choice and saying so."""
    form = Form({"key": key, "claimed_kind": "complaint"})
    category, _, sub_category = topic.partition("/")
    listed = backend().lists()["categories"].get(category)
    if listed and sub_category in listed["sub_categories"]:
        form.values = {**form.values, "topic": topic}
    elif topic:
        form.faults = {"topic": [gettext("Kategori yang disebut tautan tadi tidak ada dalam daftar. Pilih sendiri.")]}
    return form


def _form_page(form: Form, accepted: str | None = None) -> str:
    if "category" in form.faults or "sub_category" in form.faults:
        category, sub_category = form.faults.pop("category", []), form.faults.pop("sub_category", [])
        form.faults = {"topic": sub_category or category} | form.faults
    return render_template("write.html", form=form, lists=backend().lists(), draft=DRAFT, accepted=accepted)


def _read(values: Mapping[str, str]) -> dict[str, Any]:
    """Read the form for the schema: category and sub-category come from one list, as `category/sub_category`."""
    category, _, sub_category = values.get("topic", "").partition("/")
    topic = {"category": category, "sub_category": sub_category} if sub_category else {}
    form = forms.filled_in(schemas.ComplaintForm, values) | topic | {name: name in values for name in forms.TICKED}
    return form | _uploads()


def _uploads() -> dict[str, Any]:
    found = uploading.ids()
    return {"files": found} if found else {}


def _submit(form: dict[str, Any]) -> ResponseReturnValue:
    key = load(schemas.IdempotencyKey, {"Idempotency-Key": request.form.get("key") or uuid.uuid4().hex})
    receipt = complaints.submit(form, key["idempotency_key"])
    return redirect(url_for(".receipt", ticket=receipt["ticket"]), 303)


@pages.get("/laporan/<ticket>/tanda-terima")
@needs(Role.REPORTER)
def receipt(ticket: str) -> str:
    """Show a complaint's receipt, to keep or print."""
    complaint = complaints.kept(ticket)
    g.done_draft = DRAFT
    return render_template("receipt.html", complaint=complaint, topic=words.topic(complaint, words.lists()))


@pages.post("/laporan/<ticket>/terima")
@needs(Role.REPORTER)
def confirm(ticket: str) -> ResponseReturnValue:
    """Confirm that the answer was received (step 7)."""
    try:
        complaints.confirm_receipt(ticket)
        flash(gettext("Terima kasih. Anda telah mengonfirmasi penerimaan jawaban."))
    except RefusedRemotelyError as refusal:
        # A second click, after which the answer is confirmed as wanted.
        if refusal.name != "AlreadyConfirmed":
            raise
    return redirect(url_for("cases.read", ticket=ticket), 303)
