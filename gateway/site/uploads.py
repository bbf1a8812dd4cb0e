"""Uploads from the pages' own script, by tus as at /api/v1/uploads, but under the visitor's log-in of this site."""

from typing import Any

from flask import Blueprint, Response, jsonify, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_wtf.csrf import CSRFError, generate_csrf
from werkzeug.exceptions import HTTPException

from gateway import evidence, tus
from gateway.errors import RETRY_AFTER_SECONDS, STATUS
from gateway.files.facts import State
from gateway.files.kinds import KINDS
from gateway.files.slots import TooManyUploadsError
from gateway.files.stores import StoreError
from gateway.files.uploads import Upload, owner, uploads
from gateway.limits import by_account, limit
from gateway.site import session
from gateway.site.guard import protect
from gateway.site.language import size
from gateway.site.said import SAID
from gateway.site.session import needs
from gateway.site.uploading import REFUSALS, why_refused
from gateway.site.uploading import said as said_of
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.sop.refusals import Refused
from nkk.sop.steps import Role

SENDERS = (Role.REPORTER, Role.OPERATOR, Role.OPD_TEAM)
"""Who has a page whose form takes files."""

pages = Blueprint("sending", __name__)
pages.before_request(protect)
pages.after_request(session.keep)


@pages.post("/unggahan")
@needs(*SENDERS)
@limit("UPLOADS", by_account)
def begin() -> Response:
    """Begin an upload."""
    _, headers = tus.begin(".state")
    return Response(status=201, headers=headers)


@pages.get("/unggahan")
def back() -> ResponseReturnValue:
    """Redirect to the start page where the address is opened by hand."""
    return redirect(url_for("public.start"), 303)


@pages.get("/unggahan/token")
@needs(*SENDERS)
def token() -> Response:
    """Renew the log-in, and return whose it is and its token against other sites' requests.

    A page that has been open for long asks for it before it goes on with an upload: HEAD does not renew a log-in, and a
    log-in in another tab has made the token in the page void.
    """
    return jsonify(token=generate_csrf(), owner=session.draft_owner())


@pages.get("/unggahan/<id>")
@needs(*SENDERS)
def state(id: str) -> Response:
    """Return how an upload stands, and what to show of it."""
    upload = uploads().state(owner(), id)
    response = jsonify(
        state=str(upload.state), name=upload.name, size=upload.came_size or upload.length or 0, said=_said(upload)
    )
    response.headers.update(tus.headers(upload))
    return response


@pages.route("/unggahan/<id>", methods=["PATCH"])
@needs(*SENDERS)
def send(id: str) -> Response:
    """Store more bytes of an upload."""
    return tus.send(id)


@pages.route("/unggahan/<id>", methods=["DELETE"])
@needs(*SENDERS)
def discard(id: str) -> Response:
    """Remove an upload."""
    uploads().discard(owner(), id, evidence.are_attached)
    return Response(status=204)


@pages.errorhandler(Refused)
@pages.errorhandler(RefusedRemotelyError)
def _refused(error: Any) -> tuple[Response, int]:
    name = error.name if isinstance(error, RefusedRemotelyError) else type(error).__name__
    said = SAID.get(name)
    sentences, status = said_of(error, name) if name in REFUSALS else ([str(said.title) if said else ""], STATUS[name])
    return jsonify(said=" ".join(sentences)), status


@pages.errorhandler(HTTPException)
def _failed(error: HTTPException) -> Any:
    return jsonify(said=""), 401 if isinstance(error, CSRFError) else error.code


@pages.errorhandler(StoreError)
@pages.errorhandler(TooManyUploadsError)
@pages.errorhandler(StageUnavailableError)
@pages.errorhandler(StageFailedError)
def _away(_error: Exception) -> tuple[Response, int, dict[str, str]]:
    return jsonify(said=""), 503, {"Retry-After": str(RETRY_AFTER_SECONDS)}


def _said(upload: Upload) -> str | None:
    if upload.state is State.REFUSED:
        return why_refused(upload)
    if upload.state is not State.READY:
        return None
    kind = KINDS.get(upload.media_type or "")
    what = f"{kind.label if kind else upload.media_type}, {size(upload.size or 0)}"
    if not upload.readable:
        return gettext("Sudah sampai (%(what)s). Tersandi: isinya tidak dapat kami periksa.", what=what)
    if upload.cleaned:
        return gettext("Sudah sampai (%(what)s). Data tersembunyi sudah dihapus.", what=what)
    return gettext("Sudah sampai (%(what)s), seperti aslinya.", what=what)
