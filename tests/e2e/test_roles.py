"""Access rules: every operation of the API, tried by every role, as docs/access.md says."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gateway import papers
from nkk.sop.ticket import new_ticket
from tests.access import WHO, table
from tests.builders import complaint_form, entry_form
from tests.current.documents import openapi, routes
from tests.installations import eventually
from tests.people import PASSWORD, REGISTRATION, People, Person

DATABASES = ["postgres"]

OPD, OTHER_OPD = "inspektorat", "satpol-pp"
ROLES = {
    "operator": ("operator", None),
    "Tim Utama": ("main_team", None),
    "OPD": ("opd_team", OPD),
    "other OPD": ("opd_team", OTHER_OPD),
    "admin": ("admin", None),
}
TICKET = "/complaints/{ticket}"
DOCUMENT = f"{TICKET}/documents/{{kind}}.{{format}}"
NEW_PASSWORD = "sandi-yang-baru-7"

JOURNEY = {
    f"POST {TICKET}/handover": None,
    f"POST {TICKET}/classification": {"kind": "complaint", "opd": OPD},
    f"POST {TICKET}/response": {"text": "Sudah ditegur."},
    f"POST {TICKET}/approval": {"approved": True},
    f"POST {TICKET}/answer": {"text": "Petugas telah ditegur."},
    f"POST {TICKET}/receipt": None,
}
"""The acts of a complaint's steps with their forms, each allowed once, in this order."""

NOTES = {f"POST {TICKET}/notes": {"text": "Pelapor menelepon."}}
RECUSAL = f"POST {TICKET}/recusals"
"""What staff may do with a complaint at their desk, in any state and any number of times."""

HANDED_OVER = list(JOURNEY.items())[:1]
INFORMED = [*HANDED_OVER, (f"POST {TICKET}/classification", {"kind": "information"})]
FORWARDED = list(JOURNEY.items())[:2]
CLOSED = list(JOURNEY.items())

WITHDRAWN = (f"POST {TICKET}/withdrawal", {"reason": "Sudah selesai."})
REQUESTED = (f"POST {TICKET}/time-request", {"days": 3, "reason": "Saksi baru kembali pekan depan."})
ACTS = {
    WITHDRAWN[0]: (WITHDRAWN[1], HANDED_OVER),
    f"POST {TICKET}/objection": ({"reason": "Belum menjawab."}, CLOSED),
    f"POST {TICKET}/rating": ({"rating": 2}, CLOSED),
    f"POST {TICKET}/declination": ({"reason": "Bukan kami."}, FORWARDED),
    REQUESTED[0]: (REQUESTED[1], FORWARDED),
    f"POST {TICKET}/time-grant": ({"days": 3}, [*FORWARDED, REQUESTED]),
    f"POST {TICKET}/further-opd": ({"opd": OTHER_OPD}, list(JOURNEY.items())[:3]),
    f"POST {TICKET}/conclusion": (
        {},
        [
            *list(JOURNEY.items())[:3],
            (f"POST {TICKET}/further-opd", {"opd": OTHER_OPD}),
            (f"POST {TICKET}/recall", {"reason": "Tidak perlu."}),
        ],
    ),
    f"POST {TICKET}/recall": ({"reason": "Salah alamat."}, FORWARDED),
    f"POST {TICKET}/reclassification": ({"reason": "Ini pengaduan."}, INFORMED),
    f"POST {TICKET}/continuation": ({"reason": "Berulang."}, [*HANDED_OVER, WITHDRAWN]),
}
"""The acts beside the path: the form of each, and what comes before it."""

CLAIMS = {f"POST {TICKET}/claim": {}, f"DELETE {TICKET}/claim": None}

SUPPLEMENT = f"POST {TICKET}/supplements"

REFUSED_ANYWAY = {"POST /password-resets/completion": 422, "POST /reporters/from-code": 422}
"""Operations that need more than a role, with the status of their refusal: here a valid code is missing."""


TABLE = table()
BY_ACT = [f"POST {TICKET}/identity", *(f"POST {DOCUMENT}".replace("{kind}", kind) for kind in papers.BY_ACT)]
READING = [row for row in TABLE if row.startswith(f"GET {TICKET}")] + BY_ACT
QUERIES = {
    "GET /staff/names": {"ids": "x"},
    "GET /calendar/national-days": {"year": 2026},
    "GET /reports/monthly": {"month": "2026-03", "format": "json"},
}
TUS = {"Tus-Resumable": "1.0.0"}
UPLOADING = {
    "POST /uploads": {"headers": TUS | {"Upload-Length": "10"}},
    "PATCH /uploads/{id}": {
        "headers": TUS | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"},
        "content": b"",
    },
}
"""What is sent with the operations of uploads, which take no JSON."""

OF_CODES = ("POST /entries/{ticket}/code", "POST /entries/{ticket}/receipt.{format}")
"""The operations about the access code of what an operator entered."""

LAST = ("PUT /sessions/current/password", "DELETE /sessions/current")
"""The operations that end or change the session, and so are tried last."""


def test_the_table_names_every_operation_and_every_document_of_the_api() -> None:
    described = {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, item in openapi()["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert described | {"GET /openapi.json"} == {f"{method} {path}" for method, path in routes()}
    documents = {f"GET {DOCUMENT}".replace("{kind}", kind) for kind in papers.OF_COMPLAINTS.difference(papers.BY_ACT)}
    assert set(TABLE) == described - {f"GET {DOCUMENT}"} | documents | {"GET /openapi.json"}


@pytest.fixture(scope="module")
def everybody(people: People) -> dict[str, Person]:
    """Return a person for each column of the table."""
    return logged_in(people)


def logged_in(people: People) -> dict[str, Person]:
    """Return a person for each column of the table, each with a new account."""
    found = {"nobody": people.anyone, "owner": people.reporter(), "other reporter": people.reporter()}
    for who, role in ROLES.items():
        account = new_staff(people, *role)
        found[who] = people.log_in(**account)
        found[who].account = account
    found["website"] = people.website()
    return found


def ask(person: Person, operation: str, values: dict[str, str], form: Any = None, query: Any = None) -> int:
    """Return the status of `operation`, with its path filled in from `values`."""
    method, path = operation.split(" ")
    sent = UPLOADING.get(operation, {"json": form, "params": query})
    with person.stream(method, path.format_map(values), **sent) as response:
        return response.status_code


def check(everybody: dict[str, Person], who: str, operation: str, *request: Any) -> None:
    """Check that `who` gets the table's status; a ✓ means success, polled while an event is still in transit."""
    said = TABLE[operation][WHO.index(who)]
    if said != "✓":
        assert ask(everybody[who], operation, *request) == int(said), (operation, who)
        return
    wanted = (REFUSED_ANYWAY[operation],) if operation in REFUSED_ANYWAY else range(200, 300)

    def succeeds() -> bool:
        status = ask(everybody[who], operation, *request)
        assert status in wanted, (operation, who, status)
        return True

    eventually(succeeds)


def check_missing(everybody: dict[str, Person], operation: str, missing: dict[str, str], form: Any = None) -> None:
    """Check that a resource that does not exist gives 404 to those who are allowed, and nothing new to the others."""
    for who, said in zip(WHO, TABLE[operation], strict=True):
        status = 404 if said == "✓" else int(said)
        assert ask(everybody[who], operation, missing, form) == status, (operation, who)


def refused(operation: str) -> list[str]:
    """Return who is not allowed."""
    return [who for who, said in zip(WHO, TABLE[operation], strict=True) if said != "✓"]


def test_a_complaints_journey_is_made_by_those_whose_steps_they_are_and_by_nobody_else(
    people: People, everybody: dict[str, Person]
) -> None:
    owner, ticket = everybody["owner"], people.submit(everybody["owner"])

    def told() -> list[dict[str, Any]]:
        return owner.get(f"/complaints/{ticket}/timeline")["entries"]

    for done, (operation, form) in enumerate(JOURNEY.items(), start=1):
        eventually(lambda done=done: len(told()) == done)
        check_missing(everybody, operation, {"ticket": new_ticket(2026)}, form)
        for who in refused(operation):
            check(everybody, who, operation, {"ticket": ticket}, form)
        assert len(told()) == done
        [may] = set(WHO) - set(refused(operation))
        check(everybody, may, operation, {"ticket": ticket}, form)


def test_a_claim_is_made_by_the_desk_where_the_complaint_stands_and_by_nobody_else(
    people: People, everybody: dict[str, Person]
) -> None:
    values, missing = {"ticket": people.submit(everybody["owner"])}, {"ticket": new_ticket(2026)}
    for who, (act, act_form) in zip(("operator", "Tim Utama", "OPD"), JOURNEY.items(), strict=False):
        for claim, form in CLAIMS.items():
            check_missing(everybody, claim, missing, form)
            for somebody in (who, *refused(claim)):
                check(everybody, somebody, claim, values, form)
        check(everybody, who, act, values, act_form)


def test_what_was_done_is_read_by_whoever_had_to_do_with_it_and_by_nobody_else(
    people: People, everybody: dict[str, Person]
) -> None:
    owner = everybody["owner"]
    values, missing = (
        {"ticket": ticket, "format": "docx", "number": "1"}
        for ticket in (people.submit(owner, files=[owner.upload()]), new_ticket(2026))
    )
    for act, form in JOURNEY.items():
        [may] = set(WHO) - set(refused(act))
        check(everybody, may, act, values, form)
    eventually(lambda: len(everybody["owner"].get(f"/complaints/{values['ticket']}/timeline")["entries"]) == 7)
    for operation in READING:
        check_missing(everybody, operation, missing)
        for who in WHO:
            check(everybody, who, operation, values)


def test_what_has_not_come_to_a_desk_yet_is_not_there(people: People, everybody: dict[str, Person]) -> None:
    values = {"ticket": people.submit(everybody["owner"]), "format": "docx", "number": "1"}
    for operation, form in (JOURNEY | CLAIMS | NOTES | dict.fromkeys(READING)).items():
        for who in ("Tim Utama", "OPD"):
            said = TABLE[operation][WHO.index(who)]
            assert ask(everybody[who], operation, values, form) == (404 if said == "✓" else int(said)), operation
    assert values["ticket"] in everybody["operator"].desk("intake")
    assert values["ticket"] not in everybody["Tim Utama"].desk("triage") + everybody["OPD"].desk("opd")
    own, other = (everybody[who].get("/complaints")["items"] for who in ("owner", "other reporter"))
    assert values["ticket"] in [item["ticket"] for item in own]
    assert values["ticket"] not in [item["ticket"] for item in other]


@pytest.mark.parametrize("operation", ACTS)
def test_an_act_beside_the_path_is_its_roles_and_nobody_elses(
    people: People, everybody: dict[str, Person], operation: str
) -> None:
    form, before = ACTS[operation]
    values = {"ticket": people.submit(everybody["owner"])}
    for step, step_form in before:
        [may] = set(WHO) - set(refused(step))
        check(everybody, may, step, values, step_form)
    check_missing(everybody, operation, {"ticket": new_ticket(2026)}, form)
    for who in refused(operation):
        check(everybody, who, operation, values, form)
    [may] = set(WHO) - set(refused(operation))
    # Until the events of what came before have arrived.
    eventually(lambda: ask(everybody[may], operation, values, form) in (200, 202))


def test_a_report_is_closed_as_not_completed_by_the_desk_where_it_stands_and_by_nobody_else(
    people: People, everybody: dict[str, Person]
) -> None:
    values, form = {"ticket": people.submit(everybody["owner"])}, {"reason": "Tempatnya tidak disebut."}
    operation = f"POST {TICKET}/abandonment"
    for step, step_form in FORWARDED:
        [may] = set(WHO) - set(refused(step))
        check(everybody, may, step, values, step_form)
    check_missing(everybody, operation, {"ticket": new_ticket(2026)}, form)
    for who in refused(operation):
        check(everybody, who, operation, values, form)
    # Nothing was asked, and only one of them has it at their desk.
    for who in set(WHO) - set(refused(operation)):
        eventually(lambda who=who: ask(everybody[who], operation, values, form) == 409)


def test_reports_are_joined_and_parted_by_the_main_team_and_by_nobody_else(
    people: People, everybody: dict[str, Person]
) -> None:
    first, ticket = people.submit(everybody["owner"]), people.submit(everybody["other reporter"])
    for each in (first, ticket):
        for operation, step_form in HANDED_OVER:
            check(everybody, "operator", operation, {"ticket": each}, step_form)
    # Until the event of its hand-over has arrived.
    check(everybody, "Tim Utama", f"GET {TICKET}", {"ticket": first})
    for act, form in (("joins", {"first": first, "reason": "Loket yang sama."}), ("parting", {"reason": "Beda hal."})):
        operation = f"POST {TICKET}/{act}"
        check_missing(everybody, operation, {"ticket": new_ticket(2026)}, form)
        for who in refused(operation):
            check(everybody, who, operation, {"ticket": ticket}, form)
        eventually(
            lambda operation=operation, form=form: (
                ask(everybody["Tim Utama"], operation, {"ticket": ticket}, form) in (200, 202)
            )
        )


def test_notes_are_added_by_the_desks_that_have_the_complaint_and_by_nobody_else(
    people: People, everybody: dict[str, Person]
) -> None:
    values = {"ticket": people.submit(everybody["owner"])}
    for step, step_form in FORWARDED:
        [may] = set(WHO) - set(refused(step))
        check(everybody, may, step, values, step_form)
    for operation, form in NOTES.items():
        check_missing(everybody, operation, {"ticket": new_ticket(2026)}, form)
        for who in WHO:
            check(everybody, who, operation, values, form)
    notes = everybody["Tim Utama"].get(f"/complaints/{values['ticket']}/notes")["items"]
    assert sorted(note["role"] for note in notes) == ["main_team", "opd_team", "operator"]
    for who in ("operator", "OPD"):
        assert len(everybody[who].get(f"/complaints/{values['ticket']}/notes")["items"]) == 1


def test_staff_step_aside_from_what_their_desk_has_and_see_it_no_more(
    people: People, everybody: dict[str, Person]
) -> None:
    values, form = (
        {"ticket": people.submit(everybody["owner"]), "format": "docx", "number": "1"},
        {"reason": "Kerabat."},
    )
    for step, step_form in CLOSED:
        [may] = set(WHO) - set(refused(step))
        check(everybody, may, step, values, step_form)
    check_missing(everybody, RECUSAL, {"ticket": new_ticket(2026)}, form)
    # New accounts, because they do not see the complaint any more.
    stepping = everybody | {who: people.log_in(**new_staff(people, *role)) for who, role in ROLES.items()}
    for who in (*WHO, "operator", "Tim Utama", "OPD"):
        check(stepping, who, RECUSAL, values, form)
    for operation, its_form in (JOURNEY | CLAIMS | NOTES | dict.fromkeys(READING)).items():
        for who in ("operator", "Tim Utama", "OPD"):
            said = TABLE[operation][WHO.index(who)]
            status = 404 if said == "✓" else int(said)
            # Notification has the recusal as soon as the event has arrived.
            eventually(
                lambda who=who, operation=operation, its_form=its_form, status=status: (
                    ask(stepping[who], operation, values, its_form) == status
                )
            )


def test_files_are_added_by_the_owner_and_by_nobody_else(people: People, everybody: dict[str, Person]) -> None:
    owner, values = everybody["owner"], {"ticket": people.submit(everybody["owner"])}
    for who in WHO:
        sender = everybody[who] if who == "other reporter" else owner
        check(everybody, who, SUPPLEMENT, values, {"files": [sender.upload()]})
    for who in ("owner", "other reporter"):
        form = {"files": [everybody[who].upload()]}
        assert ask(everybody[who], SUPPLEMENT, {"ticket": new_ticket(2026)}, form) == 404
    assert len(owner.get(f"/complaints/{values['ticket']}")["files"]) == 1


def begun_by(person: Person) -> str:
    """Return the id of an upload that a person has begun."""
    answer = person.ask("POST", "/uploads", **UPLOADING["POST /uploads"])
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"].rpartition("/")[2]


def new_staff(people: People, role: str = "operator", opd: str | None = None) -> dict[str, str]:
    """Add a staff account; return its credentials."""
    account = {"username": f"petugas-{uuid.uuid4().hex[:8]}", "password": PASSWORD}
    people.admin.post("/staff", account | {"name": "Petugas Contoh", "role": role, "opd": opd}, expect=201)
    return account


def form_for(people: People, account: Mapping[str, Any], operation: str) -> Any:
    """Return a form with which an operation that is not about a complaint succeeds for the owner of `account`."""
    name = f"akun-{uuid.uuid4().hex[:8]}"
    own = {"username": account["username"], "password": account["password"]}
    forms: dict[str, Callable[[], Any]] = {
        "POST /claims": lambda: {"tickets": [new_ticket(2026)]},
        "POST /handovers": lambda: {"tickets": [new_ticket(2026)]},
        "POST /reporters": lambda: REGISTRATION | {"username": name},
        "PUT /reporters/me/contact": lambda: {"email": "siti@example.id", "password": PASSWORD},
        "POST /reporters/from-code": lambda: {"access_code": "x", "username": name, "password": PASSWORD},
        "POST /sessions": lambda: own,
        "POST /sessions/current/renewal": lambda: {"refresh_token": people.log_in(**own).session["refresh_token"]},
        "PUT /sessions/current/password": lambda: {"password": PASSWORD, "new_password": NEW_PASSWORD},
        "POST /password-resets": lambda: {"username": name},
        "POST /password-resets/completion": lambda: {"token": "x", "password": NEW_PASSWORD},
        "POST /complaints": complaint_form,
        "POST /entries": entry_form,
        "POST /staff": lambda: own | {"username": name, "name": "Petugas", "role": "operator"},
        "PUT /staff/{username}/nip": lambda: {"nip": "198503122010011003"},
        "PUT /staff/{username}/password": lambda: {"password": NEW_PASSWORD},
        "PUT /catalogue": lambda: people.admin.get("/catalogue"),
        "PUT /teams": lambda: people.admin.get("/teams"),
        "PUT /calendar": lambda: people.admin.get("/calendar"),
        "PUT /calendar/days/{day}": lambda: {"name": "Libur daerah"},
    }
    return forms.get(operation, lambda: None)()


def test_everybody_may_do_what_the_table_says_and_nothing_else(people: People) -> None:
    # New accounts, because in the end they log out.
    everybody = logged_in(people)
    entered = everybody["website"].post("/entries", entry_form(), expect=201)["ticket"]
    upload = begun_by(everybody["owner"])
    rows = [row for row in TABLE if TICKET not in row]
    for operation in sorted(rows, key=lambda row: LAST.index(row) if row in LAST else -1):
        for who in WHO:
            account = everybody[who].account or everybody["owner"].account
            values = {"version": "1", "day": "2031-07-01", "ticket": entered, "id": upload}
            if "{username}" in operation:
                values["username"] = new_staff(people)["username"]
            form = form_for(people, account, operation)
            if operation == "POST /entries" and who == "operator":
                form |= {"channel": "counter"}
            if operation in OF_CODES:
                walked_in = everybody["operator"].post("/entries", entry_form(channel="counter"), expect=201)
                values |= {"ticket": walked_in["ticket"], "format": "pdf"}
                form = {"access_code": walked_in["access_code"]} if "receipt" in operation else None
            check(everybody, who, operation, values, form, QUERIES.get(operation))


def test_what_is_not_there_is_not_there_for_whoever_may(people: People, everybody: dict[str, Person]) -> None:
    missing = {"username": "tidak-ada-orangnya", "version": "9999", "day": "2031-07-02", "ticket": new_ticket(2026)} | {
        "id": "x" * 22
    }
    for operation in (
        "GET /staff/{username}",
        "POST /staff/{username}/disablement",
        "PUT /staff/{username}/nip",
        "PUT /staff/{username}/password",
        "DELETE /staff/{username}/slow-down",
        "GET /calendar/versions/{version}",
        "DELETE /calendar/days/{day}",
        "GET /entries/{ticket}",
        "POST /entries/{ticket}/code",
        "GET /uploads/{id}",
        "PATCH /uploads/{id}",
        "DELETE /uploads/{id}",
    ):
        check_missing(everybody, operation, missing, form_for(people, everybody["admin"].account, operation))


def test_who_may_not_act_learns_neither_of_the_complaint_nor_of_their_input(
    people: People, everybody: dict[str, Person]
) -> None:
    ticket = people.submit(everybody["owner"])
    for operation, form in (JOURNEY | CLAIMS | dict.fromkeys(READING)).items():
        method, path = operation.split(" ")
        for who in (who for who, said in zip(WHO, TABLE[operation], strict=True) if said in ("401", "403")):
            answers = {
                everybody[who].ask(method, path.format(ticket=which, format="pdf", number="1"), json=sent).text
                for which in (ticket, new_ticket(2026), "x")
                for sent in (form, {"x": "y"})
            }
            assert len(answers) == 1, (operation, who)
            assert "errors" not in answers.pop()
