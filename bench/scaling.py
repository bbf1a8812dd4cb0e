"""Events per second with more instances of one stage whose handler waits for something slow.

The instances share the stage's queue; nothing else in the installation changes.
"""

from typing import Any

from bench.accepting import until
from bench.hopping import ASKING_SECONDS, COMMITTED, HEARD
from bench.site import Site
from bench.slow import WAITS_SECONDS
from bench.telling import forwarded, tell
from bench.workplace import Workplace, say

STAGE = "opd_response"
INSTANCES = (1, 2, 3)


def measure(place: Workplace) -> dict[str, Any]:
    """Return the events per second by number of instances, and the ratio to one instance."""
    rates = {}
    for number in INSTANCES:
        with place.installation("scale", {STAGE: number}, {STAGE: "bench.slow:SlowOpdResponse"}) as site:
            _per_second(site, place.size(100, 20))
            rates[number] = _per_second(site, place.size(600, 60) * number)
        say(f"scale: {number} of {STAGE}: {rates[number]:.0f}/s")
    return {
        "waits_ms": WAITS_SECONDS * 1000,
        "per_second": rates,
        "ratio": {number: rate / rates[1] for number, rate in rates.items()},
    }


def _per_second(site: Site, count: int) -> float:
    events = forwarded(count)
    tickets = [event.ticket for event in events]
    tell(site, "triage", events)
    until(lambda: site.query(STAGE, COMMITTED, tickets)[0][0] == count, "the slow stage's events", ASKING_SECONDS)
    until(lambda: site.query("notification", HEARD, tickets)[0][0] == count, "notification's events")
    return (count - 1) / site.query(STAGE, COMMITTED, tickets)[0][1]
