"""The check, by its timeline only, that a report passed every step, and had every act beside them, exactly once."""

from collections import Counter
from typing import Any

from nkk.sop.steps import Path

CLOSED = "complaint.closed.v1"
WITHDRAWN, CONCLUDED = "complaint.withdrawn.v1", "response.concluded.v1"
ENDINGS = {WITHDRAWN: "withdrawn", "complaint.abandoned.v1": "abandoned"}
"""The events that end a report outside of the steps, each with the state that follows."""

OF_JOINING = ("joins", "parting")

_BEFORE = ["complaint.submitted.v2", "complaint.handed_over.v1"]
_RETURNED = ["response.submitted.v1", "response.returned.v1"]
_APPROVED = ["response.submitted.v1", "response.approved.v1"]
_AFTER = ["answer.sent.v1", CLOSED]


_INFORMED, _FORWARDED = "complaint.classified_as_information.v1", "complaint.forwarded.v1"

_UNTIL = {
    "classify": [],
    "respond": [_FORWARDED],
    "approve": [_FORWARDED, _RETURNED[0]],
    "answer": [_INFORMED],
    "closed": [_INFORMED, *_AFTER],
    "withdrawn": [],
}
"""The events of the steps that come before an act beside the path, by where the report stands then."""


STEPS = {
    "hand_over": (_BEFORE[1],),
    "classify": (_INFORMED, _FORWARDED),
    "respond": ("response.submitted.v1",),
    "approve": ("response.approved.v1",),
    "answer": ("answer.sent.v1",),
    "receive": (CLOSED,),
}
"""The steps at which a report may stay, with the events that end each."""


def expected_events(item: dict[str, Any], stays: str | None = None) -> list[str]:
    """Return the events of a report's journey in order, up to the step `stays`, if it stays at one."""
    events = _whole(item)
    if stays is None:
        return events
    # A step that was done before an act brought the report back is done again at last.
    return events[: max(place for place, event in enumerate(events) if event in STEPS[stays])]


def _whole(item: dict[str, Any]) -> list[str]:
    """Return the events of a report's whole journey in order: steps 1-2-3-6-7, or 1 to 7 with the planned return.

    Acts beside the path come before that. A report that one of them ended goes no further. The reporter of one that was
    joined with another is told the steps of a report that was forwarded.
    """
    acts = [act for act in item.get("acts", ()) if act["event"]]
    beside = [event for act in acts for event in (*_UNTIL[act["at"]], act["event"])]
    if ends_early(item):
        return [*_BEFORE, *beside]
    if beside[-1:] == [CONCLUDED]:
        return [*_BEFORE, *beside, *_AFTER]
    if item["path"] == Path.INFORMATION:
        return [*_BEFORE, *beside, _INFORMED, *_AFTER]
    returned = _RETURNED if "return_note" in item else []
    return [*_BEFORE, *beside, _FORWARDED, *returned, *_APPROVED, *_AFTER]


def ends_early(item: dict[str, Any]) -> str | None:
    """Return the state in which a report ends outside of the steps, by its last act; None where it does not."""
    return ENDINGS.get(item["acts"][-1]["event"]) if "acts" in item else None


def ends_joined(item: dict[str, Any]) -> bool:
    """Return whether a report rests with another one, in the end, and shares its response."""
    return [act["act"] for act in item.get("acts", ()) if act["act"] in OF_JOINING][-1:] == ["joins"]


def flaws(item: dict[str, Any], timeline: dict[str, Any] | None, stays: str | None = None) -> list[str]:
    """Return what is wrong with a journey, in Indonesian sentences; none where each event came once and in order."""
    if timeline is None:
        return ["riwayatnya belum terbaca"]
    expected, told = expected_events(item, stays), [entry["event"] for entry in timeline["entries"]]
    stuck = _standing(timeline, stays or ends_early(item) or "closed")
    # For a report that is not closed, only surplus events are wrong: the missing ones may still come.
    found = [*stuck, *_counted(Counter(expected), Counter(told), only_surplus=bool(stuck))]
    if not found and told != expected:
        found.append("urutan langkahnya tidak sesuai prosedur")
    if timeline["path"] not in (item["path"], None):
        found.append(f"jalurnya {timeline['path']}, seharusnya {item['path']}")
    return found


def _standing(timeline: dict[str, Any], end: str) -> list[str]:
    if timeline["stands"]["state"] == end:
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
