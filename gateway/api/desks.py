"""The desks' worklists, sorted by due time, and the event streams that announce their changes."""

from collections.abc import Callable
from typing import Any

from flask import Response, g

from gateway import complaints, desks, live, schemas
from gateway.api.resources import Resources
from gateway.auth import needs
from gateway.backend import backend
from gateway.desks import Desk
from nkk.contracts import views
from nkk.sop.steps import Role

resources = Resources("desks", __name__, description="Worklists, sorted by due time")


CHANGES = """Event `ready`: every change from now on is sent, so load the list. Event `change`: the list has changed, so
load it again. The data is `{"desk": …}`, with `opd` at the OPD desk; the id is that of the event that caused the
change. A stream ends after about ten minutes, when the access token expires, or where changes may have been missed;
then open a new one. 503 with Retry-After means that no more streams can be opened; poll the list instead."""


def _desk(desk: Desk, what: str) -> Callable[..., Any]:
    @resources.route(f"/desks/{desk.key}", methods=["GET"], endpoint=desk.key)
    @needs(desk.role)
    @resources.doc(summary=what)
    @resources.arguments(schemas.Worklist(), location="query")
    @resources.response(200, schemas.Listing)
    def worklist(page: dict[str, Any]) -> views.Listing:
        return complaints.worklist(desk, page["cursor"], page["limit"], page["wanted"])

    return worklist


def _changes(desk: Desk) -> Callable[..., Any]:
    @resources.route(f"/desks/{desk.key}/changes", methods=["GET"], endpoint=f"{desk.key}_changes")
    @needs(desk.role)
    @resources.doc(
        summary="Subscribe to changes of the worklist (server-sent events).",
        description=CHANGES,
        responses={
            "200": {
                "description": "The stream of events.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            }
        },
    )
    def changes() -> Response:
        return live.as_response(live.stream_for(desk, g.actor))

    return changes


for _one, _what in (
    (desks.INTAKE, "List the complaints to hand over (step 2)."),
    (desks.TRIAGE, "List the complaints to classify (step 3), and the responses to approve or return (step 5)."),
    (desks.OPD, "List the complaints that your agency has to respond to (step 4)."),
    (desks.ANSWERS, "List the answers to send (step 6)."),
):
    _desk(_one, _what)
    _changes(_one)


@resources.route("/desks/answers/undelivered", methods=["GET"])
@needs(Role.OPERATOR)
@resources.arguments(schemas.Page(), location="query")
@resources.response(200, schemas.UndeliveredLetters)
def undelivered(page: dict[str, Any]) -> dict[str, Any]:
    """List the undeliverable letters to reporters of complaints that are not closed, oldest first.

    Contact these reporters another way.
    """
    return backend().call("notification", "undelivered", page.get("cursor"), page.get("limit"))
