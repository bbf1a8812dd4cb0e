"""Live figures, for anybody."""

from typing import Any

from gateway import schemas
from gateway.api.resources import Resources
from gateway.backend import FIGURES_SECONDS, backend

resources = Resources("figures", __name__, description="How much is reported and answered, and how fast")


@resources.route("/figures", methods=["GET"])
@resources.response(200, schemas.Figures)
def figures() -> tuple[dict[str, Any], int, dict[str, str]]:
    """How many complaints were accepted, answered and closed, and in what time; at most a minute old. No text, no
    name."""
    return backend().figures(), 200, {"Cache-Control": f"public, max-age={FIGURES_SECONDS}"}
