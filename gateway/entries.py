"""What site and API do for reports that are entered for a person: by other websites, or by an operator."""

from typing import Any

from flask import Response, current_app

from gateway import complaints, evidence, papers
from gateway.backend import backend

APART = ("reporter", "channel", "paper")
"""What an entry has besides the form."""


def submit(entry: dict[str, Any], idempotency_key: str | None) -> dict[str, Any]:
    """Submit a report for a person (step 1); return its receipt with the person's access code."""
    form = complaints.for_intake({name: value for name, value in entry.items() if name not in APART})
    apart = {name: entry[name] for name in APART if name in entry}
    content = apart | {"form": form, "idempotency_key": idempotency_key}
    receipt = backend().tell_intake("submit_for", content)
    return {**receipt, "files": evidence.shown(receipt.get("files", ()))}


def renew_code(ticket: str) -> dict[str, Any]:
    """Give a report that an operator entered a new access code, which ends the one before."""
    return backend().tell_intake("renew_code", {"ticket": complaints.known(ticket)})


def receipt(ticket: str, code: str, format: str) -> Response:
    """Return the receipt on paper of a report that an operator entered, with its access code."""
    ticket = complaints.known(ticket)
    held = backend().tell_intake("paper_receipt", {"ticket": ticket, "access_code": code})
    files = evidence.rows(held.get("files", ()))
    url = f"{current_app.config['SITE_URL']}{papers.CODE_PAGE}"
    shown = {**held, "files": files, "access_code": code, "tracking_url": url}
    return papers.sent(papers.PAPER_RECEIPT, format, shown, f"{papers.PAPER_RECEIPT}-{ticket}")


def own(cursor: str | None, limit: int | None) -> dict[str, Any]:
    """Return a page of the reports that the calling website sent in, newest first, each with its state."""
    listing = backend().call("intake", "entries", cursor, limit)
    return {"items": _followed(listing["items"]), "next": listing["next"]}


def one(ticket: str) -> dict[str, Any]:
    """Return one of them. Raises UnknownTicket for any other."""
    return _followed([backend().call("intake", "entry", complaints.known(ticket))])[0]


def _followed(entered: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return `entered` with the state that notification knows; that of intake where it knows none yet."""
    tickets = [entry["ticket"] for entry in entered]
    known = backend().call("notification", "entered", tickets) if tickets else {}
    standing = [entry | {"stands": known.get(entry["ticket"]) or entry["stands"]} for entry in entered]
    return [entry | {"closed": entry["stands"]["step"] is None} for entry in standing]
