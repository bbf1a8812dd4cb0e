"""Journeys as notification tells them, and what is known of one that it has not heard of yet.

Notification hears of everything, and may be behind: a complaint that the caller's own stage knows is none that does not
exist.
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
    """The complaint is known, and what is asked for is not there yet. `details["retry_after"]` is in seconds."""


def being_prepared() -> BeingPrepared:
    """One refusal for whatever waits for notification."""
    return BeingPrepared({"retry_after": RETRY_AFTER_SECONDS})


def told(ticket: str, method: str, *args: Any) -> Any:
    """What notification answers about a complaint; None where it has not heard of one that the caller's own stage
    knows. Raises UnknownTicket where that does not know it either."""
    try:
        return backend().call("notification", method, ticket, *args)
    except RefusedRemotelyError as refusal:
        if refusal.name != "UnknownTicket":
            raise
        desks.read(ticket)
        return None


def of(ticket: str) -> views.Timeline:
    """The journey of a complaint. Raises BeingPrepared where a team's has not been heard of yet."""
    try:
        return backend().call("notification", "timeline", ticket)
    except RefusedRemotelyError as refusal:
        if refusal.name != "UnknownTicket":
            raise
        return begun(desks.read(ticket))


def begun(complaint: views.Complaint) -> views.Timeline:
    """The journey of a `complaint` as intake knows it: its first step. Raises BeingPrepared for a team, whose steps
    come later."""
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
    }


def standing(step: Step) -> Stands:
    """Where a complaint stands that came to `step`, as notification would say it."""
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
