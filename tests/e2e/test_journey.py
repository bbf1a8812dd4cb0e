"""Both paths of the procedure over HTTP, each step by its role."""

import uuid

from tests.installations import eventually
from tests.people import PASSWORD, People, travel_as_complaint, travel_as_information
from tests.problems import problem

INFORMATION = [
    "complaint.submitted.v2",
    "complaint.handed_over.v1",
    "complaint.classified_as_information.v1",
    "answer.sent.v1",
    "complaint.closed.v1",
]
COMPLAINT = [
    "complaint.submitted.v2",
    "complaint.handed_over.v1",
    "complaint.forwarded.v1",
    "response.submitted.v1",
    "response.approved.v1",
    "answer.sent.v1",
    "complaint.closed.v1",
]


def test_a_request_for_information_is_answered_by_the_operator_alone(people: People) -> None:
    reporter = people.reporter()
    ticket = travel_as_information(people, reporter)
    read = reporter.get(f"/complaints/{ticket}")
    assert read["answer"]["text"] == "Jam pelayanan 07.30 sampai 16.00."
    timeline = reporter.get(f"/complaints/{ticket}/timeline")
    assert [entry["event"] for entry in timeline["entries"]] == INFORMATION
    assert [entry["step"] for entry in timeline["entries"]] == [1, 2, 3, 6, 7]
    assert timeline["stands"] == {"state": "closed", "step": None}


def test_a_complaint_goes_through_all_seven_steps(people: People) -> None:
    reporter = people.reporter()
    ticket = travel_as_complaint(people, reporter)
    reporter.post(f"/complaints/{ticket}/receipt")
    timeline = reporter.get(f"/complaints/{ticket}/timeline")
    assert [entry["event"] for entry in timeline["entries"]] == COMPLAINT
    assert [entry["step"] for entry in timeline["entries"]] == [1, 2, 3, 4, 5, 6, 7]
    assert [entry["output"] for entry in timeline["entries"]][:3] == [
        "Data Pemberi Aduan",
        "Data Pengaduan",
        "Laporan Pengaduan",
    ]


def test_a_returned_response_is_written_again_before_it_is_handed_on(people: People) -> None:
    reporter, opd = people.reporter(), people.opd_team("dinas-kesehatan")
    ticket = people.submit(reporter)
    people.operator.act(f"/complaints/{ticket}/handover")
    people.main_team.act(f"/complaints/{ticket}/classification", {"kind": "complaint", "opd": "dinas-kesehatan"})
    opd.act(f"/complaints/{ticket}/response", {"text": "Sudah."})
    people.main_team.act(f"/complaints/{ticket}/approval", {"approved": False, "note": "Uraikan tindakannya."})
    eventually(lambda: ticket in opd.desk("opd"))
    assert opd.get(f"/complaints/{ticket}")["return_note"] == "Uraikan tindakannya."
    opd.act(f"/complaints/{ticket}/response", {"text": "Petugas ditegur dan dipindahkan."})
    eventually(lambda: ticket in people.main_team.desk("triage"))
    assert people.main_team.get(f"/complaints/{ticket}")["response"] == "Petugas ditegur dan dipindahkan."
    people.main_team.post(f"/complaints/{ticket}/approval", {"approved": True})
    eventually(lambda: ticket in people.operator.desk("answers"))
    assert people.operator.get(f"/complaints/{ticket}")["answer"]["material"] == "Petugas ditegur dan dipindahkan."


def test_the_operator_asks_who_reported_and_is_told_unless_confidentiality_was_asked_for(people: People) -> None:
    reporter = people.reporter()
    ticket = people.submit(reporter)
    shown = people.operator.ask("POST", f"/complaints/{ticket}/identity")
    assert shown.json()["name"] == reporter.account["name"]
    assert shown.headers["Cache-Control"] == "no-store"
    assert reporter.account["name"] not in people.operator.ask("GET", f"/complaints/{ticket}").text
    withheld = people.submit(reporter, confidential=True)
    problem(people.operator.ask("POST", f"/complaints/{withheld}/identity"), 403, "identity-withheld")


def test_an_operator_who_was_disabled_or_logged_out_does_nothing_though_their_token_lives(people: People) -> None:
    path = f"/complaints/{people.submit(people.reporter())}"
    account = {"username": f"operator-{uuid.uuid4().hex[:8]}", "password": PASSWORD}
    people.admin.post("/staff", account | {"name": "Operator Kedua", "role": "operator"}, expect=201)
    logged_out, disabled = people.log_in(**account), people.log_in(**account)
    assert disabled.post(f"{path}/identity")["kind"] == "public"
    assert logged_out.ask("DELETE", "/sessions/current").status_code == 204
    people.admin.post(f"/staff/{account['username']}/disablement")
    for operator in (logged_out, disabled):
        problem(operator.ask("GET", path), 401, "not-authenticated")
        for asked in ("identity", "documents/data-pemberi-aduan.pdf", "claim", "handover"):
            problem(operator.ask("POST", f"{path}/{asked}", {}), 401, "not-authenticated")
    assert people.operator.get(path)["stands"]["step"] == 2


def test_a_complaint_just_accepted_can_be_read_and_followed_at_once(people: People) -> None:
    reporter = people.reporter()
    ticket = people.submit(reporter)
    assert reporter.get(f"/complaints/{ticket}")["stands"]["step"] == 2
    assert reporter.get(f"/complaints/{ticket}/timeline")["stands"]["step"] == 2
    assert reporter.get("/complaints")["items"][0]["ticket"] == ticket


def test_the_reporter_is_mailed_on_submission_and_on_the_answer(people: People) -> None:
    reporter = people.reporter()
    ticket = travel_as_information(people, reporter)
    folder = people.installation.stack.var / "mail"

    def letters() -> list[str]:
        return [text for path in folder.glob("*.eml") if ticket in (text := path.read_text())]

    eventually(lambda: len(letters()) == 2)
    assert sorted(line for text in letters() for line in text.splitlines() if line.startswith("Subject:")) == [
        f"Subject: Laporan Anda kami terima: {ticket}",
        f"Subject: Laporan {ticket} telah dijawab",
    ]
    assert not [text for text in letters() if reporter.account["name"] in text or "Loket" in text]
