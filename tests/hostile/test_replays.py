"""Calls and access tokens read at the broker are of no use afterwards.

Calls wait in quorum queues, and stay on the broker's disk after they were answered.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kombu import Connection
from sqlalchemy import or_, select

from gateway.backend import AT_EVERY_STAGE, FOR_ANYBODY
from nkk.contracts import STAGES
from nkk.messaging.boxes import Question
from nkk.messaging.calls import EXCHANGE
from tests.builders import entry_form
from tests.databases import engine, everything_in, tables
from tests.e2e.test_passwords import codes, owner_of
from tests.hostile.test_messages import waiting
from tests.hostile.test_pages import visitor
from tests.installations import Installation, eventually
from tests.intake import CALLS as BOXED
from tests.people import PASSWORD, People, Person, travel_as_complaint
from tests.stages import methods
from tests.taps import Tap, body_of, tapping

NEW = "sandi-yang-baru-42"
TRIES, SOON = 3, timedelta(minutes=1)
ACTOR = "nameko.actor"


@dataclass
class Taken:
    """A call as it was read at the broker."""

    key: str
    body: bytes
    headers: dict[str, Any]
    reply_to: str
    correlation_id: str

    @property
    def stage(self) -> str:
        return self.key.partition(".")[0]

    @property
    def method(self) -> str:
        return self.key.partition(".")[2]


@contextmanager
def at_the_broker(whole: Installation, *reply_addresses: str) -> Iterator[tuple[Connection, Tap]]:
    """Yield a connection with all permissions, and a tap on the replies to `reply_addresses`."""
    with (
        tapping(whole.uri, *((EXCHANGE, address) for address in reply_addresses)) as answers,
        Connection(whole.uri) as connection,
    ):
        yield connection, answers


def send(connection: Connection, call: Taken, reply_to: str, **changed: Any) -> None:
    """Publish a call again, with some parts `changed`."""
    sent = {"key": call.key, "headers": call.headers, "correlation_id": str(uuid.uuid4()), **changed}
    connection.default_channel.basic_publish(
        connection.default_channel.prepare_message(
            call.body,
            content_type="application/json",
            content_encoding="utf-8",
            headers=sent["headers"],
            properties={"reply_to": reply_to, "correlation_id": sent["correlation_id"]},
        ),
        EXCHANGE,
        sent["key"],
    )


def code_in_letter(people: People, account: str) -> str | None:
    """Return the valid code for a new password from the letters to an address, or None."""
    return next((code for code in codes(people.installation, account) if owner_of(people, code)), None)


def everything_is_asked(people: People) -> None:
    """Make each of intake's sealed calls, over HTTP."""
    reporter = people.reporter(email=f"{uuid.uuid4().hex}@example.id")
    assert reporter.account
    assert reporter.session
    account = reporter.account
    people.anyone.post("/sessions/current/renewal", {"refresh_token": reporter.session["refresh_token"]})
    reporter.get("/reporters/me/contact")
    contact = {"email": f"{uuid.uuid4().hex}@example.id", "password": account["password"]}
    for method, path, form in (
        ("PUT", "/reporters/me/contact", contact),
        ("PUT", "/sessions/current/password", {"password": account["password"], "new_password": NEW}),
    ):
        assert reporter.ask(method, path, form).status_code == 204
    people.anyone.post("/password-resets", {"username": account["username"]}, expect=202)
    code = eventually(lambda: code_in_letter(people, contact["email"]))
    assert (
        people.anyone.ask("POST", "/password-resets/completion", {"token": code, "password": PASSWORD}).status_code
        == 204
    )
    staff = {"username": f"petugas-{uuid.uuid4().hex[:8]}", "password": PASSWORD}
    people.admin.post("/staff", staff | {"name": "Petugas", "role": "operator"}, expect=201)
    people.admin.get(f"/staff/{staff['username']}")
    assert people.admin.ask("PUT", f"/staff/{staff['username']}/password", {"password": NEW}).status_code == 200
    assert people.admin.ask("PUT", f"/staff/{staff['username']}/nip", {"nip": "198503122010011003"}).status_code == 200
    assert people.admin.ask("DELETE", f"/staff/{staff['username']}/slow-down").status_code in (200, 204)
    people.admin.post(f"/staff/{staff['username']}/disablement")
    code = people.website().post("/entries", entry_form(), expect=201)["access_code"]
    chosen = {"access_code": code, "username": f"warga-{uuid.uuid4().hex[:8]}", "password": PASSWORD}
    people.anyone.post("/reporters/from-code", chosen, expect=201)
    entered = people.operator.post("/entries", entry_form(channel="counter"), expect=201)["ticket"]
    renewed = people.operator.post(f"/entries/{entered}/code", expect=201)["access_code"]
    receipt = people.operator.ask("POST", f"/entries/{entered}/receipt.pdf", {"access_code": renewed})
    assert receipt.status_code == 200
    people.operator.act(f"/complaints/{entered}/handover")
    aside = {"reason": "Kerabat.", "account": staff["username"]}
    eventually(lambda: people.main_team.ask("POST", f"/complaints/{entered}/recusals", aside).status_code == 200)
    for act in ("add_website", "rotate_website", "remove_website"):
        people.keep_website(act, staff["username"].replace("petugas", "situs"))
    browser = visitor(people, account["username"], PASSWORD)
    assert account["username"] in browser.get("/akun").text
    browser.close()
    ticket = travel_as_complaint(people, people.log_in(account["username"], PASSWORD))
    shown = people.operator.post(f"/complaints/{ticket}/identity")
    assert shown["name"] == account["name"]
    for path in ("/categories", "/figures", "/complaints", f"/complaints/{ticket}/timeline"):
        people.log_in(account["username"], PASSWORD).get(path)


@pytest.fixture(scope="module")
def taken(whole: Installation, people: People) -> list[Taken]:
    """Return every call that crossed the broker meanwhile."""
    # A gateway that has just started has no lists or figures cached, and so calls for them too.
    whole.take_down("gateway")
    whole.bring_up("gateway")
    whole.wait_until_ready()
    with tapping(whole.uri, *((EXCHANGE, f"{stage}.*") for stage in STAGES)) as tap:
        everything_is_asked(people)
    calls = [
        Taken(
            message.delivery_info["routing_key"],
            body_of(message),
            message.headers,
            message.properties["reply_to"],
            message.properties["correlation_id"],
        )
        for message in tap.messages
    ]
    assert set(BOXED) <= {call.method for call in calls if call.stage == "intake"}
    return calls


def in_boxes(taken: list[Taken]) -> list[Taken]:
    return [call for call in taken if call.stage == "intake" and call.method in BOXED]


LOOKED_AT_AGAIN = ("messages.tries", "messages.next_try_at")
"""The columns that change with each retry of a letter to somebody whose address never arrives."""


def settled(whole: Installation) -> dict[str, str]:
    """Return the content of all databases once nothing is pending. The AssertionError names what still is."""

    def found() -> dict[str, str]:
        inboxes = [f"{stage}.inbox" for stage in STAGES]
        moving = [inbox for inbox in inboxes if waiting(whole, inbox)] + unsent(whole)
        assert not moving, moving
        held = _held(whole)
        assert held == _held(whole), "something is written"
        return held

    return eventually(found, patience=90)


def _held(whole: Installation) -> dict[str, str]:
    return {stage: everything_in(whole, stage, but=LOOKED_AT_AGAIN) for stage in STAGES}


def unsent(whole: Installation) -> list[str]:
    """Return the events, reset requests and letters that are about to be sent.

    Left out are letters that were tried in vain, since their address may never arrive, those about a complaint whose
    submission never came, and those that wait for the offices to open.
    """
    found = []
    for stage in STAGES:
        there = tables(whole, stage).tables
        with engine(whole, stage).connect() as connection:
            outbox = there["outbox"]
            leaving = {f"outbox of {stage}": select(outbox.c.type, outbox.c.id).where(outbox.c.sent_at.is_(None))}
            if stage == "intake":
                leaving["reset request"] = select(there["reset_requests"].c.id)
            if stage == "notification":
                letters, journeys = there["messages"], there["journeys"]
                begun = select(journeys.c.ticket).where(
                    or_(journeys.c.sealed_reporter.is_not(None), journeys.c.reporter_id.is_not(None))
                )
                leaving["letter"] = select(letters.c.kind, letters.c.tries, letters.c.next_try_at).where(
                    letters.c.sent_at.is_(None),
                    letters.c.given_up_at.is_(None),
                    or_(letters.c.ticket.is_(None), letters.c.ticket.in_(begun)),
                    letters.c.tries < TRIES,
                    letters.c.next_try_at < datetime.now(UTC) + SOON,
                )
            found += [f"{name}: {row}" for name, query in leaving.items() for row in connection.execute(query)]
    return found


def answered(answers: Tap, count: int) -> list[dict[str, Any]]:
    """Wait for `count` answers, and return them."""
    eventually(lambda: len(answers.messages) == count)
    return [json.loads(body_of(message)) for message in answers.messages]


def refused(answers: list[dict[str, Any]]) -> bool:
    """Return whether all of them are refusals without a result."""
    return {(answer["result"], answer["error"]["exc_type"]) for answer in answers} == {(None, "Unavailable")}


def test_no_call_that_came_in_a_box_is_carried_out_again(
    whole: Installation, people: People, taken: list[Taken]
) -> None:
    """It is sent to its own and to another reply address, to another method, and with an admin's token."""
    boxes, before = in_boxes(taken), settled(whole)
    admins = next(call.headers[ACTOR] for call in boxes if call.method == "add_staff")
    sent, mine = 0, str(uuid.uuid4())
    with at_the_broker(whole, mine, *{call.reply_to for call in boxes}) as (connection, answers):
        for number, call in enumerate(boxes):
            send(connection, call, call.reply_to, correlation_id=call.correlation_id)
            send(connection, call, mine)
            if ACTOR in call.headers:
                send(connection, call, mine, headers=call.headers | {ACTOR: admins})
            others = [other for other in boxes if (ACTOR in other.headers) == (ACTOR in call.headers)]
            other = others[number % len(others)]
            send(connection, call, mine, key=other.key, headers=other.headers)
            sent += 4 if ACTOR in call.headers else 3
        found = answered(answers, sent)
    in_an_admins_name, of_a_session_ended_since = {"NotYourRole"}, {"NotAuthenticated"}
    assert {answer["result"] for answer in found} == {None}
    assert {answer["error"]["exc_type"] for answer in found} <= (
        {"Unavailable"} | in_an_admins_name | of_a_session_ended_since
    )
    assert settled(whole) == before


def test_a_box_that_many_publish_at_once_is_carried_out_once(whole: Installation, people: People) -> None:
    """Two instances of intake consume the copies."""
    reporter = people.reporter()
    assert reporter.account
    form = {"username": reporter.account["username"], "password": PASSWORD}
    question = Question("log_in", form, whole.stack.keys["NKK_INTAKE_PUBLIC_KEY"])
    call = Taken("intake.log_in", json.dumps({"args": [question.box], "kwargs": {}}).encode(), {}, "", "")
    mine = str(uuid.uuid4())
    with at_the_broker(whole, mine) as (connection, answers):
        for _ in range(20):
            send(connection, call, mine)
        found = answered(answers, 20)
    opened = [answer["result"] for answer in found if answer["error"] is None]
    assert len(opened) == 1
    assert question.answer(opened[0])["role"] == "reporter"
    assert refused([answer for answer in found if answer["error"]])


def test_with_a_token_taken_there_no_box_of_ones_own_is_opened(
    whole: Installation, people: People, taken: list[Taken]
) -> None:
    before, asked, mine = settled(whole), 0, str(uuid.uuid4())
    with at_the_broker(whole, mine) as (connection, answers):
        for call in in_boxes(taken):
            if ACTOR in call.headers:
                content = BOXED[call.method][1]
                question = Question(call.method, content, whole.stack.keys["NKK_INTAKE_PUBLIC_KEY"], "a" * 64)
                body = json.dumps({"args": [question.box], "kwargs": {}}).encode()
                send(connection, Taken(call.key, body, call.headers, "", ""), mine)
                asked += 1
        assert refused(answered(answers, asked))
    assert settled(whole) == before


def test_no_token_taken_there_opens_a_door(people: People, taken: list[Taken]) -> None:
    tokens = {call.headers[ACTOR] for call in taken if ACTOR in call.headers}
    assert len(tokens) > 4
    for token in tokens:
        for shown in (token, f"{token}.", f"{token}.{'a' * 43}"):
            assert Person(people.http, shown).ask("GET", "/figures").status_code == 200
            assert Person(people.http, shown).ask("DELETE", "/sessions/current").status_code == 401
            page = people.http.get("/akun", headers={"Cookie": f"nkk_access={shown}"}, follow_redirects=False)
            assert page.status_code == 303


def test_a_token_goes_where_somebody_must_be_logged_in_and_nowhere_else(taken: list[Taken]) -> None:
    asked = {stage: methods(stage) for stage in STAGES}
    for call in taken:
        assert (ACTOR in call.headers) == asked[call.stage][call.method], call.key
    for stage, names in FOR_ANYBODY.items():
        # The gateway asks what is attached by itself, and nobody's request has it ask.
        if not (names := names - {"attached", "attached_after"}):
            continue
        assert names & {call.method for call in taken if call.stage == stage} - AT_EVERY_STAGE


def test_the_secret_of_a_token_comes_no_further_than_the_door(whole: Installation, people: People) -> None:
    """It reaches neither a stage nor a log; refresh tokens reach intake in sealed boxes only."""
    with tapping(whole.uri, (EXCHANGE, "#"), *((f"{stage}.events", "#") for stage in STAGES)) as tap:
        reporter = people.reporter()
        people.submit(reporter)
        for person in (reporter, people.operator):
            assert person.session
            person.ask("GET", "/reporters/me/contact")
            people.anyone.post("/sessions/current/renewal", {"refresh_token": person.session["refresh_token"]})
    heard = tap.listen()
    assert "eyJ" in heard
    held = "".join(everything_in(whole, stage) for stage in STAGES)
    for person in (reporter, people.operator):
        assert person.session
        secret = person.session["access_token"].rpartition(".")[2]
        renewal = person.session["refresh_token"].partition(".")[0]
        for place in (heard, held, whole.logs()):
            assert secret not in place
            assert renewal not in place
