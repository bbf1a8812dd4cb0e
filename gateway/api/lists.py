"""The catalogue and the roster, for anybody."""

from typing import Any

from gateway import schemas
from gateway.api.resources import Resources
from gateway.backend import backend

resources = Resources("lists", __name__, description="The catalogue of categories and the roster of agencies")


@resources.route("/categories", methods=["GET"])
@resources.response(200, schemas.Categories)
def categories() -> dict[str, Any]:
    """List the categories of complaints, with their sub-categories."""
    return {
        "items": [
            {
                "key": key,
                "name": category["name"],
                "source": category.get("source", ""),
                "sub_categories": _named(category["sub_categories"]),
            }
            for key, category in backend().lists()["categories"].items()
        ]
    }


@resources.route("/opds", methods=["GET"])
@resources.response(200, schemas.Opds)
def opds() -> dict[str, Any]:
    """List the agencies (OPD)."""
    return {"items": _named(backend().lists()["opds"])}


def _named(names: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "name": name} for key, name in names.items()]
