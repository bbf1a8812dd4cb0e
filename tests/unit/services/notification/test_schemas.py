import json
from datetime import UTC, datetime

import pytest

from nkk.sop.steps import Role
from services.notification.domain import Entry, Journey
from services.notification.schemas import timeline
from tests.builders import TICKET

AT = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
STAFF, NOTE = "staff-17", "Mohon ditindaklanjuti."


def forwarded():
    entries = [Entry("e1", TICKET, "complaint.submitted.v1", AT),
               Entry("e2", TICKET, "complaint.handed_over.v1", AT, by=STAFF),
               Entry("e3", TICKET, "complaint.forwarded.v1", AT, by=STAFF, opd="disdukcapil", note=NOTE)]
    return Journey(TICKET, "reporter-1", AT, AT, "complaint", "disdukcapil", entries)


def test_a_timeline_tells_where_a_complaint_stands_and_what_comes_next():
    told = timeline(forwarded(), Role.REPORTER)
    assert told["stands"] == {"state": "respond", "step": 4}
    assert (told["next"]["step"], told["next"]["minutes"]) == (4, 900)
    assert [entry["step"] for entry in told["entries"]] == [1, 2, 3]
    assert told["submitted_at"] == "2026-03-02T03:00:00.000000Z"


def test_the_reporter_is_told_neither_who_of_the_staff_acted_nor_their_notes():
    told = json.dumps(timeline(forwarded(), Role.REPORTER))
    assert STAFF not in told
    assert NOTE not in told


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM])
def test_staff_are_told_who_acted_and_who_reported_is_not_among_it(role):
    told = timeline(forwarded(), role)
    assert (told["entries"][2]["by"], told["entries"][2]["opd"], told["entries"][2]["note"]) == (
        STAFF, "disdukcapil", NOTE)
    assert "reporter-1" not in json.dumps(told)


def test_a_journey_that_is_closed_has_nothing_next():
    way = forwarded()
    way.entries.append(Entry("e9", TICKET, "complaint.closed.v1", AT))
    assert timeline(way, Role.REPORTER)["next"] is None


def test_a_journey_whose_beginning_was_not_heard_yet_can_be_told():
    way = Journey(TICKET, None, None, None, None, None, [Entry("e2", TICKET, "complaint.handed_over.v1", AT)])
    assert timeline(way, Role.OPERATOR)["submitted_at"] is None
