"""Whole journeys per second: from the form to the reporter's receipt, with all desks acting over HTTP."""

from typing import Any

from bench.figures import percentiles
from bench.site import COMPLAINT, CONNECTIONS, INFORMATION, Site
from bench.workplace import Workplace

CLOSED = "SELECT count(*) FROM answers WHERE closed_at IS NOT NULL"


def measure(place: Workplace) -> dict[str, Any]:
    """Measure journeys; see `travelled`."""
    return travelled(place.site(), place.size(300, 20))


def travelled(site: Site, count: int) -> dict[str, Any]:
    """Return the journeys completed per second, half information and half complaints, and the duration of one."""
    before = site.query("notification", CLOSED)[0][0]
    done = site.walk(site.scripts(count, INFORMATION, COMPLAINT), CONNECTIONS)
    spans = [(each["times"][0][0], each["times"][-1][1]) for each in done["walked"]]
    seconds = max(ended for _, ended in spans) - min(began for began, _ in spans)
    closed = site.query("notification", CLOSED)[0][0] - before
    return {
        "per_second": len(spans) / seconds,
        "completed": len(spans),
        "closed": closed,
        "of": count,
        "refused": done["refused"],
        **percentiles([ended - began for began, ended in spans]),
    }
