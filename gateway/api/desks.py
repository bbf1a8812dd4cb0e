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

resources = Resources("desks", __name__, description="Worklists, oldest due first")


CHANGES = """`ready`: from here on every change is told, so load the list. `change`: the list is not what it was.
Their data is `{"desk": …}`, with `opd` at the OPDs' desk; the id is that of the event behind the change. A stream ends
after about ten minutes, or with the access token: open it anew. 503 with Retry-After: as many pages listen as can; ask
for the list now and then instead."""


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
        summary="Told when the worklist changes (server-sent events).",
        description=CHANGES,
        responses={
            "200": {"description": "The events.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
        },
    )
    def changes() -> Response:
        return live.as_response(live.stream_for(desk, g.actor))

    return changes


for _one, _what in (
    (desks.INTAKE, "Complaints to hand over (step 2)."),
    (desks.TRIAGE, "Complaints to classify (step 3), responses to approve or return (step 5)."),
    (desks.OPD, "Complaints your agency is to respond to (step 4)."),
    (desks.ANSWERS, "Answers to send (step 6)."),
):
    _desk(_one, _what)
    _changes(_one)


@resources.route("/desks/answers/undelivered", methods=["GET"])
@needs(Role.OPERATOR)
@resources.arguments(schemas.Page(), location="query")
@resources.response(200, schemas.UndeliveredLetters)
def undelivered(page: dict[str, Any]) -> dict[str, Any]:
    """List letters to reporters that will not arrive, of complaints that are not closed, oldest first.

    Contact these reporters another way.
    """
    return backend().call("notification", "undelivered", page.get("cursor"), page.get("limit"))
