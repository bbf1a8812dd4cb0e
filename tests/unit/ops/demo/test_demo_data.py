"""The demonstration's data and its final count."""

import re
from collections import Counter
from datetime import date
from types import SimpleNamespace

import httpx
import pytest
from flask import Flask, g

from gateway.schemas import EntryForm
from nkk.sop.acts import Act
from nkk.sop.catalogue import CATEGORIES, INSPECTORATE, OPDS
from nkk.sop.registration import check_credentials, check_identity_number
from nkk.sop.steps import ReporterKind
from nkk.trust.actor import Actor
from ops.demo import accounting, counter, desks, screen
from ops.demo.journey import Journey, Office, lacks, load, recapitulate
from ops.demo.visitor import Declined, Visitor
from services.intake.domain import check_against_catalogue
from services.intake.schemas import ComplaintForm, Registration
from tests.chaos.acts import ACTS

STEPS = {Act.HAND_OVER, Act.CLASSIFY, Act.RESPOND, Act.APPROVE, Act.ANSWER, Act.CONFIRM}
DATA = load()
ITEMS = DATA["complaints"]
REPORTERS = DATA["reporters"]
COMPLAINTS = [item for item in ITEMS if item["path"] == "complaint"]
BESIDE = [item for item in ITEMS if "acts" in item]
RETURNED = next(item for item in COMPLAINTS if "return_note" in item)
PLAIN = next(item for item in COMPLAINTS if not item.keys() & {"return_note", "acts"})
INFORMATION = next(item for item in ITEMS if item["path"] == "information")


def subject(item):
    return item["form"]["subject_line"]


def timeline(item, events=None, state="closed"):
    events = accounting.expected_events(item) if events is None else events
    waits = (
        None
        if state in ("closed", "withdrawn", "abandoned")
        else {"step": 4, "activity": "Menerima pengaduan dan melakukan proses tanggapan"}
    )
    return {
        "path": item["path"],
        "entries": [{"event": event} for event in events],
        "stands": {"state": state},
        "next": waits,
    }


@pytest.mark.parametrize("item", ITEMS, ids=subject)
def test_each_report_is_a_form_the_website_takes(item):
    assert item["form"].keys() - {"conflict"} == ComplaintForm().fields.keys() - {"files", "conflict", "accused_nip"}
    form = ComplaintForm().load(item["form"])
    assert form == item["form"]
    check_against_catalogue(form, CATEGORIES, OPDS)


@pytest.mark.parametrize("item", ITEMS, ids=subject)
def test_each_report_says_what_every_desk_says_to_it(item):
    always = {"form", "reporter", "path", "answer", "receipt"}
    if accounting.ends_early(item) == "abandoned":
        assert item.keys() == {"form", "reporter", "path", "opd", "acts"}
        return
    # A report that rests with another one is given its response.
    of_complaints = {"opd", "response"} if item["path"] == "complaint" and not accounting.ends_joined(item) else set()
    returned = {"return_note", "second_response"} if "return_note" in item else set()
    assert (
        item.keys() - {"note", "acts", "first", "first_answer", "stays", "aged", "channel"}
        == always | of_complaints | returned
    )
    assert item["receipt"] in ("confirm", "open")


@pytest.mark.parametrize("item", ITEMS, ids=subject)
def test_each_report_has_a_reporter_and_an_agency_of_the_roster(item):
    assert 0 <= item["reporter"] < len(REPORTERS)
    assert item.get("opd", "bkpsdmd") in OPDS


@pytest.mark.parametrize("person", REPORTERS, ids=lambda person: person["username"])
def test_each_reporter_can_register(person):
    form = Registration().load(person)
    check_identity_number(ReporterKind(form["kind"]), form["identity_number"], date(2026, 1, 2))
    check_credentials(f"{form['username']}-0a1b2c3d", form["password"])
    assert form["email"].endswith("@example.id")


def test_no_reporter_is_a_real_person():
    for person in REPORTERS:
        region_or_serial = r"9999\d+" if person["kind"] == "public" else r"\d{15}99\d"
        assert re.fullmatch(region_or_serial, person["identity_number"])


def test_no_report_names_who_reported():
    for item in ITEMS:
        assert REPORTERS[item["reporter"]]["name"].split()[-1] not in str({**item, "reporter": None})


def test_the_reports_cover_the_catalogue_and_the_roster():
    assert (len(ITEMS), len(COMPLAINTS)) == (39, 27)
    used = {(item["form"]["category"], item["form"]["sub_category"]) for item in ITEMS}
    assert used == {(key, sub) for key, category in CATEGORIES.items() for sub in category["sub_categories"]}
    assert {item["opd"] for item in COMPLAINTS if "opd" in item} == set(OPDS)
    assert {item["reporter"] for item in ITEMS} == set(range(len(REPORTERS)))
    assert {person["kind"] for person in REPORTERS} == {str(kind) for kind in ReporterKind}


def test_the_reports_vary_as_real_ones_do():
    forms = [item["form"] for item in ITEMS]
    lengths = sorted(len(form["text"]) for form in forms)
    assert lengths[0] < 80
    assert 1_200 < lengths[-1] < 1_600
    assert {form["claimed_kind"] for form in forms} == {"complaint", "information", "aspiration"}
    for key in ("confidential", "place", "happened_on", "accused_name", "accused_position", "accused_opd"):
        assert 0 < sum(bool(form[key]) for form in forms) < len(forms)
    assert len({form["text"] for form in forms}) == len(forms)
    assert any(item["form"]["claimed_kind"] == "complaint" for item in ITEMS if item["path"] == "information")
    assert any(item["form"]["claimed_kind"] != "complaint" for item in COMPLAINTS)
    assert {item["receipt"] for item in ITEMS if "receipt" in item} == {"confirm", "open"}


def test_tim_utama_returns_a_first_response_once():
    assert not desks.judge(RETURNED, 1)["approved"]
    assert desks.judge(RETURNED, 2) == desks.judge(PLAIN, 1) == {"approved": True}
    assert desks.respond(RETURNED, {"round": 0}) != desks.respond(RETURNED, {"round": 1})


def test_tim_utama_classifies_what_is_new_and_judges_what_came_back():
    fresh = {"stands": {"state": "awaiting_classification"}, "round": 0}
    back = {"stands": {"state": "awaiting_approval"}, "round": 1}
    assert desks.classify_or_judge(INFORMATION, fresh)[1]["kind"] == "information"
    assert desks.classify_or_judge(PLAIN, fresh)[1]["opd"] == PLAIN["opd"]
    assert desks.classify_or_judge(PLAIN, back) == ("approval", {"approved": True})


@pytest.mark.parametrize("item", [INFORMATION, PLAIN, RETURNED], ids=["information", "complaint", "returned"])
def test_a_complete_journey_has_no_flaw(item):
    assert accounting.flaws(item, timeline(item)) == []


@pytest.mark.parametrize(("item", "steps"), [(INFORMATION, 5), (PLAIN, 7), (RETURNED, 9)])
def test_a_journey_has_as_many_entries_as_its_path(item, steps):
    assert len(accounting.expected_events(item)) == steps


def test_one_report_is_entered_for_somebody_and_one_has_a_conflict_of_interest():
    (entered,) = (item for item in ITEMS if "channel" in item)
    entry = counter.entered(entered["form"], entered["channel"], REPORTERS[entered["reporter"]])
    with Flask(__name__).app_context():
        g.actor = Actor("staff-1", "operator")
        assert EntryForm().load(entry)["channel"] == "counter"
    (marked,) = (item for item in ITEMS if item["form"].get("conflict"))
    assert (marked["opd"], marked["form"]["accused_opd"]) == (INSPECTORATE, "bkpsdmd")


def test_each_act_beside_the_path_is_shown():
    shown = Counter(act["act"] for item in BESIDE for act in item["acts"])
    beside = {ACTS[act].path for act in ACTS.keys() - STEPS}
    assert shown.keys() == screen.ACTS.keys() == beside
    # A withdrawal for good, and one after which the report goes on.
    assert shown["withdrawal"] == 2
    # A question that is answered, and one that lapses.
    assert (shown["questions"], shown["questions/1/answer"], shown["abandonment"]) == (2, 1, 1)


class Reporter:
    """A reporter whose question has a state, which is not known at once."""

    def __init__(self):
        self.state = None

    def get(self, path):
        if self.state is None:
            raise Declined(404, "unknown-ticket")
        return {"items": [{"state": self.state}]}


def test_a_question_lapses_before_its_desk_closes_the_report():
    (item,) = (item for item in BESIDE if accounting.ends_early(item) == "abandoned")
    asking, closing = item["acts"]
    known, lapsing = iter([0, 1]), []
    office = Office([], [], None, lambda ticket: lapsing.append(ticket) or next(known))
    journey = Journey(item, Reporter(), "NKK-2026-7H4K-Q2MV")
    assert office._has_lapsed(asking, journey)
    assert lapsing == []
    states = []
    for journey.reporter.state in (None, "open", "open", "lapsed", "lapsed"):
        states.append(office._has_lapsed(closing, journey))
    assert states == [False, False, False, True, True]
    # Once it is known, and never again.
    assert lapsing == [journey.ticket] * 2
    assert journey.trouble is None


@pytest.mark.parametrize("item", BESIDE, ids=subject)
def test_a_journey_with_acts_beside_the_path_has_no_flaw(item):
    state = accounting.ends_early(item) or "closed"
    assert accounting.flaws(item, timeline(item, state=state)) == []
    without = [event for event in accounting.expected_events(item) if event not in {a["event"] for a in item["acts"]}]
    if any(act["event"] for act in item["acts"]):
        assert accounting.flaws(item, timeline(item, without, state)) != []


def test_a_report_is_joined_with_one_that_waits_for_it_and_another_is_parted():
    (joined,) = (item for item in ITEMS if accounting.ends_joined(item))
    (parted,) = (item for item in BESIDE if item["acts"][-1]["act"] == "parting")
    (first,) = {act["form"]["first"] for item in (joined, parted) for act in item["acts"] if act["act"] == "joins"}
    assert first in {subject(item) for item in COMPLAINTS}
    assert [Journey(parted, None, "", acted=acted).keeps_waiting(first) for acted in range(3)] == [True, True, False]
    assert [Journey(joined, None, "", acted=acted).keeps_waiting(first) for acted in range(2)] == [True, False]
    # As if they were forwarded alone, and one of them taken back.
    assert accounting.expected_events(joined) == accounting.expected_events(PLAIN)
    forwarded, recalled = "complaint.forwarded.v1", "complaint.recalled.v1"
    assert accounting.expected_events(parted)[2:5] == [forwarded, recalled, forwarded]
    assert accounting.expected_events(parted)[4:] == accounting.expected_events(PLAIN)[2:]


def test_a_declined_complaint_stays_at_step_3():
    item = next(item for item in BESIDE if item.get("stays") == "classify")
    events = accounting.expected_events(item, "classify")
    assert events[-1] == "complaint.declined.v1"
    assert accounting.flaws(item, timeline(item, events, "classify"), "classify") == []
    assert accounting.flaws(item, timeline(item, events, "classify")) != []


def test_at_each_step_reports_stay_and_some_are_late():
    staying = [item for item in ITEMS if "stays" in item]
    assert {item["stays"] for item in staying} == set(accounting.STEPS) == set(screen.STAYS)
    assert {item["stays"] for item in staying if "aged" in item} == {"hand_over", "classify", "respond", "answer"}
    assert {item["opd"] for item in staying if item["stays"] == "respond"} > {INSPECTORATE}
    assert all(item in staying for item in ITEMS if "aged" in item)
    for item in staying:
        told = timeline(item, accounting.expected_events(item, item["stays"]), item["stays"])
        assert accounting.flaws(item, told, item["stays"]) == []


def test_a_desk_leaves_what_stays_there_and_no_other_does():
    item = PLAIN | {"stays": "approve"}
    assert [step for step in accounting.STEPS if Journey(item, None, "", stays="approve").waits_at(step)] == ["approve"]
    assert not any(Journey(item, None, "").waits_at(step) for step in accounting.STEPS)


def test_a_missing_step_is_a_flaw():
    events = [event for event in accounting.expected_events(PLAIN) if event != "response.submitted.v1"]
    assert accounting.flaws(PLAIN, timeline(PLAIN, events)) == [
        "response.submitted.v1 tercatat 0 kali, seharusnya 1 kali"
    ]


def test_closed_twice_is_a_flaw():
    events = [*accounting.expected_events(PLAIN), accounting.CLOSED]
    assert accounting.flaws(PLAIN, timeline(PLAIN, events)) == [
        "complaint.closed.v1 tercatat 2 kali, seharusnya 1 kali"
    ]


def test_a_missing_return_is_one_flaw_an_event():
    found = accounting.flaws(RETURNED, timeline(RETURNED, accounting.expected_events(PLAIN)))
    assert found == [
        "response.submitted.v1 tercatat 1 kali, seharusnya 2 kali",
        "response.returned.v1 tercatat 0 kali, seharusnya 1 kali",
    ]


def test_an_event_of_another_path_is_a_flaw():
    events = [*accounting.expected_events(INFORMATION), "response.approved.v1"]
    assert accounting.flaws(INFORMATION, timeline(INFORMATION, events)) == [
        "response.approved.v1 tercatat 1 kali, seharusnya 0 kali"
    ]


def test_steps_out_of_order_are_a_flaw():
    events = accounting.expected_events(PLAIN)
    assert accounting.flaws(PLAIN, timeline(PLAIN, [events[1], events[0], *events[2:]])) == [
        "urutan langkahnya tidak sesuai prosedur"
    ]


def test_a_stuck_report_says_where_it_stands():
    found = accounting.flaws(PLAIN, timeline(PLAIN, accounting.expected_events(PLAIN)[:3], "respond"))
    assert found == ["berhenti di langkah 4 (Menerima pengaduan dan melakukan proses tanggapan)"]


def test_a_step_done_twice_shows_on_a_stuck_report_too():
    events = [*accounting.expected_events(PLAIN)[:3], "complaint.forwarded.v1"]
    assert accounting.flaws(PLAIN, timeline(PLAIN, events, "respond"))[1:] == [
        "complaint.forwarded.v1 tercatat 2 kali, seharusnya 1 kali"
    ]


def test_another_path_than_planned_is_a_flaw():
    told = timeline(PLAIN) | {"path": "information"}
    assert accounting.flaws(PLAIN, told) == ["jalurnya information, seharusnya complaint"]


def test_a_report_without_a_timeline_is_a_flaw():
    assert accounting.flaws(PLAIN, None)


class Told:
    def __init__(self, item, told, trouble=None):
        self.item, self.ticket, self.timeline, self.trouble = item, "NKK-2026-7H4K-Q2MV", told, trouble
        self.stays = None

    def flaws(self):
        return accounting.flaws(self.item, self.timeline)


def test_the_summary_names_what_did_not_arrive():
    stuck = Told(PLAIN, timeline(PLAIN, [], "respond"), "Busy. (503)")
    lines = list(screen.summary([Told(INFORMATION, timeline(INFORMATION)), stuck], 2, 1.25))
    assert "1 dari 2 sampai di langkah 7 tepat satu kali" in lines[1]
    assert lines[2] == "1 laporan tidak:"
    assert "langkah 4" in lines[3]
    assert "Busy. (503)" in lines[3]


@pytest.mark.parametrize("ends", ["withdrawn", "abandoned"])
def test_the_summary_says_how_reports_ended_outside_of_the_steps(ends):
    (item,) = (item for item in BESIDE if accounting.ends_early(item) == ends)
    lines = list(screen.summary([Told(item, timeline(item, state=ends))], 1, 1.25))
    assert "0 dari 0 sampai di langkah 7" in lines[1]
    assert f"NKK-2026-7H4K-Q2MV {screen.ENDS[ends]}." in lines
    assert "nkk demo --lapse" in lines[-1]


@pytest.mark.parametrize(
    ("used", "late", "taken"),
    [
        (None, None, "waktu baku 2 hari kerja"),
        (899, False, "899 menit dari 2 hari kerja"),
        (901, True, "901 menit dari 2 hari kerja, terlambat"),
        (3, None, "3 menit dari 2 hari kerja"),
    ],
)
def test_a_step_is_shown_in_wib_with_the_office_minutes_it_took(used, late, taken):
    told = timeline(PLAIN, []) | {
        "service_due_at": "2026-03-04T01:12:00.000000Z",
        "entries": [
            {
                "step": 4,
                "name": "respond",
                "activity": "Menerima pengaduan",
                "event": "response.submitted.v1",
                "role": "opd_team",
                "at": "2026-03-02T01:30:00.000000Z",
                "output": "Laporan Tanggapan Pengaduan",
                "round": 1,
                "minutes": 900,
                "used_minutes": used,
                "late": late,
            }
        ],
    }
    _, promised, line = screen.journey_lines(Told(PLAIN, told))
    assert promised.strip() == "dijanjikan selesai 04/03/2026 08.12 WIB"
    assert f"02/03/2026 08.30.00 WIB  {taken:<29}  Tim NKK Pembantu OPD" in line
    assert line.endswith("(tanggapan ke-1) → Laporan Tanggapan Pengaduan")


class Operator:
    def download(self, address):
        return address.encode()


def test_the_months_recapitulation_is_put_beside_the_other_documents(tmp_path):
    written = list(recapitulate(Operator(), "2026-11", tmp_path))
    assert written == [tmp_path / "rekap-bulanan-2026-11.xlsx", tmp_path / "rekap-bulanan-2026-11.pdf"]
    assert [path.read_text() for path in written] == [
        f"/api/v1/reports/monthly?month=2026-11&format={format_}" for format_ in ("xlsx", "pdf")
    ]


def test_the_files_are_named_at_the_end_and_the_command_that_proves_a_clock(tmp_path):
    papers, recaps = [tmp_path / "tanda-terima.pdf"], [tmp_path / "rekap.xlsx", tmp_path / "rekap.pdf"]
    opened, counted, letters, proof = screen.afterwards("NKK-2026-7H4K-Q2MV", papers, recaps)
    assert "`nkk letters list`" in letters
    assert opened.endswith(f"NKK-2026-7H4K-Q2MV: {papers[0]}")
    assert counted.endswith(f": {recaps[0]}, {recaps[1]}")
    assert proof.endswith("nkk clock NKK-2026-7H4K-Q2MV")


def test_what_the_lists_of_a_service_lack_is_named_once_and_nothing_of_a_new_ones_is():
    categories = [
        {"key": key, "sub_categories": [{"key": sub} for sub in category["sub_categories"]]}
        for key, category in CATEGORIES.items()
    ]
    opds = [{"key": key} for key in OPDS]
    assert lacks(ITEMS, categories, opds) == []
    item = {
        "form": {"category": "kode-etik", "sub_category": "bernegara", "accused_opd": "inspektorat"},
        "opd": "inspektorat",
    }
    assert lacks([item, item], [], []) == ["kode-etik/bernegara", "inspektorat"]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (
            {
                "json": {
                    "type": "urn:nkk:problem:invalid-input",
                    "detail": "Some fields need correcting.",
                    "errors": {"accused_opd": ["Choose an agency of the roster (GET /opds)."]},
                }
            },
            "situs menolak: invalid-input, pada accused_opd (422)",
        ),
        (
            {"json": {"type": "urn:nkk:problem:not-your-step", "detail": "Not yet."}},
            "situs menolak: not-your-step (422)",
        ),
        ({"text": "nothing of ours"}, "situs menolak: Unprocessable Entity (422)"),
    ],
)
def test_a_refusal_is_one_sentence_in_one_language(reply, said):
    transport = httpx.MockTransport(lambda request: httpx.Response(422, **reply))
    with httpx.Client(base_url="http://localhost", transport=transport) as http, pytest.raises(Declined) as declined:
        Visitor(http, print).get("/anything")
    assert str(declined.value) == said


def test_of_a_service_that_stays_away_something_is_said_before_the_patience_ends(monkeypatch):
    times, said = iter(range(0, 1000, 4)), []
    monkeypatch.setattr("ops.demo.visitor.time", SimpleNamespace(monotonic=lambda: next(times), sleep=lambda _: None))
    away = httpx.MockTransport(lambda request: httpx.Response(503, json={"type": "urn:nkk:problem:unavailable"}))
    with httpx.Client(base_url="http://site", transport=away) as http, pytest.raises(Declined, match="unavailable"):
        Visitor(http, said.append).get("/anything")
    assert len(said) == 1
    assert "`nkk status`" in said[0]
