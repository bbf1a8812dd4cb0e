"""A month's figures, computed only from facts."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkk.sop.clock import OFFICE_HOURS, WIB, write_instant
from nkk.sop.journey import Fact, Question
from nkk.sop.proof import Recorded
from nkk.sop.recap import MOST_LISTED, Record, figures, percentile, recapitulate
from nkk.sop.refusals import InvalidInput

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=WIB)
NOW = datetime(2026, 5, 1, tzinfo=WIB)
NAMES = {
    "categories": {"kode-etik": "Kode etik"},
    "sub_categories": {"kode-etik/bernegara": "Etika bernegara"},
    "opds": {"satpol-pp": "Satuan Polisi Pamong Praja"},
}
LISTS = {
    "categories": {"kode-etik": {"name": "Kode etik", "sub_categories": {"bernegara": "Etika bernegara"}}},
    "opds": NAMES["opds"],
}

COMPLAINT = [
    "complaint.submitted.v2",
    "complaint.handed_over.v1",
    "complaint.forwarded.v1",
    "response.submitted.v1",
    "response.approved.v1",
    "answer.sent.v1",
    "complaint.closed.v1",
]
INFORMATION = [
    "complaint.submitted.v2",
    "complaint.handed_over.v1",
    "complaint.classified_as_information.v1",
    "answer.sent.v1",
    "complaint.closed.v1",
]


def record(types=COMPLAINT, start=MONDAY, minutes=5, ticket="NKK-2026-AAAA-0000", **changed):
    """Return a journey whose events are `minutes` apart."""
    facts = [
        Fact(type_, start + timedelta(minutes=minutes * number), int(type_.startswith("response.")))
        for number, type_ in enumerate(types)
    ]
    path = "information" if INFORMATION[2] in types else "complaint"
    return Record(
        **{
            "ticket": ticket,
            "path": path,
            "category": "kode-etik",
            "sub_category": "bernegara",
            "opd": "satpol-pp" if path == "complaint" else None,
            "facts": facts,
            **changed,
        }
    )


def counted(*records, month="2026-03", now=NOW):
    return recapitulate(month, records, lambda _: OFFICE_HOURS, now, NAMES)


def test_a_journey_within_the_month_is_accepted_answered_and_closed():
    found = counted(record(), record(INFORMATION, ticket="NKK-2026-BBBB-0000"))
    assert {name: found[name] for name in ("accepted", "answered", "closed", "open", "late")} == {
        "accepted": 2,
        "answered": 2,
        "closed": 2,
        "open": 0,
        "late": 0,
    }
    assert found["by_path"] == [{"name": "Informasi", "count": 1}, {"name": "Pengaduan", "count": 1}]
    assert found["by_category"] == [{"name": "Kode etik", "sub_category": "Etika bernegara", "count": 2}]
    assert [step["count"] for step in found["steps"]] == [2, 2, 2, 1, 1, 2, 2]


def test_times_are_office_minutes_and_shares_are_of_what_is_judged():
    found = counted(record(minutes=5), record(minutes=20, ticket="NKK-2026-BBBB-0000"))
    hand_over, receive = found["steps"][1], found["steps"][6]
    assert (hand_over["median_minutes"], hand_over["p90_minutes"], hand_over["on_time_share"]) == (5, 20, 0.5)
    assert (receive["median_minutes"], receive["on_time_share"]) == (5, None)
    assert found["service"] == {
        "standard_minutes": 900,
        "count": 2,
        "median_minutes": 25,
        "p90_minutes": 100,
        "on_time_share": 1.0,
    }
    assert found["by_opd"] == [
        {
            "name": "Satuan Polisi Pamong Praja",
            "forwarded": 2,
            "declined": 0,
            "recalled": 0,
            "open": 0,
            "late": 0,
            "responses": 2,
            "median_minutes": 5,
            "p90_minutes": 20,
            "on_time_share": 1.0,
        }
    ]


NOT_BACK = {"declined": 0, "recalled": 0}
NO_TIMES = {"median_minutes": None, "p90_minutes": None, "on_time_share": None}


def by_opd(*records, **changed):
    return {row.pop("name"): row for row in counted(*records, **changed)["by_opd"]}


@pytest.mark.parametrize(("until", "late"), [(899, 0), (1_000, 1)])
def test_an_opd_that_does_not_answer_has_a_row_with_what_is_open_and_late_there(until, late):
    now = OFFICE_HOURS.due(MONDAY, until)
    assert by_opd(record(COMPLAINT[:3]), now=now) == {
        NAMES["opds"]["satpol-pp"]: {**NOT_BACK, "forwarded": 1, "open": 1, "late": late, "responses": 0, **NO_TIMES}
    }


def test_an_opds_complaint_of_two_rounds_is_one_complaint_and_two_responses():
    again = record()
    again.facts[4:] = [
        Fact("response.returned.v1", MONDAY + timedelta(minutes=20), 1),
        Fact("response.submitted.v1", MONDAY + timedelta(minutes=60), 2),
    ]
    assert by_opd(again) == {
        NAMES["opds"]["satpol-pp"]: {
            **NOT_BACK,
            "forwarded": 1,
            "open": 0,
            "late": 0,
            "responses": 2,
            "median_minutes": 5,
            "p90_minutes": 40,
            "on_time_share": 1.0,
        }
    }


def test_an_opds_case_of_an_earlier_month_is_open_there_until_it_responds_and_counts_then():
    start = datetime(2026, 3, 31, 14, 0, tzinfo=WIB)
    slow = record(start=start)
    slow.facts[3:] = [Fact("response.submitted.v1", datetime(2026, 5, 4, 9, 0, tzinfo=WIB), 1)]
    months = [
        by_opd(slow, month=month, now=datetime(2026, 7, 1, tzinfo=WIB))
        for month in ("2026-03", "2026-04", "2026-05", "2026-06")
    ]
    counts = [
        tuple(row[name] for name in ("forwarded", "open", "late", "responses"))
        for rows in months
        for row in rows.values()
    ]
    assert counts == [(1, 1, 0, 0), (0, 1, 1, 0), (0, 0, 0, 1)]
    assert months[-1] == {}


def test_each_opd_is_told_of_by_itself_in_the_order_of_their_names():
    others = [record(COMPLAINT[:3], opd=opd, ticket=f"NKK-{opd}") for opd in ("z", "a", "a")]
    assert [(name, row["open"]) for name, row in by_opd(record(INFORMATION), *others, record()).items()] == [
        ("Satuan Polisi Pamong Praja", 0),
        ("a", 2),
        ("z", 1),
    ]


def test_a_step_counts_in_the_month_it_was_done_in():
    over_the_turn = record(start=datetime(2026, 3, 31, 23, 58, tzinfo=WIB), minutes=5)
    march, april = counted(over_the_turn), counted(over_the_turn, month="2026-04")
    assert (march["accepted"], march["answered"], march["open"]) == (1, 0, 1)
    assert (april["accepted"], april["answered"], april["open"]) == (0, 1, 0)
    assert [step["count"] for step in march["steps"]] == [1, 0, 0, 0, 0, 0, 0]
    assert [step["count"] for step in april["steps"]] == [0, 1, 1, 1, 1, 1, 1]


def test_what_a_later_month_made_of_it_is_not_known_at_the_months_end():
    found = counted(record(start=datetime(2026, 3, 31, 23, 58, tzinfo=WIB)))
    assert found["by_path"] == [{"name": "Belum diklasifikasi", "count": 1}]
    (case,) = found["open_cases"]
    assert (case["step"], case["path"], case["opd"]) == (2, "Belum diklasifikasi", None)


@pytest.mark.parametrize(("until", "late"), [(timedelta(minutes=9), False), (timedelta(minutes=11), True)])
def test_an_open_case_is_late_once_its_step_or_the_service_is(until, late):
    found = counted(record(COMPLAINT[:1]), now=MONDAY + until)
    (case,) = found["open_cases"]
    assert (found["open"], found["late"], case["late"]) == (1, int(late), late)
    assert case["due_at"] == write_instant(MONDAY + timedelta(minutes=10))


@pytest.mark.parametrize(("used", "late"), [(900, False), (901, True)])
def test_an_open_case_is_late_once_the_service_is_though_its_step_has_time_left(used, late):
    waiting = record(COMPLAINT[:3])
    waiting.facts[2] = Fact(COMPLAINT[2], OFFICE_HOURS.due(MONDAY, 600))
    found = counted(waiting, now=OFFICE_HOURS.due(MONDAY, used))
    (case,) = found["open_cases"]
    assert case["due_at"] == write_instant(OFFICE_HOURS.due(MONDAY, 1_500))
    assert case["service_due_at"] == write_instant(OFFICE_HOURS.due(MONDAY, 900))
    assert (found["late"], case["late"]) == (int(late), late)


def test_the_services_share_is_of_the_answers_within_two_working_days_however_late_a_step_was():
    answers = [record(ticket=f"NKK-{used}") for used in (30, 899, 900, 901, 2_000)]
    for answered, used in zip(answers, (30, 899, 900, 901, 2_000), strict=True):
        answered.facts[5:] = [Fact("answer.sent.v1", OFFICE_HOURS.due(MONDAY, used))]
    assert counted(*answers)["service"] == {
        "standard_minutes": 900,
        "count": 5,
        "median_minutes": 900,
        "p90_minutes": 2_000,
        "on_time_share": 0.6,
    }


def test_the_oldest_due_is_listed_first_and_all_are_counted_beyond_the_list():
    many = [
        record(COMPLAINT[:1], start=MONDAY + timedelta(minutes=number % 400), ticket=f"NKK-{number:05}")
        for number in range(MOST_LISTED + 5)
    ]
    found = counted(*many)
    assert (found["open"], len(found["open_cases"])) == (MOST_LISTED + 5, MOST_LISTED)
    dues = [(case["due_at"], case["ticket"]) for case in found["open_cases"]]
    assert dues == sorted(dues)


def test_a_key_that_the_lists_have_lost_names_itself():
    found = counted(record(category="lama", sub_category="juga-lama", opd="dinas-lama"))
    assert found["by_category"] == [{"name": "lama", "sub_category": "juga-lama", "count": 1}]
    assert found["by_opd"][0]["name"] == "dinas-lama"


def test_a_month_in_which_nothing_happened_is_empty():
    found = counted(month="2026-02")
    assert (found["accepted"], found["open_cases"], found["by_opd"]) == (0, [], [])
    assert {step["median_minutes"] for step in found["steps"]} == {None}


@given(st.lists(st.integers(0, 10_000), min_size=1), st.sampled_from([0.5, 0.9]))
def test_a_percentile_is_the_least_value_that_the_share_does_not_exceed(values, share):
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < share * len(values)


def written(journey):
    return {
        **{name: getattr(journey, name) for name in ("ticket", "path", "category", "sub_category", "opd")},
        "facts": [
            {
                "event_id": "e",
                "type": fact.type,
                "at": write_instant(fact.at),
                "round": fact.round,
                "calendar": fact.calendar,
            }
            for fact in journey.facts
        ],
    }


def test_every_page_is_asked_for_and_a_journey_that_closed_meanwhile_counts_once():
    running, closed = record(COMPLAINT[:6]), record()
    pages = {(False, None): ([running], "next"), (False, "next"): ([], None), (True, None): ([closed], None)}
    asked = []

    def ask(is_closed, cursor):
        asked.append((is_closed, cursor))
        journeys, following = pages[is_closed, cursor]
        return {"journeys": [written(journey) for journey in journeys], "calendars": {"0": {}}, "next": following}

    found = figures("2026-03", ask, LISTS, NOW)
    assert asked == list(pages)
    assert (found["accepted"], found["closed"]) == (1, 1)


@pytest.mark.parametrize(
    ("told", "by_rating"),
    [
        ({"count": 26, "average": 3.1, "by_rating": {"1": 5, "2": 5, "3": 5, "4": 5, "5": 6}}, [5, 5, 5, 5, 6]),
        ({"count": 6, "average": 4.5, "by_rating": {}}, [None] * 5),
        (None, [None] * 5),
    ],
)
def test_the_months_ratings_are_those_of_the_first_page_or_none_of_an_earlier_stage(told, by_rating):
    def ask(is_closed, cursor):
        page = {"journeys": [], "calendars": {}, "next": None}
        return page | ({"ratings": told} if told and not is_closed else {})

    found = figures("2026-03", ask, LISTS, NOW)
    assert [row["count"] for row in found["by_rating"]] == by_rating
    assert [row["rating"] for row in found["by_rating"]] == [1, 2, 3, 4, 5]
    expected = told or {"count": None, "average": None}
    assert found["ratings"] == {"count": expected["count"], "average": expected["average"]}


def test_a_month_to_come_is_refused():
    with pytest.raises(InvalidInput):
        figures("2026-06", lambda *_: pytest.fail("nothing is asked"), LISTS, NOW)


DECLINED, RECALLED, REOPENED, WITHDRAWN = (
    "complaint.declined.v1",
    "complaint.recalled.v1",
    "complaint.reopened.v1",
    "complaint.withdrawn.v1",
)


def at(minutes):
    return MONDAY + timedelta(minutes=minutes)


def recorded(type_, minutes, round_=0, forwarding=1, opd=None, cycle=1):
    return Recorded(type_, at(minutes), round_, forwarding=forwarding, cycle=cycle, opd=opd)


def test_each_opd_that_had_a_complaint_has_what_became_of_it_there():
    way = [
        *record(COMPLAINT[:2]).facts,
        recorded("complaint.forwarded.v1", 10, 0, 1, "dinsos"),
        recorded(DECLINED, 20, 1, 1, "dinsos"),
        recorded("complaint.forwarded.v1", 30, 0, 2, "dinkes"),
        recorded(RECALLED, 40, 1, 2, "dinkes"),
        recorded("complaint.forwarded.v1", 50, 0, 3, "satpol-pp"),
        recorded("response.submitted.v1", 60, 1, 3, "satpol-pp"),
    ]
    rows = by_opd(record(facts=way))
    shown = ("forwarded", "declined", "recalled", "responses", "median_minutes")
    assert {name: tuple(row[each] for each in shown) for name, row in rows.items()} == {
        "dinkes": (1, 0, 1, 0, None),
        "dinsos": (1, 1, 0, 0, None),
        NAMES["opds"]["satpol-pp"]: (1, 0, 0, 1, 10),
    }


def test_what_was_withdrawn_waits_for_no_answer_and_counts_in_its_month():
    way = [*record(COMPLAINT[:3]).facts, recorded(WITHDRAWN, 60)]
    found = counted(record(facts=way))
    assert (found["accepted"], found["withdrawn"], found["open"], found["answered"]) == (1, 1, 0, 0)
    classified, responding = found["steps"][2], found["steps"][3]
    assert (classified["count"], responding["count"]) == (1, 0)


def test_what_a_desk_closed_waits_for_no_answer_counts_in_its_month_and_is_no_step_done():
    way = [*record(COMPLAINT[:3]).facts, recorded("complaint.abandoned.v1", 60, 1)]
    found = counted(record(facts=way))
    assert (found["accepted"], found["abandoned"], found["withdrawn"], found["open"]) == (1, 1, 0, 0)
    assert [step["count"] for step in found["steps"][2:4]] == [1, 0]


def test_what_was_joined_counts_in_its_month_and_is_late_only_by_the_promise():
    way = [*record(COMPLAINT[:2]).facts, recorded("complaint.joined.v1", 30)]
    found = counted(record(facts=way), now=at(24 * 60))
    assert (found["joined"], found["open"], found["late"]) == (1, 1, 0)
    (case,) = found["open_cases"]
    assert (case["step"], case["due_at"]) == (3, case["service_due_at"])
    assert counted(record(facts=way), now=at(3 * 24 * 60))["late"] == 1
    parted = [*way, recorded("complaint.parted.v1", 60)]
    found = counted(record(facts=parted), now=at(24 * 60))
    assert (found["joined"], found["late"]) == (0, 0)
    again = [*parted, recorded("complaint.joined.v1", 70, forwarding=2)]
    assert counted(record(facts=again), now=at(24 * 60))["joined"] == 1


def test_the_time_that_a_desk_waited_for_the_reporter_is_in_no_steps_time():
    asked = Question(3, 1, 0, at(15), at(55))
    facts = [*record(COMPLAINT[:2]).facts, recorded("complaint.forwarded.v1", 65)]
    found = counted(record(facts=facts, questions=[asked]))
    assert found["steps"][2]["median_minutes"] == 20


def test_a_withdrawal_after_the_answer_is_none():
    found = counted(record(facts=[*record().facts[:6], recorded(WITHDRAWN, 60)]))
    assert (found["withdrawn"], found["answered"]) == (0, 1)


def test_after_an_objection_a_complaint_is_open_again_and_its_second_answer_is_one_more():
    objected = [*record().facts, recorded(REOPENED, 0, cycle=2)]
    found = counted(record(facts=objected), now=at(24 * 60))
    assert (found["answered"], found["closed"], found["objected"], found["open"]) == (1, 1, 1, 1)
    (case,) = found["open_cases"]
    assert case["step"] == 3
    # From the next morning on.
    assert case["came_at"] == write_instant(MONDAY.replace(hour=0) + timedelta(days=1))
    again = [
        *objected,
        recorded("complaint.classified_as_information.v1", 24 * 60, forwarding=2),
        recorded("answer.sent.v1", 24 * 60 + 20, forwarding=2),
    ]
    found = counted(record(facts=again))
    assert (found["answered"], found["open"], found["service"]["count"], found["service"]["on_time_share"]) == (
        2,
        0,
        2,
        1,
    )
