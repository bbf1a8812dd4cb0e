"""Names of staff for their colleagues, and claims."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.backend import backend
from gateway.site import session
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.sop.claims import Claim as ToldClaim

MOST_ASKED = 200


@dataclass(frozen=True)
class Claim:
    """A claim: the colleague's name where known, whether it is the visitor's own, and since which instant."""

    name: str
    own: bool
    since: str


def names(ids: Iterable[str | None]) -> dict[str, str]:
    """Return names by staff id, without those that are not available; the page works without them."""
    wanted = sorted({id for id in ids if id})[:MOST_ASKED]
    if not wanted:
        return {}
    try:
        return backend().call("intake", "staff_names", wanted)
    except (RefusedRemotelyError, StageUnavailableError, StageFailedError):
        return {}


def claim(told: ToldClaim | None, known: Mapping[str, str]) -> Claim | None:
    """Return a stage's claim with the name from `known`."""
    if not told:
        return None
    return Claim(known.get(told["by"], ""), told["by"] == session.actor().id, told["since"])
