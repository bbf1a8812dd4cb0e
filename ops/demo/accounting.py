"""The check, by its timeline only, that a report passed every step of the procedure exactly once."""

from collections import Counter
from typing import Any

from nkk.sop.steps import Path

CLOSED = "complaint.closed.v1"

_BEFORE = ["complaint.submitted.v2", "complaint.handed_over.v1"]
_RETURNED = ["response.submitted.v1", "response.returned.v1"]
_APPROVED = ["response.submitted.v1", "response.approved.v1"]
_AFTER = ["answer.sent.v1", CLOSED]


def expected_events(item: dict[str, Any]) -> list[str]:
    """Return the events of a report's whole journey in order: steps 1-2-3-6-7, or 1 to 7 with the planned return."""
    if item["path"] == Path.INFORMATION:
        return [*_BEFORE, "complaint.classified_as_information.v1", *_AFTER]
    returned = _RETURNED if "return_note" in item else []
    return [*_BEFORE, "complaint.forwarded.v1", *returned, *_APPROVED, *_AFTER]


def flaws(item: dict[str, Any], timeline: dict[str, Any] | None) -> list[str]:
    """Return what is wrong with a journey, in Indonesian sentences; none where each event came once and in order."""
    if timeline is None:
        return ["riwayatnya belum terbaca"]
    expected, told = expected_events(item), [entry["event"] for entry in timeline["entries"]]
    stuck = _standing(timeline)
    # For a report that is not closed, only surplus events are wrong: the missing ones may still come.
    found = [*stuck, *_counted(Counter(expected), Counter(told), only_surplus=bool(stuck))]
    if not found and told != expected:
        found.append("urutan langkahnya tidak sesuai prosedur")
    if timeline["path"] not in (item["path"], None):
        found.append(f"jalurnya {timeline['path']}, seharusnya {item['path']}")
    return found


def _standing(timeline: dict[str, Any]) -> list[str]:
    if timeline["stands"]["state"] == "closed":
        return []
    waits = timeline["next"]
    return [f"berhenti di langkah {waits['step']} ({waits['activity']})" if waits else "belum sampai di langkah 7"]


def _counted(expected: Counter[str], told: Counter[str], only_surplus: bool) -> list[str]:
    wrong = told - expected if only_surplus else (told - expected) | (expected - told)
    return [
        f"{event} tercatat {told[event]} kali, seharusnya {expected[event]} kali"
        for event in dict.fromkeys([*expected, *told])
        if event in wrong
    ]
