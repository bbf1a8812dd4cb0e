"""Every error response of the gateway, as RFC 9457 problem details.

`type` is stable and for programs, `detail` is a sentence that a person can act on, `errors` names the invalid fields.
"""

import json
from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, TooManyRequests

from gateway.documents import RenderingFailedError, RenderingTooSlowError
from gateway.field_faults import codes, sentences
from gateway.files.arriving import BrokenOffError, LeavingError, TooSlowError
from gateway.files.slots import TooManyUploadsError
from gateway.files.stores import StoreError
from gateway.limits import seconds_to_wait
from gateway.live import TooManyStreamsError
from gateway.methods import NotAVisitError
from gateway.refusals import sentence
from nkk.log import get_logger
from nkk.messaging.calls import RefusedRemotelyError, StageBusyError, StageFailedError, StageUnavailableError
from nkk.sop.refusals import Refused, slug

RETRY_AFTER_SECONDS = 5
STREAMS_RETRY_AFTER_SECONDS = 60
TYPES = "urn:nkk:problem:"

STATUS = {
    "InvalidInput": 422,
    "NotAuthenticated": 401,
    "NotYourRole": 403,
    "UnknownTicket": 404,
    "UnknownAccount": 404,
    "UnknownWebsite": 404,
    "ClaimedByColleague": 409,
    "NotYourStep": 409,
    "AlreadyDone": 409,
    "AlreadyHandedOver": 409,
    "QuestionOpen": 409,
    "ReporterUnreachable": 409,
    "WithoutReporter": 409,
    "QuestionAnsweredBefore": 409,
    "QuestionHasLapsed": 409,
    "QuestionOvertaken": 409,
    "UnknownQuestion": 404,
    "AlreadyClassified": 409,
    "NoResponseYet": 409,
    "AlreadyApproved": 409,
    "AlreadyResponded": 409,
    "AlreadyAnswered": 409,
    "NotAnsweredYet": 409,
    "AlreadyConfirmed": 409,
    "Withdrawn": 409,
    "Abandoned": 409,
    "NothingLapsed": 409,
    "RespondedBefore": 409,
    "AlreadyWithdrawn": 409,
    "TooLateToWithdraw": 409,
    "AlreadyClosed": 409,
    "NotWithOpd": 409,
    "AlreadyAsked": 409,
    "NoRequest": 409,
    "AlreadyGathered": 409,
    "NothingGathered": 409,
    "AlreadyJoined": 409,
    "NotJoined": 409,
    "CannotJoin": 409,
    "NothingToKeep": 409,
    "NoLongerHere": 409,
    "NoInformation": 409,
    "NotClosedYet": 409,
    "AlreadyRated": 409,
    "AlreadyObjected": 409,
    "ObjectionTooLate": 409,
    "UsernameTaken": 409,
    "ResetExpired": 422,
    "AccessCodeRefused": 422,
    "WrongPassword": 422,
    "SlowedDown": 429,
    "LastAdmin": 409,
    "CalendarChangedMeanwhile": 409,
    "UnknownCalendar": 404,
    "NoDocumentYet": 409,
    "BeingPrepared": 409,
    "IdentityWithheld": 403,
    "PaperEnteredBefore": 409,
    "AccountOpenedBefore": 409,
    "NotEnteredByStaff": 409,
    "IdempotencyKeyReused": 422,
    "UnknownFile": 404,
    "FileAttachedBefore": 409,
    "ReportFull": 409,
    "AddedTooOften": 409,
    "SupplementTooLate": 409,
    "UnknownUpload": 404,
    "UploadHeaderInvalid": 400,
    "UploadTooLong": 413,
    "UploadOverrun": 413,
    "WrongOffset": 409,
    "UploadLengthChanged": 409,
    "UploadInUse": 423,
    "UploadNotReady": 409,
    "UploadAttached": 409,
    "UploadRefused": 422,
    "TooManyFiles": 422,
    "FilesTooLong": 422,
    "UploadsFull": 413,
    "FileHeldBack": 409,
    "FileLost": 410,
}
"""The HTTP status of every refusal, by its name."""

SENTENCES = {
    400: "The request cannot be read. Send JSON as the API's description says.",
    404: "There is nothing at this address. The API is described at /api/docs.",
    405: "This address does not take this method. The API is described at /api/docs.",
    415: "Send JSON, with the header Content-Type: application/json, and not packed.",
    422: "Some fields need correcting.",
    500: "Something failed on our side; nothing you sent is at fault. Try again; if it stays, tell us X-Request-ID.",
}

NAMES = {400: "malformed", 404: "not-found", 405: "method-not-allowed", 415: "not-json", 422: "invalid-input"}

log = get_logger()


def problem(status: int, name: str, detail: str, **more: Any) -> Response:
    """Return a problem response of type `name`; `more` are further members, left out where None."""
    body = json.dumps(body_of(status, name, detail, **more), ensure_ascii=False)
    response = Response(body, status, content_type="application/problem+json")
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def body_of(status: int, name: str, detail: str, **more: Any) -> dict[str, Any]:
    """Return the members of a problem document."""
    body = {"type": TYPES + name, "title": _title(name), "status": status, "detail": detail}
    return body | {key: value for key, value in more.items() if value is not None}


def register(app: Flask) -> None:
    """Register handlers that answer every error of `app` with a problem."""
    app.register_error_handler(RefusedRemotelyError, _refused_remotely)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(StageUnavailableError, _unavailable)
    app.register_error_handler(StageBusyError, _busy)
    app.register_error_handler(TooManyStreamsError, _too_many)
    app.register_error_handler(TooManyUploadsError, _too_many_uploads)
    app.register_error_handler(LeavingError, _too_many_uploads)
    app.register_error_handler(StoreError, _store_away)
    app.register_error_handler(BrokenOffError, _broken_off)
    app.register_error_handler(TooSlowError, _sent_too_slowly)
    app.register_error_handler(RenderingTooSlowError, _too_slow)
    app.register_error_handler(RenderingFailedError, _unmade)
    app.register_error_handler(HTTPException, of_http)
    # On pages too, because no visitor is there to read one.
    app.register_error_handler(NotAVisitError, of_http)
    app.register_error_handler(Exception, _unexpected)


def told(error: Exception) -> dict[str, Any]:
    """Return the problem document of a refusal or failure of one case among several."""
    if isinstance(error, RefusedRemotelyError):
        response = _refused_remotely(error)
    elif isinstance(error, Refused):
        response = _refused(error)
    else:
        response = _unavailable(error) if isinstance(error, StageUnavailableError) else _unexpected(error)
    document: dict[str, Any] = json.loads(response.get_data())
    return document


def _refused_remotely(error: RefusedRemotelyError) -> Response:
    return _refusal(error.name, error.code, error.details)


def _refused(error: Refused) -> Response:
    return _refusal(type(error).__name__, error.code, error.details)


def _refusal(name: str, code: str, details: dict[str, Any]) -> Response:
    status = STATUS.get(name)
    if status is None:
        log.error("refusal without a status", refusal=name)
        return problem(500, "failed", SENTENCES[500])
    answer = problem(
        status,
        slug(name),
        sentence(code, details),
        **_at_fault(details.get("fields")),
        stands=details.get("stands"),
        ticket=details.get("ticket"),
        claim=details.get("claim"),
    )
    if "retry_after" in details:
        answer.headers["Retry-After"] = str(details["retry_after"])
    return answer


def _unavailable(error: StageUnavailableError) -> Response:
    log.warning("stage unavailable", stage=str(error), why=error.why)
    return problem(
        503,
        "unavailable",
        "A part of the service is away for a moment, and whether your request was "
        "carried out is not known. Try again shortly; what was accepted is not lost.",
    )


def _busy(error: StageBusyError) -> Response:
    log.warning("stage busy", stage=str(error))
    return problem(
        503,
        "busy",
        "Too many people log in or set a password at this moment. Nothing was done: send it again in a few seconds.",
    )


def _too_many(_error: TooManyStreamsError) -> Response:
    answer = problem(
        503,
        "too-many-streams",
        "No more streams can be opened at the moment. Poll the list instead, and try again later.",
    )
    answer.headers["Retry-After"] = str(STREAMS_RETRY_AFTER_SECONDS)
    return answer


def _too_many_uploads(_error: TooManyUploadsError | LeavingError) -> Response:
    return problem(
        503,
        "too-many-uploads",
        "Too many files arrive at this moment. What came of this one is kept: go on in a few seconds (Retry-After).",
    )


def _store_away(error: StoreError) -> Response:
    log.error("files not stored", why=type(error).__name__, said=str(error))
    return problem(
        503,
        "store-away",
        "Files cannot be stored or read at the moment. What was stored is not lost: try again in a few seconds.",
    )


def _broken_off(_error: BrokenOffError) -> Response:
    return problem(400, "broken-off", "The body broke off. Ask where the upload stands (HEAD), and go on from there.")


def _sent_too_slowly(_error: TooSlowError) -> Response:
    # Not 408: clients of tus try a 503 again, and give up after a 408.
    return problem(
        503, "too-slow", "Nothing came for too long. Ask where the upload stands (HEAD), and go on from there."
    )


def _too_slow(_error: RenderingTooSlowError) -> Response:
    return problem(
        503,
        "unavailable",
        "Making this document takes too long just now. Nothing of the complaint waits for it: try again shortly.",
    )


def _unmade(error: RenderingFailedError) -> Response:
    log.error("document failed", reason=str(error))
    return problem(
        500,
        "document-failed",
        "This document could not be made; the complaint itself goes on. Tell us "
        "X-Request-ID; the agency's templates may be at fault (`nkk templates`).",
    )


def of_http(error: HTTPException) -> Response:
    """Return the problem for an exception of Flask or werkzeug."""
    status = error.code or 500
    if isinstance(error, RequestEntityTooLarge):
        return problem(413, "too-large", "This is too long. A text holds at most 20,000 characters.")
    if isinstance(error, TooManyRequests):
        seconds = seconds_to_wait()
        answer = problem(429, "too-many-requests", f"Too many requests. Try again in {seconds} s (Retry-After).")
        answer.headers["Retry-After"] = str(seconds)
        return answer
    name = getattr(error, "problem", None) or NAMES.get(status, "failed" if status >= 500 else "refused")
    data = getattr(error, "data", None) or {}
    fields = _fields(data.get("messages") or {})
    detail = data.get("detail") or getattr(error, "detail", None) or SENTENCES.get(status) or str(error.name)
    answer = problem(status, name, detail, **_at_fault(fields))
    for key, value in error.get_headers() if status == 405 else ():
        if key == "Allow":
            answer.headers[key] = value
    return answer


def _unexpected(error: Exception) -> Response:
    if not isinstance(error, StageFailedError):
        log.error("request failed", exc_info=error)
    return problem(500, "failed", SENTENCES[500])


def _at_fault(fields: dict[str, Any] | None) -> dict[str, Any]:
    """Return a problem's members about invalid fields: their sentences and their codes."""
    return {"errors": sentences(fields), "codes": codes(fields) or None} if fields else {}


def _fields(messages: dict[str, Any]) -> dict[str, Any]:
    """Return webargs' messages without their first level (json, query, headers)."""
    fields: dict[str, Any] = {}
    for said in messages.values():
        fields |= said if isinstance(said, dict) else {}
    return fields


def _title(name: str) -> str:
    return name.replace("-", " ").capitalize()
