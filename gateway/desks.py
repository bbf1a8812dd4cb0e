"""The desks: the role and the stage of each, and where a role's complaints are read. Site and API use this table."""

from dataclasses import dataclass
from typing import Any

from flask import g

from gateway.backend import backend
from nkk.contracts import views
from nkk.messaging.calls import RefusedRemotelyError
from nkk.sop.steps import Role


@dataclass(frozen=True)
class Desk:
    """A desk: its key in the API and the live feed, the stage with its worklist, and the role that works there."""

    key: str
    stage: str
    role: Role


INTAKE = Desk("intake", "intake", Role.OPERATOR)
TRIAGE = Desk("triage", "triage", Role.MAIN_TEAM)
OPD = Desk("opd", "opd_response", Role.OPD_TEAM)
ANSWERS = Desk("answers", "notification", Role.OPERATOR)

DESKS = (INTAKE, TRIAGE, OPD, ANSWERS)
"""All desks, in the order of the procedure."""

STAFF = (Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM)
"""The roles that work at desks."""

_READ: dict[Role, tuple[str, str]] = {
    Role.REPORTER: ("intake", "complaint"),
    Role.OPERATOR: ("intake", "complaint"),
    Role.MAIN_TEAM: ("triage", "case"),
    Role.OPD_TEAM: ("opd_response", "case"),
}


def of_role(role: str) -> list[Desk]:
    """Return the desks of a role, in the order of the procedure."""
    return [desk for desk in DESKS if desk.role == role]


def read(ticket: str) -> views.Complaint:
    """Return a complaint from the stage of the caller's role; an operator's or a reporter's from intake."""
    stage, method = _READ[Role(g.actor.role)]
    return backend().call(stage, method, ticket)


def claim(ticket: str, take_over: bool) -> views.Claimed:
    """Claim a complaint for the caller; one claimed by a colleague only with `take_over`."""
    return _at_own_desk("claim", ticket, take_over)


def release(ticket: str) -> views.Claimed:
    """Release the caller's claim of a complaint."""
    return _at_own_desk("release", ticket)


def _at_own_desk(act: str, *args: Any) -> views.Claimed:
    first, *others = of_role(g.actor.role)
    try:
        return backend().call(first.stage, act, *args)
    except RefusedRemotelyError as refusal:
        # After the hand-over, a complaint can only be at the operator's second desk.
        if refusal.name != "AlreadyHandedOver" or not others:
            raise
    return backend().call(others[0].stage, act, *args)
