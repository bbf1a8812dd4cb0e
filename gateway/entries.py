"""What the API does for the servers of other websites, which send in reports for their visitors."""

from typing import Any

from gateway import complaints, evidence
from gateway.backend import backend


def submit(entry: dict[str, Any], idempotency_key: str | None) -> dict[str, Any]:
    """Submit a report for a person (step 1); return its receipt with the person's access code."""
    form = complaints.with_files({name: value for name, value in entry.items() if name != "reporter"})
    content = {"reporter": entry["reporter"], "form": form, "idempotency_key": idempotency_key}
    receipt = backend().tell_intake("submit_for", content)
    return {**receipt, "files": evidence.shown(receipt.get("files", ()))}


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
