"""What site and API do with complaints: each function is one act or view on the stages."""

from contextlib import suppress
from typing import Any

from flask import g

from gateway import desks, evidence, journeys, methods, papers
from gateway.backend import backend
from gateway.desks import Desk
from gateway.notes import NOTED_AT
from nkk.contracts import views
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.sop import steps
from nkk.sop.acts import Act
from nkk.sop.refusals import AlreadyDone, UnknownTicket
from nkk.sop.steps import Path, Role
from nkk.sop.ticket import read_ticket

JUST_SUBMITTED = journeys.standing(steps.HAND_OVER)
NOT_ANSWERED: dict[str, Any] = {"stands": JUST_SUBMITTED, "answer": None, "undelivered": []}


class TooLateToWithdraw(AlreadyDone):
    """The answer was sent, so that the report cannot be withdrawn any more."""


class Followed(views.Timeline):
    """A timeline with the documents that the caller may open."""

    documents: list[dict[str, str]]


def known(ticket: str) -> str:
    """Return the ticket in its canonical form. Raises UnknownTicket where `ticket` is malformed."""
    written = read_ticket(ticket)
    if written is None:
        raise UnknownTicket
    return written


def submit(form: dict[str, Any], idempotency_key: str | None) -> dict[str, Any]:
    """Submit a report (step 1) with the uploads in its `files`; return its receipt."""
    receipt = backend().call("intake", "submit", for_intake(form), idempotency_key)
    return {**receipt, "files": evidence.shown(receipt.get("files", ()))}


ADDED = ("files", "conflict", "accused_nip")
"""The fields of the form that an intake of an earlier version does not know: only sent where the report has them."""


def for_intake(form: dict[str, Any]) -> dict[str, Any]:
    """Return a report's form with the descriptors of its uploads, and the accused's NIP sealed for intake."""
    sent = {name: value for name, value in form.items() if value or name not in ADDED}
    if "files" in sent:
        sent["files"] = evidence.own(sent["files"])
    if "accused_nip" in sent:
        sent["accused_nip"] = backend().sealed_for_intake({"nip": sent["accused_nip"]})
    return sent


def supplement(ticket: str, ids: list[str], text: str | None) -> dict[str, Any]:
    """Add words, uploads or both to the caller's own report."""
    return evidence.add(known(ticket), ids, text)


def worklist(desk: Desk, cursor: str | None, limit: int | None, wanted: dict[str, Any]) -> views.Listing:
    """Return a page of a desk's worklist.

    Notification stores nothing of a report's subject: for the answers' desk, intake supplies it, and while intake is
    unavailable the rows come without.
    """
    listing: views.Listing = backend().call(desk.stage, "worklist", cursor, limit, wanted)
    if desk is not desks.ANSWERS or not listing["items"]:
        return listing
    try:
        known = backend().call("intake", "subjects", [row["ticket"] for row in listing["items"]])
    except (StageUnavailableError, StageFailedError):
        known = {}
    return {"items": [{**row, **known.get(row["ticket"], {})} for row in listing["items"]], "next": listing["next"]}


def own(cursor: str | None, limit: int | None) -> dict[str, Any]:
    """Return a page of the caller's own complaints, newest first, each with its state."""
    listing = written(cursor, limit)
    tell_standings(listing)
    return listing


def written(cursor: str | None, limit: int | None) -> dict[str, Any]:
    """Return a page of the caller's own complaints, newest first, as intake keeps them."""
    return backend().call("intake", "complaints", cursor, limit)


def tell_standings(listing: dict[str, Any]) -> None:
    """Add each complaint's state to `listing`."""
    standings = backend().call("notification", "standings", [item["ticket"] for item in listing["items"]])
    for item in listing["items"]:
        stands = dict(standings.get(item["ticket"]) or JUST_SUBMITTED)
        # After an objection the promise is another than the one that intake has.
        item["service_due_at"] = stands.pop("service_due_at", item["service_due_at"])
        item["waiting_since"] = stands.pop("waiting_since", None)
        item["stands"] = stands


def view(ticket: str) -> views.Complaint:
    """Return a complaint with what the caller's role may see."""
    complaint: views.Complaint = evidence.shown_in(_VIEWS[g.actor.role](known(ticket)))
    # Threat: to a team that is not told how a report came, the missing act would say that it was at the counter.
    if g.actor.role == Role.OPERATOR and Act.ASK in complaint.get("acts", ()) and is_unreachable(ticket):
        complaint["acts"] = [act for act in complaint["acts"] if act != Act.ASK]
    return complaint


def is_unreachable(ticket: str) -> bool:
    """Return whether a question to the reporter would reach nobody, as far as intake says so now."""
    try:
        return backend().call("intake", "is_unreachable", known(ticket))
    except (StageUnavailableError, StageFailedError):
        return False


def kept(ticket: str) -> views.Complaint:
    """Return a complaint as intake keeps it: all that is available while notification is not."""
    complaint: views.Complaint = evidence.shown_in(backend().call("intake", "complaint", known(ticket)))
    return complaint


def identity(ticket: str) -> dict[str, Any]:
    """Return the reporter's identity, an act of the operator's that intake records. No view contains it."""
    return backend().identity(known(ticket), "screen")


def timeline(ticket: str, confidential: bool | None = None) -> Followed:
    """Return a complaint's timeline with the documents that the caller may open; `confidential` where it is known."""
    told, role = journey(ticket), Role(g.actor.role)
    listed = papers.openable(known(ticket), role, told, confidential) if told["entries"] else []
    return {**told, "documents": listed}


def journey(ticket: str) -> views.Timeline:
    """Return a complaint's timeline through the seven steps."""
    return journeys.of(known(ticket))


def hand_over(ticket: str, if_free: bool = False) -> views.Acted:
    """Hand a report over to triage (step 2); with `if_free` none that a colleague claims or that waits."""
    return backend().call("intake", "hand_over", known(ticket), *([True] if if_free else []))


def classify(ticket: str, form: dict[str, Any]) -> views.Acted:
    """Classify a report (step 3): as information, or as a complaint for the team of an OPD."""
    ticket, opd, note, reason = known(ticket), form.get("opd"), form.get("note"), form.get("reason")
    if form["kind"] == Path.INFORMATION:
        # A triage of the previous version has no such parameter; it refuses an OPD of information either way.
        return backend().call("triage", "classify_as_information", ticket, note, *([opd] if opd else []))
    return backend().call("triage", "forward", ticket, opd, note, *([reason] if reason else []))


def respond(ticket: str, form: dict[str, Any]) -> views.Acted:
    """Send the OPD's response (step 4), with the uploads in the form's `files`."""
    files = [evidence.of_response(form["files"])] if form.get("files") else []
    return backend().call("opd_response", "respond", known(ticket), form["text"], *files)


def approve(ticket: str, form: dict[str, Any]) -> views.Acted:
    """Approve the response for the operator, or return it with a note (step 5)."""
    ticket, note = known(ticket), form.get("note")
    if form["approved"]:
        return backend().call("triage", "approve", ticket, note)
    return backend().call("triage", "return_response", ticket, note)


def answer(ticket: str, form: dict[str, Any]) -> views.Acted:
    """Send the answer to the reporter (step 6), with the response's files of the numbers in the form's `files`."""
    return _acted(ticket, "send_answer", form["text"], *([form["files"]] if form.get("files") else []))


def confirm_receipt(ticket: str) -> views.Acted:
    """Confirm that the reporter has received the answer (step 7)."""
    return _acted(ticket, "confirm_receipt")


def withdraw(ticket: str, form: dict[str, Any]) -> views.Acted:
    """Withdraw the caller's own report; refused where its answer was sent already.

    Where it is sent at the same moment, notification decides, and tells the reporter.
    """
    ticket = known(ticket)
    answered = None
    with suppress(StageUnavailableError, StageFailedError):
        answered = journeys.told(ticket, "read_answer")
    if answered and answered["answer"]:
        raise TooLateToWithdraw({"stands": answered["stands"]})
    return backend().call("intake", "withdraw", ticket, form["reason"])


def keep(ticket: str, form: dict[str, Any]) -> views.Acted:
    """Let a withdrawn report go on without its reporter."""
    return backend().call("triage", "keep", known(ticket), form["reason"])


def decline(ticket: str, form: dict[str, Any]) -> views.Acted:
    """Decline a complaint that is not the caller's agency's, perhaps naming a better one."""
    return backend().call("opd_response", "decline", known(ticket), form["reason"], form.get("better_opd"))


def recall(ticket: str, form: dict[str, Any]) -> views.Acted:
    """Take a complaint back from the OPD that it is with."""
    return backend().call("triage", "recall", known(ticket), form["reason"])


def recuse(ticket: str, form: dict[str, Any]) -> views.Recused:
    """Hide a complaint from the caller, who steps aside, or from the colleague whose user name the form has."""
    ticket, named = known(ticket), form.get("account")
    account = [backend().ask_intake("colleague", {"username": named})["id"]] if named else []
    return backend().call(NOTED_AT[Role(g.actor.role)], "recuse", ticket, form["reason"], *account)


def request_time(ticket: str, form: dict[str, Any]) -> views.Acted:
    """Ask Tim Utama for more working days to respond."""
    return backend().call("opd_response", "request_time", known(ticket), form["days"], form["reason"])


def grant_time(ticket: str, form: dict[str, Any]) -> views.Acted:
    """Decide on the OPD's request for more time."""
    return backend().call("triage", "grant_time", known(ticket), form["days"], form.get("note"))


def gather(ticket: str, form: dict[str, Any]) -> views.Acted:
    """Keep the response and forward the complaint to a further OPD."""
    return backend().call("triage", "gather", known(ticket), form["opd"], form.get("note"), form.get("reason"))


def conclude(ticket: str, form: dict[str, Any]) -> views.Acted:
    """Hand the responses that were kept to the operator."""
    return backend().call("triage", "conclude", known(ticket), form.get("note"))


def join(ticket: str, form: dict[str, Any]) -> views.Acted:
    """Join a report with another about the same matter."""
    return backend().call("triage", "join", known(ticket), form["first"], form["reason"])


def part(ticket: str, form: dict[str, Any]) -> views.Acted:
    """Part a report from the one that it rests with."""
    return backend().call("triage", "part", known(ticket), form["reason"])


def similar(ticket: str, q: str | None) -> list[views.Case]:
    """Return the newest cases that a report may be joined with."""
    return backend().call("triage", "similar", known(ticket), q)


def reclassify(ticket: str, form: dict[str, Any]) -> views.Acted:
    """Send information back to Tim Utama, because it is a complaint after all."""
    return _acted(ticket, "send_back", form["reason"])


def object_to(ticket: str, form: dict[str, Any]) -> views.Acted:
    """Object to the answer."""
    return _acted(ticket, "object_to", form["reason"])


def rate(ticket: str, form: dict[str, Any]) -> views.Acted:
    """Rate the answer."""
    return _acted(ticket, "rate", form["rating"], form.get("comment"))


def _acted(ticket: str, act: str, *args: Any) -> views.Acted:
    done = journeys.told(known(ticket), act, *args)
    if done is None:
        raise journeys.being_prepared()
    return done


def _for_reporter(ticket: str) -> views.Complaint:
    complaint = desks.read(ticket)
    answered = _answer("open_answer" if methods.takes_effect() else "read_answer", ticket)
    # Intake does not know whether the answer was sent.
    no_more = {Act.WITHDRAW} if answered["answer"] else set()
    acts = [act for act in (*complaint.get("acts", ()), *answered.get("acts", ())) if act not in no_more]
    return {**complaint, **answered, "acts": acts}


def _for_operator(ticket: str) -> views.Complaint:
    complaint = desks.read(ticket)
    try:
        answering = _answer("answer", ticket)
    except StageUnavailableError:
        # There is no answer yet: what intake has is enough for the first desk.
        if complaint["stands"]["state"] != "awaiting_hand_over":
            raise
        answering = NOT_ANSWERED
    # The operator has two desks; after the hand-over the claim at the first is void.
    claim = complaint["claim"] or (answering["answer"] or {}).get("claim")
    acts = [*complaint.get("acts", ()), *answering.get("acts", ())]
    return {**complaint, **answering, "claim": claim, "acts": acts}


def _answer(method: str, ticket: str) -> Any:
    """Return a complaint's state and answer from notification; the first state where it has no such ticket yet."""
    try:
        return backend().call("notification", method, ticket)
    except RefusedRemotelyError as refusal:
        if refusal.name != "UnknownTicket":
            raise
        return NOT_ANSWERED if method == "answer" else {"stands": JUST_SUBMITTED, "answer": None}


_VIEWS = {
    Role.REPORTER: _for_reporter,
    Role.OPERATOR: _for_operator,
    Role.MAIN_TEAM: desks.read,
    Role.OPD_TEAM: desks.read,
}
