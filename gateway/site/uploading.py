"""Forms with files: read as they arrive, and shown again with the files that have come.

A script sends files one by one before the form (`upload.js`); without it they come with the form. Either way the form
names the uploads to attach in its field `uploads`.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar

from flask import g, request
from flask_babel import gettext
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from gateway import methods
from gateway.errors import STATUS
from gateway.files import forms
from gateway.files.arriving import BrokenOffError, LeavingError, TooSlowError
from gateway.files.facts import State
from gateway.files.refusals import UnknownUpload
from gateway.files.slots import TooManyUploadsError, slots, slots_of_fields
from gateway.files.uploads import Upload, owner, uploads
from gateway.site import files
from gateway.site.csrf import protection
from nkk.sop.refusals import Refused

F = TypeVar("F", bound=Callable[..., Any])

FIELD, DROPPED, ORIGINAL = "uploads", "buang", "asli"
"""The fields of a form: the ids of its uploads, those to leave out, and whether the originals are to be kept."""

REFUSALS = frozenset(
    {
        "FileAttachedBefore",
        "FilesTooLong",
        "ReportFull",
        "TooManyFiles",
        "UnknownUpload",
        "UploadNotReady",
        "UploadOverrun",
        "UploadRefused",
        "UploadTooLong",
        "UploadsFull",
    }
)
"""The refusals that are a fault of the form's files."""


def takes_files(view: F) -> F:
    """Return a view that may be sent a form with files, which are uploads when it is called.

    It goes under `needs`, so that nothing of a stranger's body is read.
    """

    @wraps(view)
    def reading(*args: Any, **kwargs: Any) -> Any:
        if methods.is_streamed():
            _read()
        return view(*args, **kwargs)

    reading.takes_files = True  # type: ignore[attr-defined]
    return reading  # type: ignore[return-value]


def read_fields() -> None:
    """Read what was typed into a form that its view did not come to read, such as where the visitor is not logged in.

    Nothing is read of one that breaks off, comes too slowly, or for which no place is free.
    """
    if not methods.is_streamed() or "form_is_read" in g:
        return
    g.form_is_read = True
    stream, content_type = request.environ["wsgi.input"], request.content_type or ""
    with suppress(HTTPException, TooManyUploadsError, BrokenOffError, TooSlowError, LeavingError):
        found = slots_of_fields().run(lambda: forms.fields_before_files(stream, content_type))
        request.form = found  # type: ignore[assignment]


def check() -> None:
    """Raise what was refused while the form was read."""
    if refusal := g.get("files_refused"):
        raise refusal


def ids() -> list[str]:
    """Return the ids of the uploads that the form names or brought, without those that were dropped."""
    dropped = set(request.form.getlist(DROPPED))
    named = [*request.form.get(FIELD, "").split(), *g.get("files_received", ())]
    return [id for id in dict.fromkeys(named) if id not in dropped]


def kept() -> list[Upload]:
    """Return the form's uploads as they stand, to show them in the form again."""
    if request.method == "GET":
        return []
    found = []
    for id in ids():
        try:
            found.append(uploads().state(owner(), id))
        except UnknownUpload:
            continue
    return [upload for upload in found if upload.state is not State.REFUSED]


def said(refusal: Any, name: str) -> tuple[list[str], int]:
    """Return the sentences about a refusal of REFUSALS, and its status."""
    details = refusal.details
    if name == "UploadRefused":
        return [
            f"{upload.name}: {why_refused(upload)}" if upload.name else why_refused(upload) for upload in _refused()
        ], STATUS[name]
    most = details.get("most")
    sentences = {
        "UploadTooLong": gettext("Satu berkas paling besar %(most)s MB.", most=most),
        "FilesTooLong": gettext("Semua berkas bersama paling besar %(most)s MB.", most=most),
        "TooManyFiles": gettext("Paling banyak %(most)s berkas sekali kirim.", most=most),
        "UploadsFull": gettext(
            "Berkas Anda yang belum dilampirkan paling banyak %(most)s MB. Lampirkan atau keluarkan sebagian; yang "
            "tidak dilampirkan kami hapus setelah sehari.",
            most=most,
        ),
        "ReportFull": gettext("Laporan ini paling banyak memuat %(most)s berkas.", most=most),
        "UploadNotReady": gettext("Ada berkas yang belum selesai dikirim atau diperiksa. Tunggu sebentar, lalu kirim."),
        "FileAttachedBefore": gettext("Ada berkas yang sudah dilampirkan di tempat lain. Pilih sekali lagi."),
    }
    return [sentences.get(name) or gettext("Ada berkas yang tidak sampai. Pilih sekali lagi, lalu kirim.")], STATUS[
        name
    ]


def why_refused(upload: Upload) -> str:
    """Return the sentence that says why an upload was refused."""
    return files.refusal(upload.refusal or "", **(upload.parameters or {}))


def _refused() -> list[Upload]:
    found = []
    for id in ids():
        try:
            upload = uploads().state(owner(), id)
        except UnknownUpload:
            continue
        if upload.state is State.REFUSED:
            found.append(upload)
    return found


def _read() -> None:
    def before_files(fields: MultiDict[str, str]) -> bool:
        # What comes before the files is kept, also where they are refused.
        g.form_is_read = True
        request.form = fields  # type: ignore[assignment]
        methods.check_fields(fields)
        protection.protect()
        return ORIGINAL in fields

    try:
        form = slots().run(
            lambda: forms.receive(
                uploads(),
                owner(),
                request.environ["wsgi.input"],
                request.content_type or "",
                before_files,
                keeps_earlier=True,
            ),
            owner(),
        )
    except Refused as refusal:
        g.files_refused = refusal
        return
    request.form = form.fields  # type: ignore[assignment]
    g.files_received, g.files_refused = form.ids, form.refusal
