"""A complaint's documents: which one a role may open, from which step on, and its content.

Each role's content comes from the same calls as its views, so that a document shows no more than the screen. It
contains only what was done by the document's own time, so that a later copy is the same.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Response, current_app, g

from gateway import desks, evidence, journeys, methods
from gateway.backend import backend
from gateway.documents import KINDS, MEDIA_TYPES, RenderingFailedError, RenderingTooSlowError, make
from nkk.contracts import views
from nkk.messaging.calls import StageUnavailableError
from nkk.sop import steps
from nkk.sop.clock import is_day
from nkk.sop.endings import ENDED
from nkk.sop.files import round_of
from nkk.sop.indonesian import ROLES
from nkk.sop.journey import BACK, CONCLUDED, FORWARDED, JOINED, REOPENED, SHARED
from nkk.sop.refusals import NotYourRole, NotYourStep
from nkk.sop.steps import Role

FORM, REPORTER, COMPLAINT, REPORT, RESPONSE, RECEIPT, ANSWER_LETTER = (
    "form-pengaduan",
    "data-pemberi-aduan",
    "data-pengaduan",
    "laporan-pengaduan",
    "laporan-tanggapan-pengaduan",
    "tanda-terima",
    "surat-jawaban",
)

PAPER_RECEIPT = "tanda-terima-loket"
"""The receipt of a report that an operator entered, with its access code, which only its entry tells."""

RECAP = "rekap-bulanan"
CODE_PAGE = "/akun/kode"
"""The page that opens an account by an access code."""

OF_COMPLAINTS = frozenset(KINDS) - {RECAP, PAPER_RECEIPT}

FROM_STEP: dict[Role, dict[str, int]] = {
    Role.REPORTER: {FORM: 1, RECEIPT: 1, RESPONSE: 6},
    Role.OPERATOR: {FORM: 1, RECEIPT: 1, REPORTER: 1, COMPLAINT: 2, RESPONSE: 5, ANSWER_LETTER: 6},
    Role.MAIN_TEAM: {COMPLAINT: 2, REPORT: 3, RESPONSE: 4},
    Role.OPD_TEAM: {REPORT: 3, RESPONSE: 4},
}
"""The documents that a role may open, by the step after which each exists. Data Pemberi Aduan is the operator's."""

BETWEEN = (Role.MAIN_TEAM, Role.OPD_TEAM)
"""The roles that send a response back and forth; only they see why it was returned."""

BY_ACT = (REPORTER,)
"""Documents that show who reported: opened by POST, so that no link, preview or speculative load opens one."""

LAST_STEP = {FORM: 1, RECEIPT: 1, REPORTER: 1, COMPLAINT: 2, REPORT: 3, RESPONSE: 7, ANSWER_LETTER: 6}
"""The last step whose times a document shows."""


PATHS = {"complaint.classified_as_information.v1": steps.Path.INFORMATION, FORWARDED: steps.Path.COMPLAINT}
"""The path on which each classification leads."""

APPROVALS = ("response.approved.v1", SHARED, CONCLUDED)
"""The events with which responses go to the operator."""


class NoDocumentYet(NotYourStep):
    """The step that produces this document is not done."""


def openable(
    ticket: str, role: Role, timeline: views.Timeline, confidential: bool | None = None
) -> list[dict[str, str]]:
    """Return the documents that `role` may open now, with their addresses and the method that opens them.

    Where `confidential` is None, intake is asked whether the report is.
    """
    kinds = [kind for kind in FROM_STEP[role] if _is_there(kind, role, timeline)]
    if REPORTER in kinds:
        if confidential is None:
            confidential = backend().call("intake", "is_confidential", ticket)
        if confidential:
            kinds.remove(REPORTER)
    base = f"/api/v1/complaints/{ticket}/documents"
    return [
        {
            "kind": kind,
            "title": KINDS[kind],
            "docx": f"{base}/{kind}.docx",
            "pdf": f"{base}/{kind}.pdf",
            "method": "POST" if kind in BY_ACT else "GET",
        }
        for kind in kinds
    ]


def require(kind: str, role: Role) -> None:
    """Raise NotYourRole where `kind` is not for `role`, for any complaint."""
    if kind not in FROM_STEP[role]:
        raise NotYourRole({"role": role}, "role-of-document")


def content(ticket: str, kind: str, role: Role) -> dict[str, Any]:
    """Return the content of a complaint's document for `role`. Raises NotYourRole, NoDocumentYet or BeingPrepared."""
    require(kind, role)
    view = _VIEWS[role](ticket, kind)
    timeline = journeys.of(ticket)
    if not _is_there(kind, role, timeline):
        if _is_made(kind, role, view):
            raise journeys.being_prepared()
        raise NoDocumentYet({"stands": timeline["stands"]})
    if view.pop("was_objected_to", False):
        timeline = _until_objection(timeline)
        view["closed_at"] = next((entry["at"] for entry in timeline["entries"] if entry["step"] == 7), None)
    elif kind == RESPONSE and role in (Role.REPORTER, Role.OPERATOR):
        # Intake has the first promise only.
        view.pop("service_due_at", None)
    if kind in BY_ACT:
        # Last, because intake records each reading, and a refused document shows no identity.
        view |= {"reporter": backend().identity(ticket, "document")}
    held = _told(timeline, LAST_STEP[kind], role) | {name: value for name, value in view.items() if value is not None}
    held |= _files_of(kind, role, view)
    if role == Role.MAIN_TEAM and view.get("joined"):
        held["joined_count"] = len(view["joined"])
    site = current_app.config["SITE_URL"]
    held |= {"ticket": ticket, "tracking_url": f"{site}/laporan/{ticket}"}
    if held.get("channel") in steps.ENTERED_BY_STAFF:
        held["code_url"] = f"{site}{CODE_PAGE}"
    held |= _named(held)
    return held | _every_response(held)


def _until_objection(timeline: views.Timeline) -> views.Timeline:
    """Return the timeline up to the answer to which the reporter objected."""
    entries = timeline["entries"]
    ends = next((place for place, entry in enumerate(entries) if entry["event"] == REOPENED), len(entries))
    told = entries[:ends]
    path = next((PATHS[entry["event"]] for entry in reversed(told) if entry["event"] in PATHS), None)
    return {**timeline, "path": path, "entries": told}


def _every_response(held: dict[str, Any]) -> dict[str, Any]:
    """Return the responses of several OPDs as one text, each after the name of its OPD; nothing where one responded."""
    if not held.get("gathered"):
        return {}
    known = backend().lists()["opds"]
    every = [(known.get(each["opd"], each["opd"]), each["text"]) for each in held["gathered"]]
    if held.get("response"):
        every.append((held.get("opd", ""), held["response"]))
    return {"response": "\n\n".join(f"{name}:\n{text}" if name else text for name, text in every)}


def of_complaint(ticket: str, kind: str, format: str, role: Role) -> Response:
    """Return document `kind` of a complaint for `role`; a reporter who gets the answer's has received the answer.

    Raises as `content` and `sent` do, and then the answer does not count as received.
    """
    held = content(ticket, kind, role)
    file = sent(kind, format, held, f"{kind}-{ticket}")
    if role == Role.REPORTER and kind == RESPONSE and "closed_at" not in held and methods.takes_effect():
        backend().call("notification", "open_answer", ticket)
        with suppress(RenderingFailedError, RenderingTooSlowError, StageUnavailableError):
            file = sent(kind, format, content(ticket, kind, role), f"{kind}-{ticket}")
    return file


def sent(kind: str, format: str, content: dict[str, Any], name: str) -> Response:
    """Return the document made of `content`, as a download named `name`, in the turn of the caller's account."""
    folder = current_app.config["TEMPLATES"]
    file = make(
        kind,
        format,
        content,
        templates=Path(folder) if folder else None,
        account=g.actor.id,
        is_staff=g.actor.role != Role.REPORTER,
    )
    return Response(
        file, mimetype=MEDIA_TYPES[format], headers={"Content-Disposition": f'attachment; filename="{name}.{format}"'}
    )


def _files_of(kind: str, role: Role, view: dict[str, Any]) -> dict[str, Any]:
    """Return the rows of the report's files, and of those that go with the response."""
    files = {"files": evidence.rows(view.get("files") or [])}
    if kind not in (RESPONSE, ANSWER_LETTER):
        return files
    answered = view.get("answer_files")
    if role in BETWEEN:
        rounds = {each["round"] for each in view.get("gathered") or ()}
        rounds |= {view.get("round")} if view.get("response") else set()
        answered = [file for file in view.get("response_files", ()) if round_of(file["number"]) in rounds]
    return files | {"attachments": evidence.rows(answered or [])}


def _is_there(kind: str, role: Role, timeline: views.Timeline) -> bool:
    if kind == RESPONSE and role == Role.OPD_TEAM:
        # Another agency's response is not theirs.
        return any(
            entry["step"] == 4 and entry["event"] not in BACK and entry.get("opd") == g.actor.group
            for entry in timeline["entries"]
        )
    if kind == RESPONSE and role == Role.OPERATOR:
        # The operator sees no response that was returned. On the information path, the answer is the first.
        return bool({entry["event"] for entry in timeline["entries"]} & {*APPROVALS, "answer.sent.v1"})
    # What sent a complaint back to step 3, or joined it with another, ended a step without its output.
    without = (*BACK, JOINED)
    return FROM_STEP[role][kind] in {entry["step"] for entry in timeline["entries"] if entry["event"] not in without}


def _is_classified(view: dict[str, Any]) -> bool:
    """Return whether Tim Utama classified a report, which may have ended before that, or was joined with another."""
    return not view.get("joined_to") and view["stands"]["state"] not in ("awaiting_classification", *ENDED)


def _is_made(kind: str, role: Role, view: dict[str, Any]) -> bool:
    """Return whether the caller's own stage says that the document's step is done."""
    return {
        COMPLAINT: role == Role.MAIN_TEAM or bool(view.get("handed_over_at")),
        REPORT: role == Role.OPD_TEAM or _is_classified(view),
        RESPONSE: bool(view.get("response") or view.get("gathered") or view.get("answer")),
        ANSWER_LETTER: bool(view.get("answer")),
    }.get(kind, False)


def _for_reporter(ticket: str, kind: str) -> dict[str, Any]:
    view: dict[str, Any] = {**desks.read(ticket)}
    if kind == RESPONSE:
        told = journeys.told(ticket, "read_answer") or {}
        view |= _answer_of(told.get("answer"), told.get("earlier"))
    return view


def _for_operator(ticket: str, kind: str) -> dict[str, Any]:
    view: dict[str, Any] = {**desks.read(ticket)}
    if kind == ANSWER_LETTER:
        answer = _answer_at_desk(ticket)
        view |= _answer_of(answer, answer.get("earlier")) | {"may_object": answer.get("cycle", 1) == 1}
    if kind == RESPONSE:
        answer = _answer_at_desk(ticket)
        objected = any(each["sent_at"] == answer.get("sent_at") for each in answer.get("earlier") or ())
        view |= _answered(answer) | {"response": answer.get("material"), "gathered": answer.get("gathered")}
        view["was_objected_to"] = objected
    return view


def _answer_at_desk(ticket: str) -> dict[str, Any]:
    told = journeys.told(ticket, "answer") or {}
    return told.get("answer") or {}


def _for_team(ticket: str, kind: str) -> dict[str, Any]:
    return {**desks.read(ticket)}


_VIEWS: dict[Role, Callable[[str, str], dict[str, Any]]] = {
    Role.REPORTER: _for_reporter,
    Role.OPERATOR: _for_operator,
    Role.MAIN_TEAM: _for_team,
    Role.OPD_TEAM: _for_team,
}


def _answer_of(answer: dict[str, Any] | None, earlier: Sequence[dict[str, Any]] | None) -> dict[str, Any]:
    """Return the answer that was sent: after an objection the first one, until there is a second."""
    if earlier and not (answer and answer.get("text")):
        return _answered(earlier[-1]) | {"was_objected_to": True}
    return _answered(answer)


def _answered(answer: dict[str, Any] | None) -> dict[str, Any]:
    answer = answer or {}
    return {
        "answer": answer.get("text"),
        "answered_at": answer.get("sent_at"),
        "closed_at": answer.get("closed_at"),
        "answer_files": answer.get("files"),
        "how": answer.get("how"),
    }


def _told(timeline: views.Timeline, last_step: int, role: Role) -> dict[str, Any]:
    """Return the timeline's data up to `last_step`: when each step was done, notes, and the steps' times."""
    entries = [entry for entry in timeline["entries"] if entry["step"] is not None and entry["step"] <= last_step]
    at = {entry["step"]: entry["at"] for entry in entries}
    classified = next((entry for entry in reversed(entries) if entry["step"] == 3), None)
    returned = [entry for entry in entries if entry["event"] == "response.returned.v1" and role in BETWEEN]
    return {
        "submitted_at": timeline["submitted_at"],
        "service_due_at": timeline["service_due_at"],
        "handed_over_at": at.get(2),
        "classified_at": at.get(3),
        "responded_at": at.get(4),
        "approved_at": next((entry["at"] for entry in reversed(entries) if entry["event"] in APPROVALS), None),
        "path": timeline["path"] if classified else None,
        "note": classified.get("note") if classified else None,
        "return_note": returned[-1]["note"] if returned else None,
        "opd": classified.get("opd") if classified else None,
        "steps": [_step(entry) for entry in entries],
    }


def _step(entry: views.Entry) -> dict[str, Any]:
    return {
        "number": entry["step"],
        "role": ROLES[Role(entry["role"])],
        "done_at": entry["at"],
        "activity": entry["activity"],
        "minutes": entry["minutes"],
        "came_at": entry["came_at"],
        "due_at": entry["due_at"],
        "used_minutes": entry["used_minutes"],
        "late": entry["late"],
        "round": entry["round"],
    }


def _named(held: dict[str, Any]) -> dict[str, Any]:
    """Return the lists' names for the keys in `held`, as of when each key was written. Unknown keys are left out."""
    # Teams see only the day of the submission; the hand-over came after it.
    entered = held["submitted_at"]
    lists = _lists_at(held["handed_over_at"] if is_day(entered) else entered)
    category = lists["categories"].get(held.get("category", ""))
    named = {
        "category": category and category["name"],
        "accused_opd": lists["opds"].get(held.get("accused_opd", "")),
        "sub_category": category and category["sub_categories"].get(held.get("sub_category", "")),
    }
    if held.get("classified_at"):
        named["opd"] = _lists_at(held["classified_at"])["opds"].get(held.get("opd", ""))
    return {name: value for name, value in named.items() if value is not None}


def _lists_at(instant: str) -> views.Lists:
    known = backend().lists()
    since = known.get("changed_at")
    if since is None or datetime.fromisoformat(since) <= datetime.fromisoformat(instant):
        return known
    return backend().call("intake", "lists", instant)
