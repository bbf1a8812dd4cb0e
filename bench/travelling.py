"""Whole journeys per second: from the form to the reporter's receipt, all desks acting over HTTP."""

from typing import Any

from bench.accepting import CONNECTIONS
from bench.figures import percentiles
from bench.site import COMPLAINT, INFORMATION, Site

COUNT = 300


def measure(site: Site) -> dict[str, Any]:
    """Journeys completed per second, half as information and half as complaints, and how long one takes."""
    done = site.walk(site.scripts(COUNT, INFORMATION, COMPLAINT), CONNECTIONS)
    spans = [(each["times"][0][0], each["times"][-1][1]) for each in done["walked"]]
    seconds = max(ended for _, ended in spans) - min(began for began, _ in spans)
    closed = site.query("notification", "SELECT count(*) FROM answers WHERE closed_at IS NOT NULL")[0][0]
    return {"per_second": len(spans) / seconds, "completed": len(spans), "closed": closed, "of": COUNT,
            "refused": done["refused"], **percentiles([ended - began for began, ended in spans])}
