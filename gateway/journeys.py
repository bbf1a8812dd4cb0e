"""Complaints' timelines from notification, and a substitute for one that it has not consumed yet.

Notification consumes every event and may be behind, so a complaint that the caller's own stage has does exist.
"""

from typing import Any

from flask import g

from gateway import desks
from gateway.backend import backend
from nkk.contracts import views
from nkk.messaging.calls import RefusedRemotelyError
from nkk.sop import steps
from nkk.sop.refusals import Refused
from nkk.sop.steps import Role, Stands, Step

RETRY_AFTER_SECONDS = 5


class BeingPrepared(Refused):
    """The complaint exists, and what is requested is not ready yet. `details["retry_after"]` is in seconds."""


def being_prepared() -> BeingPrepared:
    """Return the refusal for anything that waits for notification."""
    return BeingPrepared({"retry_after": RETRY_AFTER_SECONDS})


def told(ticket: str, method: str, *args: Any) -> Any:
    """Return notification's answer about a complaint; None where only the caller's own stage has it yet.

    Raises UnknownTicket where that stage does not have it either.
    """
    try:
        return backend().call("notification", method, ticket, *args)
    except RefusedRemotelyError as refusal:
        if refusal.name != "UnknownTicket":
            raise
        desks.read(ticket)
        return None


def of(ticket: str) -> views.Timeline:
    """Return a complaint's timeline. Raises BeingPrepared for a team whose complaint notification does not have yet."""
    try:
        return backend().call("notification", "timeline", ticket)
    except RefusedRemotelyError as refusal:
        if refusal.name != "UnknownTicket":
            raise
        return begun(desks.read(ticket))


def begun(complaint: views.Complaint) -> views.Timeline:
    """Return the timeline of a `complaint` as intake keeps it: its first step.

    Raises BeingPrepared for a team, whose steps come later.
    """
    if g.actor.role not in (Role.REPORTER, Role.OPERATOR):
        raise being_prepared()
    stands = steps.CLASSIFY if complaint.get("handed_over_at") else steps.HAND_OVER
    return {
        "ticket": complaint["ticket"],
        "path": None,
        "submitted_at": complaint["submitted_at"],
        "service_due_at": complaint["service_due_at"],
        "service_left_minutes": None,
        "stands": standing(stands),
        "next": None,
        "entries": [_submitted(complaint["submitted_at"])],
        "beside": [],
    }


def standing(step: Step) -> Stands:
    """Return the state of a complaint at `step`, as notification would give it."""
    return {"state": step.name, "step": step.number}


def _submitted(at: str) -> views.Entry:
    step = steps.SUBMIT
    entry: views.Entry = {
        "step": step.number,
        "name": step.name,
        "activity": step.activity,
        "event": "complaint.submitted.v2",
        "role": step.role,
        "at": at,
        "output": step.output,
        "round": None,
        "minutes": step.minutes,
        "came_at": None,
        "due_at": None,
        "used_minutes": None,
        "late": None,
    }
    return entry if g.actor.role == Role.REPORTER else {**entry, "by": None, "opd": None, "note": None}
