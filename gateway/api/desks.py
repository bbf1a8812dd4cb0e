"""The desks' worklists, oldest due first."""

from collections.abc import Callable
from typing import Any

from gateway.api import Resources, schemas
from gateway.auth import needs
from gateway.backend import backend
from nkk.sop.steps import Role

resources = Resources("desks", __name__, description="Worklists, oldest due first")


def _desk(path: str, stage: str, role: Role, what: str) -> Callable[..., Any]:
    @resources.route(f"/desks/{path}", methods=["GET"], endpoint=path)
    @needs(role)
    @resources.doc(summary=what)
    @resources.arguments(schemas.Worklist(), location="query")
    @resources.response(200, schemas.Listing)
    def worklist(page: dict[str, Any]) -> dict[str, Any]:
        return backend().call(stage, "worklist", page["cursor"], page["limit"], page["wanted"])

    return worklist


_desk("intake", "intake", Role.OPERATOR, "Complaints to hand over (step 2).")
_desk("triage", "triage", Role.MAIN_TEAM, "Complaints to classify (step 3), responses to approve or return (step 5).")
_desk("opd", "opd_response", Role.OPD_TEAM, "Complaints your agency is to respond to (step 4).")
_desk("answers", "notification", Role.OPERATOR, "Answers to send (step 6).")
