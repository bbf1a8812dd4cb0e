"""Live figures, for anybody."""

from typing import Any

from gateway import schemas
from gateway.api.resources import Resources
from gateway.backend import FIGURES_SECONDS, backend

resources = Resources("figures", __name__, description="Public counts of complaints, and how fast they are answered")


@resources.route("/figures", methods=["GET"])
@resources.response(200, schemas.Figures)
def figures() -> tuple[dict[str, Any], int, dict[str, str]]:
    """Get how many complaints were accepted, answered and closed, and how fast.

    The figures are at most a minute old, and contain no text and no name.
    """
    return backend().figures(), 200, {"Cache-Control": f"public, max-age={FIGURES_SECONDS}"}
