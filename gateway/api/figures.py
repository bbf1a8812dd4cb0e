"""The public figures as open data: JSON for programs, and CSV for spreadsheets. Any website may read them."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from flask import Response, request

from gateway import schemas
from gateway.api.resources import Resources
from gateway.backend import FIGURES_SECONDS, backend
from nkk.contracts import views
from nkk.sop.recap import RATINGS

RATED = tuple(f"rated_{rating}" for rating in RATINGS)
COLUMNS = ("month", "category", "name", "accepted", "answered", "closed", "ratings", "rating_average", *RATED)
NOT_TOLD: dict[str, Any] = {"count": None, "average": None}
"""What stands for the ratings that a notification of an earlier version does not count."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a text begins that a spreadsheet would take for a formula."""

STRETCHES = ("last_12_months", "this_month")
TEXT = {"schema": {"type": "string"}}
CACHED = {
    "ETag": {"description": "Send it as `If-None-Match` to get a 304 while nothing has changed."},
    "Cache-Control": {"description": "How long the response may be used."},
}
CONDITIONAL = {
    "responses": {"304": {"description": "Nothing has changed since the response with the ETag in `If-None-Match`."}}
}

resources = Resources("figures", __name__, description="Public counts of complaints, and how fast they are answered")


@resources.route("/figures", methods=["GET"])
@resources.response(200, schemas.Figures, headers={name: about | TEXT for name, about in CACHED.items()})
@resources.doc(**CONDITIONAL)
def figures() -> dict[str, Any]:
    """Get how many complaints were accepted, answered and closed, and how fast.

    The figures are at most a minute old, and contain no text and no name. No number is of fewer than five complaints,
    and none can be worked out from the others: it is null instead.
    """
    known, lists = backend().figures(), backend().lists_if_any()
    months = [
        month | {"categories": _categories(month, lists), "ratings": _ratings(month)}
        for month in known.get("months", [])
    ]
    stretches = {name: {"ratings": NOT_TOLD} | known[name] for name in STRETCHES if name in known}
    return known | stretches | {"months": months}


@resources.route("/figures.csv", methods=["GET"])
@resources.doc(
    responses={
        "200": {
            "description": "The table, in UTF-8.",
            "headers": {name: about | TEXT for name, about in CACHED.items()},
            "content": {"text/csv": {"schema": {"type": "string"}}},
        },
        **CONDITIONAL["responses"],
    }
)
def table() -> Response:
    """Get the numbers of the last twelve months as a table, one line for each month and each of its categories.

    A line without a category is of the whole month, with the ratings given in it. An empty number is of fewer than five
    complaints, or is withheld so that such a number cannot be worked out.
    """
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(COLUMNS)
    lines.writerows(_lines(backend().figures(), backend().lists_if_any()))
    return Response(written.getvalue(), content_type="text/csv; charset=utf-8; header=present")


@resources.after_request
def cacheable(response: Response) -> Response:
    """Let caches keep a response, and answer with 304 where the caller has the same one."""
    if response.status_code == 200:
        response.headers["Cache-Control"] = f"public, max-age={FIGURES_SECONDS}"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        response.add_etag()
        response.make_conditional(request)
    return response


def _categories(month: dict[str, Any], lists: views.Lists) -> list[dict[str, Any]]:
    """Return every category, also those that are withheld: a missing one would tell that it had no complaint."""
    shown = month["categories"]
    return [{"key": key, "accepted": shown.get(key)} for key in dict.fromkeys([*lists["categories"], *shown])]


def _ratings(month: dict[str, Any]) -> dict[str, Any]:
    """Return a month's ratings with a row for each from 1 to 5."""
    told = month.get("ratings") or NOT_TOLD
    shown = told.get("by_rating") or {}
    by_rating = [{"rating": rating, "count": shown.get(str(rating))} for rating in RATINGS]
    return {"count": told["count"], "average": told["average"], "by_rating": by_rating}


def _lines(figures: dict[str, Any], lists: views.Lists) -> Iterator[tuple[Any, ...]]:
    for month in figures.get("months", []):
        ratings = _ratings(month)
        yield (
            month["month"],
            "",
            "",
            month["accepted"],
            month["answered"],
            month["closed"],
            ratings["count"],
            ratings["average"],
            *(row["count"] for row in ratings["by_rating"]),
        )
        for category in _categories(month, lists):
            listed = lists["categories"].get(category["key"])
            yield (
                month["month"],
                category["key"],
                harmless(listed["name"] if listed else ""),
                category["accepted"],
                *[""] * (len(COLUMNS) - 4),
            )


def harmless(text: str) -> str:
    """Return `text` so that no spreadsheet calculates it: an apostrophe before what would be a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text
