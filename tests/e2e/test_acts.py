"""The acts beside the path on a whole installation, over HTTP: what each changes at every desk and in the journey."""

from datetime import datetime
from typing import Any

import pytest

from nkk.sop.clock import OFFICE_HOURS, write_instant
from nkk.sop.steps import MINUTES_PER_DAY
from ops.demo.lapsing import let_lapse
from tests.installations import eventually
from tests.people import People, Person

OPD, OTHER = "inspektorat", "satpol-pp"


class Case:
    """A complaint, and the people who act on it."""

    def __init__(self, people: People) -> None:
        self.people, self.reporter = people, people.reporter()
        self.ticket = people.submit(self.reporter)
        self.path = f"/complaints/{self.ticket}"
        self.operator, self.main = people.operator, people.main_team

    def act(self, who: Person, what: str, form: Any = None, expect: int = 200) -> None:
        """Carry out an act, as soon as what comes before it has arrived at its desk."""
        eventually(lambda: who.ask("POST", f"{self.path}/{what}", json=form).status_code == expect)

    def refused(self, who: Person, what: str, form: Any = None, expect: int = 409) -> str:
        """Return why an act is refused."""
        answer = who.ask("POST", f"{self.path}/{what}", json=form)
        assert answer.status_code == expect, answer.text
        return str(answer.json()["type"]).rpartition(":")[2]

    def forwarded(self, opd: str = OPD) -> "Case":
        self.act(self.operator, "handover")
        self.act(self.main, "classification", {"kind": "complaint", "opd": opd})
        return self

    def informed(self) -> "Case":
        self.act(self.operator, "handover")
        self.act(self.main, "classification", {"kind": "information"})
        return self

    def answered(self) -> "Case":
        self.informed()
        self.act(self.operator, "answer", {"text": "Jawaban pertama."})
        return self

    def seen_by(self, who: Person) -> Any:
        """Return the case as `who` sees it, as soon as it has arrived at their desk."""
        return eventually(lambda: who.get(self.path))

    def acts(self, who: Person, *wanted: str) -> None:
        """Wait until exactly these acts, and what is always possible, are offered."""
        always = {"ask", "note", "recuse", "supplement"}
        eventually(lambda: set(self.seen_by(who)["acts"]) - always == set(wanted))

    def lapsed(self, who: Person) -> "Case":
        """Have the desk of `who` ask, and wait until it may close the report as not answered."""
        self.act(who, "questions", {"text": "Di mana?"})
        eventually(lambda: self.reporter.get(f"{self.path}/questions")["items"])
        let_lapse(self.people.installation.stack.database_url("notification"), self.ticket)
        eventually(lambda: "abandon" in self.seen_by(who)["acts"])
        return self

    def told(self, *wanted: str) -> None:
        """Wait until the journey has exactly these events."""

        def names() -> list[str]:
            timeline = self.reporter.get(f"{self.path}/timeline")
            return [entry["event"].rpartition(".v")[0] for entry in timeline["entries"]]

        eventually(lambda: names() == list(wanted))


@pytest.fixture
def case(people: People) -> Case:
    return Case(people)


def test_a_complaint_is_declined_forwarded_to_another_opd_taken_back_and_answered(people: People, case: Case) -> None:
    case.forwarded()
    first, second = people.opd_team(OPD), people.opd_team(OTHER)
    case.acts(first, "respond", "decline", "request_time")
    case.act(first, "declination", {"reason": "Bukan kewenangan kami.", "better_opd": OTHER})
    assert case.refused(first, "response", {"text": "Tanggapan."}) == "no-longer-here"
    eventually(lambda: case.seen_by(case.main)["back"] == "complaint.declined.v1")
    seen = case.seen_by(case.main)
    assert (seen["back_why"], seen["better_opd"], seen["forwarding"]) == ("Bukan kewenangan kami.", OTHER, 2)
    case.act(case.main, "classification", {"kind": "complaint", "opd": OTHER})
    case.acts(case.main, "recall")
    eventually(lambda: case.ticket in second.desk("opd"))
    case.act(case.main, "recall", {"reason": "Ternyata dua perangkat daerah."})
    eventually(lambda: case.ticket not in second.desk("opd"))
    assert case.seen_by(second)["recalled_why"] == "Ternyata dua perangkat daerah."
    assert case.seen_by(case.main)["back_why"] == "Ternyata dua perangkat daerah."
    assert case.refused(case.main, "recall", {"reason": "Lagi."}) == "not-with-opd"
    case.act(case.main, "classification", {"kind": "complaint", "opd": OPD})
    # The same team has it again, as a case of its own.
    case.act(first, "response", {"text": "Ditegur."})
    case.act(case.main, "approval", {"approved": True})
    case.act(case.operator, "answer", {"text": "Petugas telah ditegur."})
    case.act(case.reporter, "receipt")
    case.told(
        "complaint.submitted",
        "complaint.handed_over",
        "complaint.forwarded",
        "complaint.declined",
        "complaint.forwarded",
        "complaint.recalled",
        "complaint.forwarded",
        "response.submitted",
        "response.approved",
        "answer.sent",
        "complaint.closed",
    )


def test_an_opd_asks_for_more_time_once_and_the_main_team_decides(people: People, case: Case) -> None:
    case.forwarded()
    team = people.opd_team(OPD)
    case.acts(team, "respond", "decline", "request_time")
    due_at = case.seen_by(team)["due_at"]
    promised = case.seen_by(case.reporter)["service_due_at"]
    assert case.refused(case.main, "time-grant", {"days": 1}) == "no-request"
    case.act(team, "time-request", {"days": 3, "reason": "Saksi sedang cuti."})
    case.acts(team, "respond", "decline")
    assert case.refused(team, "time-request", {"days": 1, "reason": "Lagi."}) == "already-asked"
    # It awaits the main team, although the step is the OPD's.
    eventually(lambda: case.ticket in case.main.desk("triage"))
    case.acts(case.main, "recall", "grant_time")
    seen = case.seen_by(case.main)
    assert (seen["asked_days"], seen["asked_why"]) == (3, "Saksi sedang cuti.")
    case.act(case.main, "time-grant", {"days": 2})
    case.acts(case.main, "recall")
    assert case.ticket not in case.main.desk("triage")
    eventually(lambda: case.seen_by(team).get("moved_days") == 2)
    later = case.seen_by(team)
    assert (later["first_due_at"], later["granted_days"]) == (due_at, 2)
    assert later["due_at"] == write_instant(OFFICE_HOURS.due(datetime.fromisoformat(due_at), 2 * MINUTES_PER_DAY))
    assert case.seen_by(case.reporter)["service_due_at"] == promised

    def following() -> Any:
        return case.reporter.get(f"{case.path}/timeline")["next"]

    eventually(lambda: following().get("moved_days") == 2)
    assert (following()["first_due_at"], following()["due_at"]) == (due_at, later["due_at"])
    beside = case.reporter.get(f"{case.path}/timeline")["beside"]
    assert [(act["event"], act["days"], act.get("note")) for act in beside] == [
        ("time.requested.v1", 3, None),
        ("time.granted.v1", 2, None),
    ]
    case.act(team, "response", {"text": "Ditegur."})
    case.act(case.main, "approval", {"approved": False, "note": "Siapa?"})
    # Nothing waits for a decision any more, although there is no second request.
    eventually(lambda: case.seen_by(team)["return_note"] == "Siapa?")
    assert (case.seen_by(team)["asked_days"], case.seen_by(team)["asked_why"]) == (None, None)
    assert case.refused(team, "time-request", {"days": 1, "reason": "Lagi."}) == "already-asked"


def test_a_report_is_joined_with_another_and_both_are_answered(people: People, case: Case) -> None:
    first = Case(people).forwarded()
    case.act(case.operator, "handover")
    eventually(lambda: "join" in case.seen_by(case.main)["acts"])
    assert case.refused(case.main, "joins", {"first": case.ticket, "reason": "Sama."}) == "cannot-join"
    case.act(case.main, "joins", {"first": first.ticket, "reason": "Loket yang sama."})
    case.acts(case.main, "part")
    assert case.seen_by(case.main)["joined_to"] == first.ticket
    assert first.seen_by(case.main)["joined"] == [case.ticket]
    eventually(lambda: case.seen_by(case.reporter)["stands"]["state"] == "respond")
    case.act(case.main, "parting", {"reason": "Ternyata loket lain."})
    assert case.refused(case.main, "parting", {"reason": "Lagi."}) == "not-joined"
    case.act(case.main, "joins", {"first": first.ticket, "reason": "Ternyata sama."})
    first.act(people.opd_team(OPD), "response", {"text": "Petugas ditegur."})
    first.act(case.main, "approval", {"approved": True})
    eventually(lambda: (case.seen_by(case.operator)["answer"] or {}).get("material") == "Petugas ditegur.")
    assert case.seen_by(case.operator)["answer"]["joined_to"] == first.ticket
    case.act(case.operator, "answer", {"text": "Petugas telah ditegur."})
    eventually(lambda: case.seen_by(case.reporter)["answer"])
    case.told(
        "complaint.submitted",
        "complaint.handed_over",
        "complaint.forwarded",
        "complaint.recalled",
        "complaint.forwarded",
        "response.submitted",
        "response.approved",
        "answer.sent",
        "complaint.closed",
    )
    assert first.ticket not in str(case.reporter.get(f"{case.path}/timeline"))


def test_a_further_opd_responds_beside_the_first(people: People, case: Case) -> None:
    case.forwarded()
    first, second = people.opd_team(OPD), people.opd_team(OTHER)
    case.act(first, "response", {"text": "Petugas ditegur."})
    case.acts(case.main, "approve", "gather")
    assert case.refused(case.main, "further-opd", {"opd": OPD}) == "already-gathered"
    case.act(case.main, "further-opd", {"opd": OTHER, "note": "Soal kehadiran."})
    case.act(second, "response", {"text": "Kehadiran dicatat."})
    assert "Petugas ditegur." not in str(case.seen_by(second))
    eventually(lambda: case.seen_by(case.main)["response"] == "Kehadiran dicatat.")
    assert [each["text"] for each in case.seen_by(case.main)["gathered"]] == ["Petugas ditegur."]
    case.act(case.main, "approval", {"approved": True})
    eventually(lambda: case.seen_by(case.operator)["answer"] is not None)
    answer = case.seen_by(case.operator)["answer"]
    assert ([each["opd"] for each in answer["gathered"]], answer["material"]) == ([OPD], "Kehadiran dicatat.")


def test_more_time_is_refused_with_a_note(people: People, case: Case) -> None:
    case.forwarded()
    team = people.opd_team(OPD)
    due_at = case.seen_by(team)["due_at"]
    case.act(team, "time-request", {"days": 30, "reason": "Banyak pekerjaan."})
    assert case.refused(case.main, "time-grant", {"days": 0}, 422) == "invalid-input"
    case.act(case.main, "time-grant", {"days": 0, "note": "Cukup dua hari."})
    eventually(lambda: case.seen_by(team)["granted_days"] == 0)
    seen = case.seen_by(team)
    assert (seen["due_at"], seen["granted_note"]) == (due_at, "Cukup dua hari.")
    case.acts(team, "respond", "decline")


def test_information_that_is_a_complaint_after_all_goes_back_to_be_classified(people: People, case: Case) -> None:
    case.informed()
    case.acts(case.operator, "answer", "reclassify")
    case.act(case.operator, "reclassification", {"reason": "Pelapor menuduh seorang petugas."})
    assert case.refused(case.operator, "answer", {"text": "Jawaban."}) == "not-your-step"
    case.act(case.main, "classification", {"kind": "complaint", "opd": OPD})
    case.act(people.opd_team(OPD), "response", {"text": "Ditegur."})
    case.act(case.main, "approval", {"approved": True})
    case.acts(case.operator, "answer")
    assert case.refused(case.operator, "reclassification", {"reason": "Lagi."}) == "no-information"
    case.act(case.operator, "answer", {"text": "Petugas telah ditegur."})


def test_a_report_is_withdrawn_at_every_desk(people: People, case: Case) -> None:
    case.forwarded()
    team = people.opd_team(OPD)
    eventually(lambda: case.ticket in team.desk("opd"))
    case.acts(case.reporter, "withdraw")
    case.act(case.reporter, "withdrawal", {"reason": "Sudah diselesaikan."}, 202)
    assert case.refused(case.reporter, "withdrawal", {"reason": "Lagi."}) == "already-withdrawn"
    eventually(lambda: case.ticket not in team.desk("opd"))
    assert case.refused(team, "response", {"text": "Tanggapan."}) == "withdrawn"
    eventually(lambda: case.seen_by(case.reporter)["stands"]["state"] == "withdrawn")
    assert case.seen_by(case.main)["ended_why"] == "Sudah diselesaikan."
    # It was not with Tim Utama, so it cannot go on.
    case.acts(case.main)
    assert case.refused(case.main, "continuation", {"reason": "Berulang."}) == "nothing-to-keep"
    case.told("complaint.submitted", "complaint.handed_over", "complaint.forwarded", "complaint.withdrawn")


def test_an_opd_closes_what_its_reporter_did_not_answer_and_it_ends_at_every_desk(case: Case, people: People) -> None:
    case.forwarded()
    team = people.opd_team(OPD)
    case.lapsed(team)
    case.act(team, "abandonment", {"reason": "Tempatnya tidak disebut."})
    assert case.refused(team, "abandonment", {"reason": "Lagi."}) == "abandoned"
    assert case.ticket not in team.desk("opd")
    eventually(lambda: case.seen_by(case.reporter)["stands"]["state"] == "abandoned")
    for who in (case.reporter, case.operator, case.main, team):
        eventually(lambda who=who: case.seen_by(who)["ended_why"] == "Tempatnya tidak disebut.")
    eventually(lambda: case.seen_by(case.reporter)["acts"] == [])
    assert case.refused(case.reporter, "withdrawal", {"reason": "Sudah."}) == "abandoned"
    assert case.refused(case.main, "continuation", {"reason": "Berulang."}) == "nothing-to-keep"
    case.told("complaint.submitted", "complaint.handed_over", "complaint.forwarded", "complaint.abandoned")


def test_a_report_withdrawn_before_it_was_handed_over_ends_there(case: Case) -> None:
    case.act(case.reporter, "withdrawal", {"reason": "Salah tulis."}, 202)
    assert case.refused(case.operator, "handover") == "withdrawn"
    assert case.ticket not in case.operator.desk("intake")
    case.told("complaint.submitted", "complaint.withdrawn")


def test_tim_utama_lets_a_withdrawn_report_go_on_without_its_reporter(case: Case) -> None:
    case.act(case.operator, "handover")
    eventually(lambda: case.ticket in case.main.desk("triage"))
    case.act(case.reporter, "withdrawal", {"reason": "Takut."}, 202)
    case.acts(case.main, "keep")
    assert case.ticket not in case.main.desk("triage")
    case.act(case.main, "continuation", {"reason": "Pelanggaran berulang."})
    assert case.ticket in case.main.desk("triage")
    case.act(case.main, "classification", {"kind": "information"})
    case.act(case.operator, "answer", {"text": "Sudah ditindaklanjuti."})
    case.told(
        "complaint.submitted",
        "complaint.handed_over",
        "complaint.withdrawn",
        "complaint.kept",
        "complaint.classified_as_information",
        "answer.sent",
    )


def test_a_response_to_a_report_that_goes_on_can_still_be_returned_and_sent_again(people: People, case: Case) -> None:
    case.forwarded()
    team = people.opd_team(OPD)
    case.act(team, "response", {"text": "Tanggapan pertama."})
    eventually(lambda: case.ticket in case.main.desk("triage"))
    case.act(case.reporter, "withdrawal", {"reason": "Takut."}, 202)
    case.acts(case.main, "keep")
    case.act(case.main, "continuation", {"reason": "Pelanggaran berulang."})
    case.act(case.main, "approval", {"approved": False, "note": "Sebutkan tindakannya."})
    case.act(team, "response", {"text": "Ditegur."})
    case.act(case.main, "approval", {"approved": True})
    case.act(case.operator, "answer", {"text": "Petugas telah ditegur."})


def test_a_reporter_objects_once_and_gets_a_second_answer(people: People, case: Case) -> None:
    case.answered()
    assert case.refused(case.reporter, "withdrawal", {"reason": "Terlambat."}) == "too-late-to-withdraw"
    case.act(case.reporter, "objection", {"reason": "Tidak menyebut tindakan."})
    eventually(lambda: case.seen_by(case.main)["back"] == "complaint.reopened.v1")
    seen = case.seen_by(case.main)
    assert (seen["objected_to"], seen["back_why"], seen["cycle"]) == (
        "Jawaban pertama.",
        "Tidak menyebut tindakan.",
        2,
    )
    own = case.seen_by(case.reporter)
    assert (own["answer"], own["earlier"][0]["text"]) == (None, "Jawaban pertama.")
    # What is promised is the second answer, wherever it is said.
    [listed] = case.reporter.get("/complaints")["items"]
    promised = case.reporter.get(f"{case.path}/timeline")["service_due_at"]
    assert (
        own["service_due_at"] == listed["service_due_at"] == case.seen_by(case.operator)["service_due_at"] == promised
    )
    case.act(case.main, "classification", {"kind": "information"})
    case.act(case.operator, "answer", {"text": "Jawaban kedua."})
    own = case.seen_by(case.reporter)
    assert (own["answer"]["text"], own["earlier"][0]["text"]) == ("Jawaban kedua.", "Jawaban pertama.")
    assert case.refused(case.reporter, "objection", {"reason": "Lagi."}) == "already-objected"
    case.told(
        "complaint.submitted",
        "complaint.handed_over",
        "complaint.classified_as_information",
        "answer.sent",
        "complaint.closed",
        "complaint.reopened",
        "complaint.classified_as_information",
        "answer.sent",
        "complaint.closed",
    )


def test_an_answer_is_rated_once_it_was_received(case: Case) -> None:
    case.answered()
    assert case.refused(case.reporter, "rating", {"rating": 4}) == "not-closed-yet"
    case.act(case.reporter, "receipt")
    case.acts(case.reporter, "rate", "object")
    case.act(case.reporter, "rating", {"rating": 4, "comment": "Cepat."})
    assert case.refused(case.reporter, "rating", {"rating": 1}) == "already-rated"
    answer = case.seen_by(case.operator)["answer"]
    assert (answer["rating"], answer["rating_comment"]) == (4, "Cepat.")


@pytest.mark.parametrize("rating", [0, 6, "x", None, 2.5])
def test_a_rating_is_from_one_to_five(case: Case, rating: Any) -> None:
    answer = case.reporter.ask("POST", f"{case.path}/rating", json={"rating": rating})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["rating"])


@pytest.mark.parametrize("reason", ["", "   ", None, "x" * 4_001])
def test_an_act_needs_a_reason_that_can_be_read(case: Case, reason: Any) -> None:
    answer = case.reporter.ask("POST", f"{case.path}/withdrawal", json={"reason": reason})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["reason"])
    assert case.seen_by(case.reporter)["stands"]["state"] != "withdrawn"
