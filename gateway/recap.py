"""The month's recapitulation for site and API, computed on request from notification's journeys and intake's lists."""

from typing import Any

from flask import Response, g

from gateway import papers
from gateway.backend import backend
from gateway.clock import now
from nkk.sop.recap import figures
from nkk.sop.steps import BY_DAY, Role

COUNTERS = (Role.ADMIN, Role.MAIN_TEAM, Role.OPERATOR)


def of_month(month: str) -> dict[str, Any]:
    """Return the figures of `month` (`2026-03`, WIB) for the caller's role. Raises InvalidInput for a future month."""

    def ask(closed: bool, cursor: str | None) -> dict[str, Any]:
        return backend().call("notification", "month", month, closed, cursor)

    return figures(month, ask, backend().lists(), now(), by_day=g.actor.role in BY_DAY)


def as_file(month: str, format: str) -> Response:
    """Return the same figures as a workbook or a PDF."""
    return papers.sent(papers.RECAP, format, of_month(month), f"{papers.RECAP}-{month}")
