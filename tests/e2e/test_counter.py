"""An operator enters reports for persons, hands them a receipt, and prints the answer for those without e-mail."""

import uuid
from typing import Any

import pytest

from tests.builders import entry_form
from tests.installations import Installation, eventually
from tests.letters import posted
from tests.papers import pdf_words
from tests.people import PASSWORD, People, Person, month_of
from tests.problems import at_fault, problem


def counter_form(**changed: Any) -> dict[str, Any]:
    """Return an entry of a person without an e-mail address, at the counter."""
    entry = entry_form(channel="counter") | changed
    entry["reporter"] = {name: value for name, value in entry["reporter"].items() if name not in ("email", "phone")}
    return entry


def paper(person: Person, path: str, form: Any = None) -> str:
    answer = person.ask("POST" if form else "GET", path, form)
    assert answer.status_code == 200, answer.text
    return " ".join(pdf_words(answer.content).split())


def test_a_person_without_an_email_gets_receipt_answer_and_account_on_paper(
    people: People, whole: Installation
) -> None:
    operator = people.operator
    receipt = operator.post("/entries", counter_form(paper=f"L-{uuid.uuid4().hex[:6]}"), expect=201)
    ticket, code = receipt["ticket"], receipt["access_code"]
    said = paper(operator, f"/entries/{ticket}/receipt.pdf", {"access_code": code})
    assert all(part in said for part in (ticket, code, "Loket", "/akun/kode"))
    operator.act(f"/complaints/{ticket}/handover")
    people.main_team.act(f"/complaints/{ticket}/classification", {"kind": "information", "note": "Jawab."})
    problem(operator.ask("GET", f"/complaints/{ticket}/documents/surat-jawaban.pdf"), 409, "no-document-yet")
    operator.act(f"/complaints/{ticket}/answer", {"text": "Jam pelayanan 07.30 sampai 16.00."})

    def to_print() -> list[str]:
        found = [
            letter["kind"] for letter in operator.get(f"/complaints/{ticket}")["undelivered"] if letter["to_print"]
        ]
        assert found
        return found

    assert eventually(to_print) == ["answered"]
    answer = eventually(lambda: paper(operator, f"/complaints/{ticket}/documents/surat-jawaban.pdf"))
    assert "Jam pelayanan 07.30 sampai 16.00." in answer
    assert "/akun/kode" in answer, "the person has no account yet"
    assert not [letter for letter in posted(whole.stack.var / "mail") if ticket in letter["Subject"]]
    chosen = {"username": f"warga-{uuid.uuid4().hex[:10]}", "password": PASSWORD}
    people.anyone.post("/reporters/from-code", {"access_code": code, **chosen}, expect=201)
    person = people.log_in(**chosen)
    assert person.get(f"/complaints/{ticket}")["answer"]["text"] == "Jam pelayanan 07.30 sampai 16.00."
    assert person.get("/reporters/me/contact") == {"email": None, "phone": None}
    contact = {"email": f"{chosen['username']}@example.id", "password": PASSWORD}
    assert person.ask("PUT", "/reporters/me/contact", contact).status_code < 300
    problem(operator.ask("POST", f"/entries/{ticket}/code"), 409, "account-opened-before")


def test_the_channel_is_shown_to_everybody_but_the_opd(people: People) -> None:
    ticket = people.operator.post("/entries", counter_form(channel="letter"), expect=201)["ticket"]
    rows = people.operator.get("/desks/intake", params={"limit": 200})["items"]
    assert {row["channel"] for row in rows if row["ticket"] == ticket} <= {"letter"}
    people.operator.act(f"/complaints/{ticket}/handover")
    people.main_team.act(f"/complaints/{ticket}/classification", {"kind": "complaint", "opd": "disdukcapil"})
    opd = people.opd_team("disdukcapil")
    told = eventually(lambda: opd.get(f"/complaints/{ticket}/timeline"))
    assert "channel" not in told
    assert "channel" not in eventually(lambda: opd.get(f"/complaints/{ticket}"))
    for person in (people.operator, people.main_team):
        assert person.get(f"/complaints/{ticket}/timeline")["channel"] == "letter"


def test_the_recapitulation_counts_by_channel(people: People) -> None:
    ticket = people.operator.post("/entries", counter_form(channel="telephone"), expect=201)["ticket"]

    def counted() -> bool:
        month = month_of(people.operator, ticket)
        recap = people.operator.get("/reports/monthly", params={"month": month, "format": "json"})
        by_channel = {row["name"]: row["count"] for row in recap["by_channel"]}
        assert sum(by_channel.values()) == recap["accepted"]
        return by_channel.get("Telepon", 0) >= 1

    assert eventually(counted)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [({"channel": "web"}, "channel"), ({"channel": "pigeon"}, "channel"), ({"paper": "x" * 65}, "paper")],
    ids=["web", "unknown", "long"],
)
def test_what_an_operator_may_not_send_is_named(people: People, changed: dict[str, Any], fault: str) -> None:
    assert at_fault(people.operator.ask("POST", "/entries", counter_form(**changed))) == {fault}


def test_each_role_is_told_what_is_missing_or_not_for_it(people: People) -> None:
    without = {name: value for name, value in counter_form().items() if name != "channel"}
    assert at_fault(people.operator.ask("POST", "/entries", without)) == {"channel"}
    website = people.website()
    refused = website.ask("POST", "/entries", counter_form(paper="1"))
    assert at_fault(refused) == {"channel", "paper", "reporter"}
    nameless = counter_form()
    nameless["reporter"] = {"kind": "public", "identity_number": "12"}
    told = people.operator.ask("POST", "/entries", nameless).json()["errors"]["reporter"]
    assert set(told) == {"identity_number", "name"}


def test_a_paper_that_was_entered_is_named_with_its_ticket(people: People) -> None:
    form = counter_form(channel="letter", paper=uuid.uuid4().hex)
    first = people.operator.post("/entries", form, expect=201)["ticket"]
    again = people.operator.ask("POST", "/entries", form)
    assert problem(again, 409, "paper-entered-before")["ticket"] == first


def test_a_receipt_is_refused_for_another_code_or_another_report(people: People) -> None:
    receipt = people.operator.post("/entries", counter_form(), expect=201)
    path = f"/entries/{receipt['ticket']}/receipt.pdf"
    problem(people.operator.ask("POST", path, {"access_code": "7H4K-Q2MV-0NXV-3M3W"}), 422, "access-code-refused")
    own = people.submit(people.reporter())
    problem(people.operator.ask("POST", f"/entries/{own}/code"), 409, "not-entered-by-staff")
