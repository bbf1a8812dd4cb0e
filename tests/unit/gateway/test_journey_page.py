"""The seven steps on a page, and the time left."""

from typing import Any

import pytest
from flask import Flask, get_template_attribute

from gateway.addresses import within_site
from gateway.site import due, journey
from gateway.site.language import moment, office_time
from nkk.sop.steps import STEPS

SUBMITTED = "2026-03-02T01:00:00.000000Z"


def timeline(step: int | None, *done: int, path: str | None = "complaint", **more: Any) -> dict[str, Any]:
    entries = [
        {"step": number, "event": "answer.sent.v1" if number == 6 else "x", "role": "operator", "at": SUBMITTED}
        for number in done
    ]
    return {
        "path": path,
        "submitted_at": SUBMITTED,
        "stands": {"step": step, "state": "closed"},
        "next": None,
        "entries": entries,
    } | more


@pytest.fixture(autouse=True)
def _page(app: Flask) -> Any:
    with app.test_request_context():
        yield


def states(told: dict[str, Any]) -> list[str]:
    return [stop.state for stop in journey.stops(told)]


def test_what_is_before_now_is_done_and_what_is_after_comes_next() -> None:
    assert states(timeline(3, 1, 2)) == ["done", "done", "now", "next", "next", "next", "next"]


def test_information_skips_the_agency() -> None:
    assert states(timeline(6, 1, 2, 3, path="information")) == [
        "done",
        "done",
        "done",
        "skipped",
        "skipped",
        "now",
        "next",
    ]


def test_an_agency_is_told_that_the_fourth_step_is_at_a_further_one() -> None:
    told = timeline(4, 1, 2, 3, 4, 5)
    told["entries"][-1]["event"] = "response.gathered.v1"
    assert [stop.elsewhere for stop in journey.stops(told)] == [stop.step.number == 4 for stop in journey.stops(told)]
    told["entries"].append({"step": 3, "event": "complaint.forwarded.v1", "role": "main_team", "at": SUBMITTED})
    assert not any(stop.elsewhere for stop in journey.stops(told))


def test_a_joined_report_waits_at_the_third_step_for_the_other_one() -> None:
    told = timeline(3, 1, 2, 3)
    told["entries"][-1]["event"] = "complaint.joined.v1"
    assert [stop.joined for stop in journey.stops(told)] == [stop.step.number == 3 for stop in journey.stops(told)]
    told["entries"].append({"step": 3, "event": "complaint.parted.v1", "role": "main_team", "at": SUBMITTED})
    assert not any(stop.joined for stop in journey.stops(told))


def test_a_returned_response_puts_the_fourth_step_back_to_now() -> None:
    stops = journey.stops(timeline(4, 1, 2, 3, 4, 5))
    assert [stop.state for stop in stops] == ["done", "done", "done", "now", "next", "next", "next"]
    assert [len(stop.entries) for stop in stops] == [1, 1, 1, 1, 1, 0, 0]


def test_a_closed_complaint_has_every_step_of_its_path_done() -> None:
    assert states(timeline(None, *range(1, 8))) == ["done"] * 7


def test_a_report_whose_first_event_is_on_its_way_shows_when_it_was_sent() -> None:
    stops = journey.stops(timeline(2, path=None))
    assert (stops[0].state, stops[0].entries[0]["at"]) == ("done", SUBMITTED)
    assert stops[1].state == "now"


def test_what_happened_besides_the_steps_stands_under_the_step_that_was_awaited() -> None:
    added = {"event": "report.added_to.v1", "role": "reporter", "at": SUBMITTED, "step": 3, "files": 2}
    later = added | {"event": "report.taken_back.v1", "activity": "Menarik laporan"}
    told = timeline(4, 1, 2, 3, beside=[added, later])
    assert [len(stop.acts) for stop in journey.stops(told)] == [0, 0, 2, 0, 0, 0, 0]
    page = get_template_attribute("_parts.html", "journey")({"stops": journey.stops(told)})
    assert "2 berkas ditambahkan pelapor" in page
    assert "Menarik laporan" in page, "an act that this version does not know, in the stage's words"


def test_what_happened_besides_a_step_stands_in_the_order_of_time() -> None:
    ends = {"step": 4, "event": "response.submitted.v1", "role": "opd_team", "at": "2026-03-03T02:00:00.000000Z"}
    asks = {"event": "time.requested.v1", "role": "opd_team", "step": 4, "files": 0, "days": 3}
    acts = [asks | {"at": at} for at in ("2026-03-02T02:00:00.000000Z", "2026-03-02T03:00:00.000000Z")]
    told = timeline(5, 1, 2, 3, beside=acts)
    told["entries"].append(ends)
    stop = journey.stops(told)[3]
    assert [one["at"] for _, one in stop.told] == [acts[0]["at"], acts[1]["at"], ends["at"]]
    assert [beside for beside, _ in stop.told] == [True, True, False]


def test_the_promise_of_the_present_step_is_the_stages_own_where_it_tells_it() -> None:
    told = timeline(3, 1, 2, next={"due_at": "2026-03-09T01:00:00Z", "left_minutes": -30})
    promised = journey.stops(told)[2].due
    assert promised is not None
    assert (promised.at, promised.level, promised.words) == ("2026-03-09T01:00:00Z", "late", "Terlambat 30 menit kerja")


def test_a_step_that_rests_while_its_desk_waits_for_the_reporter_has_no_due_time() -> None:
    at = "2026-03-09T01:00:00Z"
    told = timeline(3, 1, 2, next={"due_at": at, "left_minutes": 30, "waiting_since": SUBMITTED})
    stops = journey.stops(told)
    assert [stop.waiting_since for stop in stops] == [None, None, SUBMITTED, None, None, None, None]
    assert stops[2].due is None
    page = get_template_attribute("_parts.html", "journey")({"stops": stops})
    assert "Menunggu jawaban pelapor sejak" in page


def test_no_promise_is_made_up_where_no_stage_tells_it_nor_for_the_reporters_own_step() -> None:
    assert journey.stops(timeline(4, 1, 2, 3))[3].due is None
    told = timeline(7, 1, 2, 3, 4, 5, 6, next={"due_at": "2026-03-09T01:00:00Z", "left_minutes": 3})
    assert journey.stops(told)[6].due is None


def test_the_whole_services_promise_is_told_with_what_is_left_or_whether_it_was_kept() -> None:
    assert journey.whole(timeline(2, service_due_at=None)) is None
    running = journey.whole(timeline(3, 1, 2, service_due_at="2999-03-04T01:00:00Z", service_left_minutes=20))
    assert running is not None
    assert running.due is not None
    assert (running.due.words, running.answered_at) == ("Sisa 20 menit kerja", None)
    for due_at, late in (("2026-03-04T01:00:00Z", False), ("2026-03-01T01:00:00Z", True)):
        answered = journey.whole(timeline(7, 1, 2, 3, 6, service_due_at=due_at))
        assert answered == journey.Whole(due_at, None, SUBMITTED, late)


@pytest.mark.parametrize(
    ("left", "level", "words"),
    [
        (900, "fine", "Sisa 2 hari kerja"),
        (299, "soon", "Sisa 4 jam 59 menit kerja"),
        (0, "soon", "Sisa 0 menit kerja"),
        (-1, "late", "Terlambat 1 menit kerja"),
        (-520, "late", "Terlambat 1 hari kerja 1 jam"),
    ],
)
def test_time_left_is_said_in_words_and_in_a_level(left: int, level: str, words: str) -> None:
    found = due.due("2999-03-02T01:00:00Z", left, STEPS[3].minutes)
    assert found is not None
    assert (found.level, found.words) == (level, words)


def test_what_is_past_due_is_late_even_where_no_office_was_open_since() -> None:
    for left, words in ((0, "Terlambat kurang dari 1 menit kerja"), (None, "Terlambat")):
        assert due.due("2020-01-01T00:00:00Z", left, 10) == due.Due("2020-01-01T00:00:00Z", "late", words)


@pytest.mark.parametrize(
    ("used", "late", "words"),
    [
        (10, False, "Tepat waktu"),
        (10, True, "Terlambat kurang dari 1 menit kerja"),
        (12, True, "Terlambat 2 menit kerja"),
    ],
)
def test_a_step_that_is_done_says_by_how_much_it_was_late_and_never_by_nothing(
    used: int, late: bool, words: str
) -> None:
    took = get_template_attribute("_parts.html", "took")
    shown = took({"used_minutes": used, "minutes": 10, "late": late})
    assert f"</span> {words}</span>" in shown
    assert "0 menit kerja</span>" not in shown


def test_words_beside_each_other_have_a_blank_between_them() -> None:
    took = get_template_attribute("_parts.html", "took")
    for late in (False, True):
        shown = took({"used_minutes": 10, "minutes": 10, "late": late, "due_at": SUBMITTED})
        assert '</span> <span class="quiet-text">paling lambat' in shown


def test_nothing_is_said_of_time_that_nobody_counted() -> None:
    assert due.due("2999-01-01T00:00:00Z", None, 10) is None


def test_without_a_due_time_nothing_is_claimed() -> None:
    assert due.due(None, None, 10) is None


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(15, "15 menit"), (120, "2 jam"), (450, "1 hari kerja"), (511, "1 hari kerja 1 jam"), (0, "0 menit")],
)
def test_office_minutes_are_said_as_people_count_them(minutes: int, words: str) -> None:
    assert office_time(minutes) == words


def test_an_instant_is_told_in_the_citys_own_time() -> None:
    assert moment("2026-03-02T01:30:00Z") == "Sen, 2 Mar 2026, 08.30 WIB"
    assert moment(None) == ""


@pytest.mark.parametrize(
    "address",
    [
        "//elsewhere.example.id",
        "https://elsewhere.example.id",
        "/\\elsewhere.example.id",
        "javascript:alert(1)",
        "laporan",
        "",
        None,
        "/a\nb",
        "\\\\elsewhere",
    ],
)
def test_an_address_that_leads_elsewhere_is_not_followed(address: str | None) -> None:
    assert within_site(address) == "/"


def test_an_address_of_this_site_is_followed() -> None:
    assert within_site("/laporan/NKK-2026-EDXY-ER30?x=1") == "/laporan/NKK-2026-EDXY-ER30?x=1"


@pytest.mark.parametrize(("forwarding", "again"), [(None, False), (1, False), (2, True)])
def test_a_further_forwarding_is_said_to_be_one(forwarding: int | None, again: bool) -> None:
    entry = {"event": "complaint.forwarded.v1", "forwarding": forwarding}
    shown = get_template_attribute("_parts.html", "happening")(entry)
    assert ("diteruskan lagi" in shown) == again


def test_what_happened_besides_the_steps_before_an_objection_belongs_to_the_first_cycle() -> None:
    asks = {"event": "time.requested.v1", "role": "opd_team", "step": 4, "files": 0, "days": 3, "at": SUBMITTED}
    later = asks | {"days": 5, "at": "2026-03-05T01:00:00.000000Z"}
    told = timeline(4, 1, 2, 3, 4, 5, 6, beside=[asks, later])
    told["entries"] += [
        {"step": None, "event": "complaint.reopened.v1", "role": "reporter", "at": "2026-03-04T00:00:00+07:00"},
        {"step": 3, "event": "complaint.forwarded.v1", "role": "main_team", "at": "2026-03-05T00:00:00.000000Z"},
    ]
    assert [stop.acts for stop in journey.stops(told)][3] == [later]
    first = journey.first_cycle(told)
    assert sorted(one["step"] for _, one in first) == [3, 4, 4, 5, 6]
    assert [one for beside, one in first if beside] == [asks]
    page = get_template_attribute("_parts.html", "journey")({"stops": [], "first_cycle": first})
    assert "perangkat daerah meminta tambahan 3 hari kerja" in page


def test_an_agency_that_the_complaint_left_is_not_told_that_it_is_still_at_the_third_step() -> None:
    told = timeline(3, 1, 2, 3, next={"due_at": None, "left_minutes": None})
    told["entries"].append({"step": 4, "event": "complaint.declined.v1", "role": "opd_team", "at": SUBMITTED})
    page = get_template_attribute("_parts.html", "journey")({"stops": journey.stops(told)})
    assert ("Kembali kepada Tim NKK Utama" in page, "Sedang di sini" in page) == (True, False)
    told["next"] = {"due_at": "2999-03-09T01:00:00Z", "left_minutes": 30}
    page = get_template_attribute("_parts.html", "journey")({"stops": journey.stops(told)})
    assert ("Kembali kepada Tim NKK Utama" in page, "Sedang di sini" in page) == (False, True)
