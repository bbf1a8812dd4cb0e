"""A website's server sends in reports for its visitors, and follows them."""

import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import httpx
import pytest

from nkk.settings.keys import as_pem
from nkk.trust.actor import Actor, admit, grant
from tests.builders import complaint_form, entry_form
from tests.databases import everything_in
from tests.e2e.test_clocks import nkk
from tests.installations import Installation, eventually
from tests.letters import posted
from tests.people import PASSWORD, People, Person
from tests.problems import at_fault, problem


def send(website: Person, key: str, entry: dict[str, Any]) -> httpx.Response:
    return website.ask("POST", "/entries", entry, headers={"Idempotency-Key": key})


def enter(website: Person, **changed: Any) -> dict[str, Any]:
    """Send a report in; return its receipt."""
    response = send(website, uuid.uuid4().hex, entry_form(**changed))
    assert response.status_code == 201, response.text
    return response.json()


def test_what_a_website_sends_in_goes_its_way_and_the_website_sees_how_far(people: People) -> None:
    website = people.website()
    receipt = enter(website)
    ticket = receipt["ticket"]
    assert set(receipt) == {
        "ticket",
        "submitted_at",
        "service_due_at",
        "stands",
        "access_code",
        "access_code_expires_at",
        "files",
    }

    def stands(step: int | None) -> dict[str, Any]:
        status = website.get(f"/entries/{ticket}")
        assert status["stands"]["step"] == step
        return status

    status = stands(2)
    assert (status["submitted_at"][10:], status["service_due_at"][10:]) == ("T00:00:00+07:00",) * 2
    assert set(status) == {"ticket", "submitted_at", "service_due_at", "stands", "closed"}
    people.operator.act(f"/complaints/{ticket}/handover")
    eventually(lambda: stands(3))
    people.main_team.act(f"/complaints/{ticket}/classification", {"kind": "information", "note": "Jawab."})
    people.operator.act(f"/complaints/{ticket}/answer", {"text": "Jam pelayanan 07.30 sampai 16.00."})
    assert eventually(lambda: stands(7))["closed"] is False
    assert website.get("/entries")["items"] == [stands(7)]


def test_while_nothing_has_changed_there_is_nothing_to_send(people: People) -> None:
    website = people.website()
    ticket = enter(website)["ticket"]

    def ask(etag: str = "") -> httpx.Response:
        return website.ask("GET", f"/entries/{ticket}", headers={"If-None-Match": etag} if etag else {})

    etag = ask().headers["ETag"]
    same = ask(etag)
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", etag)
    assert ask('"another"').status_code == 200
    people.operator.act(f"/complaints/{ticket}/handover")

    eventually(lambda: ask(etag).status_code == 200)


def test_the_same_entry_sent_again_or_at_once_is_one_report(people: People) -> None:
    website, key, entry, together = people.website(), uuid.uuid4().hex, entry_form(), threading.Barrier(8)

    def sending(_: int) -> httpx.Response:
        together.wait()
        return send(website, key, entry)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(sending, range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    first = send(website, key, entry).json()
    assert first == answers[0].json()
    other = entry | {"reporter": entry["reporter"] | {"name": "Orang Lain"}}
    assert problem(send(website, key, other), 422, "idempotency-key-reused")["ticket"] == first["ticket"]
    assert [item["ticket"] for item in website.get("/entries")["items"]] == [first["ticket"]]
    assert send(people.website(), key, entry).json()["ticket"] != first["ticket"]


def test_faults_are_named_at_their_fields_all_at_once(people: People) -> None:
    website = people.website()
    wrong = entry_form(text="", category="tidak-ada")
    wrong["reporter"] |= {"identity_number": "1", "email": "bukan alamat"}
    response = send(website, "x", wrong)
    assert {"text", "category", "reporter"} <= at_fault(response)
    assert set(response.json()["errors"]["reporter"]) == {"identity_number", "email"}
    assert "bukan alamat" not in response.text
    assert at_fault(website.ask("POST", "/entries", complaint_form())) == {"reporter"}
    assert website.get("/entries")["items"] == []


def test_a_website_reaches_neither_others_reports_nor_a_desk_nor_an_identity(people: People) -> None:
    website, other = people.website(), people.website()
    own, others = enter(website)["ticket"], enter(other)["ticket"]
    ordinary = people.submit(people.reporter())
    for ticket in (others, ordinary, "NKK-2026-0000-0000", "x"):
        problem(website.ask("GET", f"/entries/{ticket}"), 404, "unknown-ticket")
    for method, path in (
        ("GET", f"/complaints/{own}"),
        ("GET", f"/complaints/{own}/timeline"),
        ("POST", f"/complaints/{own}/identity"),
        ("POST", f"/complaints/{own}/handover"),
        ("POST", f"/complaints/{own}/receipt"),
        ("GET", f"/complaints/{own}/documents/tanda-terima.pdf"),
        ("GET", "/desks/intake"),
        ("GET", "/desks/answers/changes"),
        ("GET", "/complaints"),
        ("POST", "/complaints"),
        ("GET", "/staff"),
    ):
        problem(website.ask(method, path), 403, "not-your-role")


def test_a_secret_in_an_address_opens_nothing_and_is_not_logged(people: People, whole: Installation) -> None:
    website = people.website()
    assert website.token
    assert website.account
    secret = website.account["password"]
    asked = people.anyone.ask("GET", "/entries", params={"access_token": website.token, "secret": secret})
    assert asked.status_code == 401
    assert people.anyone.ask("POST", f"/sessions?username=x&password={secret}").status_code == 422
    logs = whole.logs()
    assert secret not in logs
    assert website.token not in logs


def test_nothing_of_a_person_is_in_a_log_or_with_another_stage(people: People, whole: Installation) -> None:
    website, entry = people.website(), entry_form(confidential=False)
    entry["reporter"] |= {"name": "Nama Yang Jarang Sekali", "phone": "+62 812 3456 7890"}
    receipt = send(website, "k", entry).json()
    people.operator.act(f"/complaints/{receipt['ticket']}/handover")
    identity = people.operator.post(f"/complaints/{receipt['ticket']}/identity")
    assert identity == entry["reporter"] | {"username": None}
    document = people.operator.ask("POST", f"/complaints/{receipt['ticket']}/documents/data-pemberi-aduan.pdf")
    assert document.status_code == 200
    held = "".join(everything_in(whole, stage) for stage in ("intake", "triage", "notification")) + whole.logs()
    for part in ("name", "email", "phone", "identity_number"):
        assert part == "identity_number" or entry["reporter"][part] not in held
    assert receipt["access_code"] not in held
    assert receipt["ticket"] not in whole.logs()


def test_an_expired_log_in_is_a_401_after_which_the_website_logs_in_again(people: People, whole: Installation) -> None:
    """Nothing depends on the website's clock: it need not compute when its token ends."""
    website = people.website()
    assert website.account
    key = as_pem(whole.stack.keys["NKK_TOKEN_SIGNING_KEY"])
    actor = admit(website.token, as_pem(whole.stack.keys["NKK_TOKEN_PUBLIC_KEY"])).actor
    old, _ = grant(Actor(actor.id, actor.role, session=actor.session), key, datetime.now(UTC) - timedelta(hours=1))
    late, entry = Person(people.http, old), entry_form()
    for operation in ("POST", "GET"):
        assert late.ask(operation, "/entries", entry if operation == "POST" else None).status_code == 401
    again = people.log_in(website.account["username"], website.account["password"])
    assert send(again, "x", entry).status_code == 201


def test_a_website_that_was_removed_or_given_a_new_secret_is_refused_at_once(people: People) -> None:
    for act in ("rotate_website", "remove_website"):
        website = people.website()
        assert website.account
        people.keep_website(act, website.account["username"])
        assert send(website, "x", entry_form()).status_code == 401
        assert website.ask("GET", "/entries").status_code == 401


@pytest.mark.parametrize("key", ["", "a b", "x" * 201])
def test_a_key_that_cannot_be_is_refused(people: People, key: str) -> None:
    assert at_fault(send(people.website(), key, entry_form())) == {"Idempotency-Key"}


def test_the_person_opens_an_account_by_the_code_reads_the_answer_and_confirms(people: People) -> None:
    website = people.website()
    receipt = enter(website)
    ticket = receipt["ticket"]
    people.operator.act(f"/complaints/{ticket}/handover")
    people.main_team.act(f"/complaints/{ticket}/classification", {"kind": "complaint", "opd": "disdukcapil"})
    people.opd_team("disdukcapil").act(f"/complaints/{ticket}/response", {"text": "Petugas telah ditegur."})
    people.main_team.act(f"/complaints/{ticket}/approval", {"approved": True})
    people.operator.act(f"/complaints/{ticket}/answer", {"text": "Petugas telah ditegur secara tertulis."})
    chosen = {"username": f"warga-{uuid.uuid4().hex[:10]}", "password": PASSWORD}
    form = {"access_code": receipt["access_code"].lower(), **chosen}
    people.anyone.post("/reporters/from-code", form, expect=201)
    person = people.log_in(**chosen)
    assert [item["ticket"] for item in person.get("/complaints")["items"]] == [ticket]
    read = person.get(f"/complaints/{ticket}")
    assert read["answer"]["text"] == "Petugas telah ditegur secara tertulis."
    person.post(f"/complaints/{ticket}/receipt")
    assert person.get(f"/complaints/{ticket}")["answer"]["confirmed_at"]
    # The website learns of the receipt on the day after, as Tim Utama does.
    assert website.get(f"/entries/{ticket}")["stands"]["step"] == 7
    again = people.anyone.ask("POST", "/reporters/from-code", form | {"username": f"x{chosen['username']}"})
    refused = problem(again, 422, "access-code-refused")
    assert set(refused["errors"]) == {"access_code"}
    other = {"access_code": "7H4K-Q2MV-0NXV-3M3W", "username": f"y{chosen['username']}", "password": PASSWORD}
    assert people.anyone.ask("POST", "/reporters/from-code", other).json() == refused


def test_letters_reach_the_person_before_there_is_an_account(people: People, whole: Installation) -> None:
    website, entry = people.website(), entry_form()
    receipt = send(website, "k", entry).json()
    folder = whole.stack.var / "mail"

    def letters() -> list[EmailMessage]:
        return [letter for letter in posted(folder) if letter["To"] == entry["reporter"]["email"]]

    received = eventually(letters)[0]
    assert receipt["ticket"] in received["Subject"]
    assert f"{whole.url}/akun/kode" in received.get_content()


def test_websites_are_kept_on_the_command_line(people: People, whole: Installation) -> None:
    name = f"situs-{uuid.uuid4().hex[:8]}"

    def printed(*arguments: str) -> str:
        done = nkk(whole, "websites", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    secret = printed("add", name)
    assert people.log_in(name, secret).get("/entries")["items"] == []
    assert name in {json.loads(line)["name"] for line in printed("list").splitlines()}
    new = printed("rotate", name)
    assert people.anyone.ask("POST", "/sessions", {"username": name, "password": secret}).status_code == 401
    people.log_in(name, new)
    assert printed("remove", name) == ""
    assert people.anyone.ask("POST", "/sessions", {"username": name, "password": new}).status_code == 401
    for arguments, said in ((("remove", name), "no website"), (("add", "Nama Situs"), "3 to 64")):
        done = nkk(whole, "websites", *arguments)
        assert done.returncode == 1
        assert said in done.stderr
        assert "Traceback" not in done.stderr
