"""Notes of staff about a case, for the API and the pages: each desk's own, and all of them for Tim Utama."""

from flask import g

from gateway.backend import backend
from nkk.contracts import views
from nkk.sop.steps import Role

NOTED_AT = {Role.OPERATOR: "intake", Role.MAIN_TEAM: "triage", Role.OPD_TEAM: "opd_response"}
"""The stage that keeps the notes of each role."""


class Noted(views.Note):
    """A note, and the role of the desk that wrote it."""

    role: str


def of(ticket: str) -> list[Noted]:
    """Return the notes about a complaint that the caller may read, oldest first."""
    role = Role(g.actor.role)
    readable = NOTED_AT if role == Role.MAIN_TEAM else {role: NOTED_AT[role]}
    found: list[Noted] = [
        {"at": note["at"], "by": note["by"], "text": note["text"], "recused": note["recused"], "role": str(wrote)}
        for wrote, stage in readable.items()
        for note in backend().call(stage, "notes", ticket)
    ]
    return sorted(found, key=lambda note: note["at"])


def add(ticket: str, text: str) -> None:
    """Add a note of the caller's about a complaint at their desk."""
    backend().call(NOTED_AT[Role(g.actor.role)], "add_note", ticket, text)
