"""Every refusal and failure as a page: what it means, what to do, and what was typed."""

import json
from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from gateway import complaints, errors
from gateway.addresses import within_site
from gateway.clock import now
from gateway.documents import RenderingFailedError, RenderingTooSlowError
from gateway.files.arriving import BrokenOffError, LeavingError, TooSlowError
from gateway.files.slots import TooManyUploadsError
from gateway.files.stores import StoreError
from gateway.limits import seconds_to_wait
from gateway.site import colleagues, compression, headers, session, uploading
from gateway.site.forms import SECRETS, Form, typed
from gateway.site.language import moment, read_instant
from gateway.site.said import DONE, SAID, Said
from nkk.log import get_logger
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.sop.clock import write_instant
from nkk.sop.refusals import Refused

_ = lazy_gettext
log = get_logger()

NOT_PAGES = ("/api/", "/healthz", "/readyz")


def of_pages(pages: Blueprint) -> None:
    """Register handlers that answer the faults of `pages` with pages."""
    pages.register_error_handler(RefusedRemotelyError, _refused_remotely)
    pages.register_error_handler(Refused, _refused)
    pages.register_error_handler(StageUnavailableError, _unavailable)
    pages.register_error_handler(RenderingTooSlowError, _too_slow)
    pages.register_error_handler(StoreError, _files_away)
    pages.register_error_handler(TooManyUploadsError, _files_away)
    pages.register_error_handler(LeavingError, _files_away)
    pages.register_error_handler(BrokenOffError, _broken_off)
    pages.register_error_handler(TooSlowError, _broken_off)
    pages.register_error_handler(RenderingFailedError, _unmade)
    pages.register_error_handler(HTTPException, _http)
    pages.register_error_handler(Exception, _unexpected)


def register(app: Flask) -> None:
    """Register handlers that answer unknown addresses with pages; those under the API's keep problem documents."""
    app.register_error_handler(404, _nothing_here)
    app.register_error_handler(405, _nothing_here)


def carried() -> dict[str, str]:
    """Return what was typed into the form of a failed request, without secrets; nothing of a form from another site.

    Threat: another site could post its own text here, which would be shown as the visitor's. Browsers send the origin.
    """
    if request.method != "POST" or not _from_here():
        return {}
    try:
        uploading.read_fields()
        return {name: value for name, value in typed().items() if name not in SECRETS}
    except RequestEntityTooLarge:
        return {}


def page(status: int, said: Said, **more: Any) -> Response:
    """Return the page about a fault."""
    body = render_template("fault.html", status=status, said=said, request_id=g.get("correlation_id"), **more)
    response = make_response(body, status)
    if status == 503:
        response.headers["Retry-After"] = str(errors.RETRY_AFTER_SECONDS)
    return response


def title_of(error: Exception) -> Any:
    """Return the title that says why one case among several was refused, or could not be acted on."""
    if isinstance(error, StageUnavailableError):
        return SAID["unsure"].title
    name = error.name if isinstance(error, RefusedRemotelyError) else type(error).__name__
    return SAID.get(name, SAID[500] if isinstance(error, StageFailedError) else DONE).title


def _refused_remotely(error: RefusedRemotelyError) -> ResponseReturnValue:
    return _refusal(error.name, error.code, error.details)


def _refused(error: Refused) -> ResponseReturnValue:
    return _refusal(type(error).__name__, error.code, error.details)


def _refusal(name: str, code: str, details: dict[str, Any]) -> ResponseReturnValue:
    if name == "NotAuthenticated":
        return _log_in_first()
    status = errors.STATUS.get(name)
    if status is None:
        log.error("refusal without a status", refusal=name)
        return page(500, SAID[500])
    said = SAID.get(code) or SAID.get(name) or (DONE if status == 409 else SAID[400])
    who = _who_did_it() if said is DONE else None
    return page(status, said, stands=_stands(details), typed=carried(), who=who, claim=_claim(details))


def _stands(details: dict[str, Any]) -> dict[str, Any] | None:
    """Return how the complaint stands; without since when, where its clock starts only on the next working day."""
    stands: dict[str, Any] | None = details.get("stands")
    if stands and stands.get("since") and read_instant(stands["since"]) > now():
        return {**stands, "since": None}
    return stands


def _logged_out() -> bool:
    """Return whether the form is for logged-in visitors, and the visitor's log-in has ended."""
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "needs_log_in", False) and session.known_actor() is None


def _log_in_first(is_logged_out: bool = False) -> ResponseReturnValue:
    if "actor" in g:
        # The gateway accepted the token, the stage rejected it: drop the cookies, or the log-in page redirects in a
        # loop.
        session.leave()
    if "HX-Request" in request.headers:
        return Response(status=401, headers={"HX-Redirect": url_for("public.log_in")})
    if request.method == "GET":
        return redirect(url_for("public.log_in", ke=within_site(request.full_path.rstrip("?"))), 303)
    left = carried()
    return make_response(
        render_template(
            "log_in.html",
            form=Form(),
            onward=request.path,
            expired=True,
            is_logged_out=is_logged_out,
            carried=json.dumps(left, ensure_ascii=False) if left else None,
        ),
        401,
    )


def _who_did_it() -> dict[str, Any] | None:
    """Return who did this role's last act on the complaint, and when; None where that is not available."""
    visitor, ticket = session.known_actor(), (request.view_args or {}).get("ticket")
    if visitor is None or ticket is None:
        return None
    try:
        acts = [entry for entry in complaints.journey(ticket)["entries"] if entry["role"] == visitor.role]
    except (RefusedRemotelyError, Refused, StageUnavailableError, StageFailedError):
        return None
    if not acts:
        return None
    by = acts[-1].get("by") or ""
    return {"at": acts[-1]["at"], "self": by == visitor.id, "name": colleagues.names([by]).get(by)}


def _claim(details: dict[str, Any]) -> colleagues.Claim | None:
    told = details.get("claim")
    return colleagues.claim(told, colleagues.names([told["by"]])) if told else None


def _unavailable(error: StageUnavailableError) -> Response:
    log.warning("stage unavailable", stage=str(error), why=error.why)
    return page(503, SAID[503 if request.method == "GET" else "unsure"], resume=carried())


def _files_away(error: StoreError | TooManyUploadsError | LeavingError) -> Response:
    log.warning("files not taken or shown", why=type(error).__name__)
    return page(503, SAID["files-away"], resume=carried())


def _broken_off(_error: BrokenOffError | TooSlowError) -> Response:
    return page(408, SAID["broken-off"], resume=carried())


def _too_slow(_error: RenderingTooSlowError) -> Response:
    return page(503, SAID["document-slow"])


def _unmade(error: RenderingFailedError) -> Response:
    log.error("document failed", reason=str(error))
    return page(500, SAID["document-failed"])


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if isinstance(error, CSRFError):
        if _logged_out():
            return _log_in_first(is_logged_out=True)
        return page(400, SAID["csrf"], resume=carried())
    if status < 400:
        return error
    if status == 429:
        return _too_many(seconds_to_wait())
    response = page(status, SAID.get(status) or SAID[500 if status >= 500 else 400])
    response.headers.extend((name, value) for name, value in error.get_headers() if name == "Allow")
    return response


def _too_many(seconds: int) -> Response:
    said = Said(
        _("Terlalu banyak percobaan"),
        _(
            "Dari jaringan atau akun Anda sudah terlalu banyak permintaan. Coba lagi sesudah %(at)s.",
            at=moment(write_instant(now() + timedelta(seconds=seconds))),
        ),
    )
    response = page(429, said, resume=carried())
    response.headers["Retry-After"] = str(seconds)
    return response


def _unexpected(error: Exception) -> Response:
    if not isinstance(error, StageFailedError):
        log.error("request failed", exc_info=error)
    return page(500, SAID[500], resume=carried())


def _nothing_here(error: HTTPException) -> ResponseReturnValue:
    if request.path.startswith(NOT_PAGES) or request.path == "/api":
        return errors.of_http(error)
    response = make_response(_http(error))
    return compression.compress(headers.add(session.keep(response)))


def _from_here() -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or origin.partition("://")[2] == request.host
