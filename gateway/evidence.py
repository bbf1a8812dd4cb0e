"""The files of complaints, for the API and the pages: attached, shown and opened.

The stages know which files a complaint has and who may open them; the gateway's store has what is in them.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import Response, g

from gateway.backend import backend
from gateway.files import serving
from gateway.files.facts import Facts
from gateway.files.kinds import ACCEPT, KINDS
from gateway.files.refusals import UnknownUpload, UploadNotReady, UploadRefused
from gateway.files.slots import TooManyUploadsError, places_of_checks
from gateway.files.stores import StoreError
from gateway.files.uploads import MB, Upload, owner, uploads
from nkk.contracts import views
from nkk.log import get_logger
from nkk.sop.files import UnknownFile, question_of, round_of
from nkk.sop.steps import Role

CHECK_SECONDS = 20.0
"""How long a request waits until its uploads are checked."""
LOOK_SECONDS = 0.1
BEING_CHECKED = "upload-being-checked"

LOST = "lost"
"""What is shown in place of the scanner's judgement of a file that is not in the store."""

OF_REPORT = {
    Role.REPORTER: "intake",
    Role.OPERATOR: "intake",
    Role.MAIN_TEAM: "triage",
    Role.OPD_TEAM: "opd_response",
}
OF_RESPONSE = OF_REPORT | {Role.REPORTER: "notification", Role.OPERATOR: "notification"}
"""The stage that a role opens a file at."""

ATTACHING = ("intake", "opd_response", "notification")
"""The stages that attach uploads."""

_LISTS = ("files", "response_files", "offered")
_DESCRIBED = ("id", "media_type", "size", "sha256", "cleaned", "readable")
_CAME = ("came_size", "came_sha256")

log = get_logger()


@dataclass(frozen=True)
class Taken:
    """What an upload may be: at most `files` at once of `file_mb` each, `files_mb` together; `accept` for a browser."""

    files: int
    file_mb: int
    files_mb: int
    accept: str


def limits() -> Taken:
    """Return what is taken."""
    most = uploads().limits
    return Taken(most.files, most.file_bytes // MB, most.files_bytes // MB, ACCEPT)


def own(ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the descriptors of the caller's checked uploads, to attach them to a report. Raises as `_ready` does.

    A form that is sent again may name uploads which are not there any more: intake describes what it has attached.
    """
    try:
        return [_described(upload, (*_DESCRIBED, *_CAME)) for upload in _ready(ids)]
    except (UnknownUpload, UploadRefused):
        wanted = list(dict.fromkeys(ids))
        attached: list[dict[str, Any]] = backend().call("intake", "attached_before", wanted)
        if len(attached) < len(wanted):
            raise
        return attached


def of_response(ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the descriptors of the caller's checked uploads, to attach them to a response or an answer.

    Raises as `_ready` does.
    """
    return [_described(upload, _DESCRIBED) for upload in _ready(ids)]


def add(ticket: str, ids: Sequence[str], text: str | None) -> dict[str, Any]:
    """Add words, uploads or both to the caller's own report; return what it has then."""
    # A stage of the version before knows no words: it is sent none where there are none.
    words = () if text is None else (text,)
    answer = backend().call("intake", "supplement", ticket, own(ids) if ids else [], *words)
    return {"ticket": ticket, "files": shown(answer["files"]), "additions": answer.get("additions", [])}


def shown_in(case: Mapping[str, Any]) -> Any:
    """Return a case with its files as its reader sees them, also those of its answer and of earlier answers."""
    listed: dict[str, Any] = {name: shown(case[name]) for name in _LISTS if name in case}
    answer, earlier = case.get("answer"), case.get("earlier")
    if answer:
        listed["answer"] = shown_in(answer)
    if earlier:
        listed["earlier"] = [shown_in(each) for each in earlier]
    return {**case, **listed}


def shown(files: Iterable[views.File]) -> list[dict[str, Any]]:
    """Return files as a page or the API shows them: without ids, and with what the store knows."""
    return [_shown(file) for file in files]


def rows(files: Iterable[views.File]) -> list[dict[str, Any]]:
    """Return files as a document lists them."""
    names = ("number", "size", "sha256", "came_sha256", "cleaned")
    return [{name: file.get(name) for name in names} | {"kind": _kind(file)} for file in files]


def opened(ticket: str, number: str) -> Response:
    """Return a file of a complaint. Raises UnknownFile, FileHeldBack or FileLost."""
    file = _opening(ticket, number, "file")
    kind = KINDS.get(file["media_type"])
    name = f"bukti-{number}-{ticket}.{kind.extension if kind else 'bin'}"
    return serving.send(uploads().open(file["id"]), as_attachment=True, filename=name)


def preview(ticket: str, number: str) -> Response:
    """Return a file's preview, a JPEG. Raises UnknownFile where it has none, FileHeldBack or FileLost."""
    picture = uploads().preview(_opening(ticket, number, "preview")["id"])
    if picture is None:
        raise UnknownFile
    return Response(picture, mimetype="image/jpeg", headers=serving.HEADERS)


def are_attached(ids: list[str]) -> set[str]:
    """Return those of `ids` that belong to a report, a response or an answer to a question.

    Raises StageUnavailableError.
    """
    return {id for stage in ATTACHING for id in backend().call(stage, "attached", ids)}


def _opening(ticket: str, number: str, part: str) -> views.File:
    role = Role(g.actor.role)
    if question_of(number) is not None:
        return backend().call("notification", "open_question_file", ticket, number, part)
    stage = (OF_REPORT if round_of(number) is None else OF_RESPONSE)[role]
    return backend().call(stage, "open_file", ticket, number, part)


def _ready(ids: Sequence[str]) -> list[Upload]:
    """Return the caller's uploads once they are checked; at once where too many requests wait for that.

    Raises as Uploads.ready does.
    """
    try:
        return uploads().ready(owner(), ids)
    except UploadNotReady as refusal:
        if refusal.code != BEING_CHECKED:
            raise
        with suppress(TooManyUploadsError), places_of_checks().one(owner()):
            return _checked(ids)
        raise


def _checked(ids: Sequence[str]) -> list[Upload]:
    until = time.monotonic() + CHECK_SECONDS
    while True:
        time.sleep(LOOK_SECONDS)
        try:
            return uploads().ready(owner(), ids)
        except UploadNotReady as refusal:
            if refusal.code != BEING_CHECKED or time.monotonic() > until:
                raise


def _described(upload: Upload, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(upload, name) for name in names} | {"scan": str(upload.scan)}


def _shown(file: views.File) -> dict[str, Any]:
    kind = KINDS.get(file["media_type"])
    told = {name: value for name, value in file.items() if name != "id"}
    told |= {
        "kind": _kind(file),
        "previewed": bool(kind and kind.previewed and file["readable"]),
        "played": kind.played if kind else None,
    }
    try:
        facts = uploads().known(file["id"])
    except StoreError as error:
        log.warning("store unavailable", error=type(error).__name__)
        return told
    return told | _known(facts, may_be_named=g.actor.role == Role.REPORTER and round_of(file["number"]) is None)


def _kind(file: views.File) -> str:
    kind = KINDS.get(file["media_type"])
    return kind.label if kind else file["media_type"]


def _known(facts: Facts | None, *, may_be_named: bool) -> dict[str, Any]:
    """Return what the store knows of a file. Its name may name a person: only who sent a report's file is shown it."""
    if facts is None:
        return {"scan": LOST, "previewed": False, "played": None}
    told: dict[str, Any] = {"scan": str(facts.scan), "previewed": facts.preview is not None}
    return told | ({"name": facts.name} if may_be_named else {})
