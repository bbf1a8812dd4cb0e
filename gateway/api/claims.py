"""Claims: notes for colleagues at the same desk that a staff member works on a complaint."""

from typing import Any

from gateway import desks, schemas
from gateway.api.resources import Resources
from gateway.auth import needs
from gateway.complaints import known
from nkk.contracts import views

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
