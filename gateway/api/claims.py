"""Claims: notes for colleagues at the same desk that a staff member works on a complaint."""

from typing import Any

from gateway import desks, errors, schemas, several
from gateway.api.resources import Resources
from gateway.auth import needs
from gateway.complaints import known
from nkk.contracts import views
from nkk.sop.steps import Role

resources = Resources("claims", __name__, description="Claims: who at a desk works on a complaint")


@resources.route("/complaints/<ticket>/claim", methods=["POST"])
@needs(*desks.STAFF)
@resources.arguments(schemas.Claiming(), required=False)
@resources.response(200, schemas.Claimed)
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def claim(form: dict[str, Any], ticket: str) -> views.Claimed:
    """Claim a complaint for 30 minutes, or until its step is done. A claim does not block colleagues."""
    return desks.claim(known(ticket), form.get("take_over", False))


@resources.route("/complaints/<ticket>/claim", methods=["DELETE"])
@needs(*desks.STAFF)
@resources.response(200, schemas.Claimed)
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def release(ticket: str) -> views.Claimed:
    """Release your claim of a complaint."""
    return desks.release(known(ticket))


@resources.route("/claims", methods=["POST"])
@needs(*desks.STAFF)
@resources.arguments(schemas.ClaimingSeveral())
@resources.response(200, schemas.ClaimedSeveral)
def claim_several(form: dict[str, Any]) -> dict[str, Any]:
    """Claim up to 50 complaints. Each is claimed or refused by itself; a refused one has a `problem`."""
    return {"items": [_told(result) for result in several.claim(form["tickets"], form.get("take_over", False))]}


@resources.route("/handovers", methods=["POST"])
@needs(Role.OPERATOR)
@resources.arguments(schemas.Tickets())
@resources.response(200, schemas.HandedOverSeveral)
def hand_over_several(form: dict[str, Any]) -> dict[str, Any]:
    """Step 2: hand up to 50 complaints over to the main team.

    Each is handed over or refused by itself; a refused one has a `problem`. Those that a colleague claims
    (`claimed-by-colleague`) or that wait for their reporter (`question-open`) are not handed over here, but each by
    its own `handover`.
    """
    return {"items": [_told(result) for result in several.hand_over(form["tickets"])]}


def _told(result: several.Result) -> dict[str, Any]:
    if result.failed is not None:
        return {"ticket": result.ticket, "problem": errors.told(result.failed)}
    return {**result.done, "problem": None}
