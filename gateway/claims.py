"""Who is on a complaint, at whichever desk of the caller's it stands."""

from typing import Any

from flask import g

from gateway.backend import backend
from nkk.messaging.calls import RefusedRemotelyError
from nkk.sop.steps import Role

CLAIMERS = (Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM)

_STAGES = {Role.MAIN_TEAM: "triage", Role.OPD_TEAM: "opd_response"}


def claim(ticket: str, take_over: bool) -> dict[str, Any]:
    """The caller is on it; in a colleague's place only with `take_over`."""
    return _at_desk("claim", ticket, take_over)


def release(ticket: str) -> dict[str, Any]:
    """The caller is not on it any more."""
    return _at_desk("release", ticket)


def _at_desk(act: str, *args: Any) -> dict[str, Any]:
    if g.actor.role in _STAGES:
        return backend().call(_STAGES[g.actor.role], act, *args)
    try:
        return backend().call("intake", act, *args)
    except RefusedRemotelyError as refusal:
        # Handed over: of the operator's two desks it can stand at the second only.
        if refusal.name != "AlreadyHandedOver":
            raise
        return backend().call("notification", act, *args)
