"""Letters to a real SMTP server that accepts, defers or rejects them or is down, with and without log-in and TLS."""

import ssl
import uuid
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from time import sleep

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from nkk.messaging.host import Killed
from nkk.store.database import Database, Inserts
from nkk.trust.sealing import new_key_pair, seal
from ops.stack.ports import LOOPBACK, free_port
from services.notification import leaving, mail
from services.notification.composing import compose
from services.notification.keyed import Keyed
from services.notification.postboxes import Pace
from services.notification.storage import Contacts, Messages, journeys, messages, metadata
from tests.builders import TICKET
from tests.certificates import own_certificate
from tests.effort import DATABASES
from tests.letters import sender_of, server_at

KEYS = new_key_pair()
KEYED = Keyed(KEYS[0])
NOW = datetime.now(UTC)
SENDER = sender_of("nkk@example.id")
WORDS = {"ticket": TICKET, "site": "https://nkk.example.id"}


class Postbox:
    """An SMTP handler that keeps the letters it accepted; `answers` are its answers to the next ones."""

    def __init__(self) -> None:
        self.taken: list = []
        self.answers: list[str] = []
        self.knows_nobody_called: tuple[str, ...] = ()
        self.callers: set = set()

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if address.startswith(self.knows_nobody_called):
            return f"550 5.1.1 <{address}>: no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        self.callers.add(session.peer)
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            self.taken.append(envelope)
        return answer


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
def server(postbox: Postbox) -> Iterator[Controller]:
    controller = Controller(postbox, hostname=LOOPBACK, port=free_port())
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/notification.db"
    if request.param == "postgres":
        postgres = request.getfixturevalue("postgres")
        name = f"mail_{uuid.uuid4().hex[:8]}"
        postgres.create(name)
        url = postgres.url(name)
    found = Database(url, size=5)
    metadata.create_all(found.engine)
    yield found
    found.dispose()


def write(database: Database, *addresses: str) -> None:
    with database.writing() as connection:
        for number, address in enumerate(addresses):
            ticket, reporter = f"{TICKET}{number}", f"r{number}"
            connection.execute(
                insert(journeys).values(
                    ticket=ticket, service_due_at=NOW, sealed_reporter=KEYED.seal_reporter(ticket, reporter)
                )
            )
            Contacts(connection).keep(KEYED.reporter(reporter), seal({"email": address}, KEYS[1]), NOW)
            connection.execute(
                insert(messages).values(
                    id=f"m{number}",
                    ticket=f"{TICKET}{number}",
                    kind="received",
                    created_at=NOW,
                    next_try_at=NOW,
                    tries=0,
                )
            )


def mailer(url: str) -> mail.Mailer:
    sending = mail.Mailer()
    sending._key, sending._keyed, sending._pace = KEYS[0], KEYED, Pace(KEYED, 12)
    sending._site, sending._from = "https://nkk.example.id", SENDER
    sending._sender = partial(leaving.sender, server_at(url), Path("unused"))
    return sending


def state(database: Database) -> list:
    with database.reading() as connection:
        return connection.execute(select(messages).order_by(messages.c.id)).all()


def test_letters_are_delivered_once_each(database, server, postbox):
    write(database, "satu@example.org", "dua@example.org")
    sending = mailer(f"smtp://{LOOPBACK}:{server.port}")
    assert [sending.send_batch(database), sending.send_batch(database)] == [2, 0]
    assert [envelope.rcpt_tos for envelope in postbox.taken] == [["satu@example.org"], ["dua@example.org"]]
    assert f"Message-ID: <{KEYED.message_id('m0')}@nkk.example.id>".encode() in postbox.taken[0].original_content
    assert all(row.sent_at for row in state(database))


def test_who_reported_by_a_website_is_told_where_the_access_code_opens_an_account(database, server, postbox):
    write(database, "satu@example.org", "dua@example.org")
    with database.writing() as connection:
        connection.execute(update(journeys).where(journeys.c.ticket == f"{TICKET}0").values(website="situs"))
    assert mailer(f"smtp://{LOOPBACK}:{server.port}").send_batch(database) == 2
    told = {sent.rcpt_tos[0]: b"https://nkk.example.id/akun/kode" in sent.original_content for sent in postbox.taken}
    assert told == {"satu@example.org": True, "dua@example.org": False}


def test_a_letter_is_due_at_once_though_the_clock_of_who_told_of_it_is_ahead(database):
    with database.writing() as connection:
        inserts = Inserts(connection)
        Messages(connection, inserts, NOW).add("m1", TICKET, "received", NOW + timedelta(days=2))
        inserts.flush()
    assert state(database)[0].next_try_at == NOW


def test_the_letters_of_a_batch_go_over_one_connection(database, server, postbox):
    write(database, *(f"orang-{number}@example.org" for number in range(5)))
    sending = mailer(f"smtp://{LOOPBACK}:{server.port}")
    assert sending.send_batch(database) == 5
    assert (len(postbox.taken), len(postbox.callers)) == (5, 1)


@pytest.mark.parametrize("answer", ["421 enough for now", "451 busy", "550 too many letters"])
def test_what_a_connection_refuses_after_other_letters_is_sent_over_a_new_one(database, server, postbox, answer):
    write(database, "satu@example.org", "dua@example.org", "tiga@example.org")
    postbox.answers = ["250 OK", answer]
    mailer(f"smtp://{LOOPBACK}:{server.port}").send_batch(database)
    assert [envelope.rcpt_tos for envelope in postbox.taken] == [
        ["satu@example.org"],
        ["dua@example.org"],
        ["tiga@example.org"],
    ]
    assert len(postbox.callers) == 2
    assert all(row.sent_at for row in state(database))


def test_a_server_that_is_away_is_not_waited_for_by_each_letter(database, monkeypatch):
    write(database, "satu@example.org", "dua@example.org")
    tried = []

    def time_out(*_, **__):
        tried.append("connect")
        raise TimeoutError

    monkeypatch.setattr(leaving, "Conversation", time_out)
    mailer("smtp://mail.example.id").send_batch(database)
    assert (len(tried), [row.tries for row in state(database)]) == (1, [1, 1])


def test_a_letter_that_could_not_be_marked_as_sent_is_not_sent(server, postbox, tmp_path):
    database = Database(f"sqlite:///{tmp_path}/full.db", size=5)
    metadata.create_all(database.engine)
    write(database, "satu@example.org")
    with database.writing() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE UPDATE ON messages BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
    sending = mailer(f"smtp://{LOOPBACK}:{server.port}")
    for _ in range(3):
        with pytest.raises(SQLAlchemyError):
            sending.send_batch(database)
    assert postbox.taken == []
    with database.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    sending.send_batch(database)
    assert len(postbox.taken) == 1
    database.dispose()


def test_a_letter_refused_for_now_is_tried_again_later(database, server, postbox):
    write(database, "satu@example.org")
    postbox.answers = ["451 busy"]
    sending = mailer(f"smtp://{LOOPBACK}:{server.port}")
    sending.send_batch(database)
    row = state(database)[0]
    assert (row.sent_at, row.given_up_at, row.tries) == (None, None, 1)
    assert row.next_try_at > datetime.now(UTC)
    with database.writing() as connection:
        connection.execute(update(messages).values(next_try_at=NOW - timedelta(seconds=1)))
    sending.send_batch(database)
    assert len(postbox.taken) == 1
    assert state(database)[0].sent_at


def test_a_letter_to_nobody_is_given_up_and_the_next_one_goes(database, server, postbox):
    write(database, "tidak-ada@example.org", "ada@example.org")
    postbox.knows_nobody_called = ("tidak-ada",)
    mailer(f"smtp://{LOOPBACK}:{server.port}").send_batch(database)
    assert [envelope.rcpt_tos for envelope in postbox.taken] == [["ada@example.org"]]
    refused, sent = state(database)
    assert (bool(refused.given_up_at), bool(refused.sent_at), bool(sent.sent_at)) == (True, False, True)
    assert refused.why == "RCPT 550 5.1.1"


@pytest.mark.parametrize("answer", ["554 5.7.1 looks like spam", "552 5.2.2 mailbox full", "550 no", "553 5.1.1 what"])
def test_what_is_refused_once_the_recipient_was_taken_is_tried_again(database, server, postbox, answer):
    write(database, "satu@example.org")
    postbox.answers = [answer]
    sending = mailer(f"smtp://{LOOPBACK}:{server.port}")
    sending.send_batch(database)
    row = state(database)[0]
    assert (row.given_up_at, row.why.startswith(f"DATA {answer[:3]}")) == (None, True)
    with database.writing() as connection:
        connection.execute(update(messages).values(next_try_at=NOW - timedelta(seconds=1)))
    sending.send_batch(database)
    assert len(postbox.taken) == 1


# -- letters that were given up


def given_up(database, server, postbox) -> mail.Mailer:
    """Let a letter about an answered complaint be given up; return the mailer."""
    write(database, "ada@example.org")
    with database.writing() as connection:
        connection.execute(update(messages).values(kind="answered"))
        connection.execute(update(journeys).values(answered_at=NOW))
    postbox.knows_nobody_called = ("ada",)
    sending = mailer(f"smtp://{LOOPBACK}:{server.port}")
    sending.send_batch(database)
    assert state(database)[0].given_up_at
    return sending


def test_a_letter_that_is_tried_again_is_sent_once_however_often_that_is_asked_for(database, server, postbox):
    sending = given_up(database, server, postbox)
    postbox.knows_nobody_called = ()
    for expected in ([["m0"], ["m0"]], [[], []]):
        with database.writing() as connection:
            assert [Messages(connection).retry(["m0", "unknown"], NOW) for _ in range(2)] == expected
        sending.send_batch(database)
    assert [envelope.rcpt_tos for envelope in postbox.taken] == [["ada@example.org"]]
    with database.reading() as connection:
        assert Messages(connection).counts() == (0, 0)


def test_every_letter_that_was_given_up_can_be_tried_again_for_five_days_more(database, server, postbox):
    sending = given_up(database, server, postbox)
    with database.writing() as connection:
        connection.execute(update(messages).values(tried_since=NOW - timedelta(days=6)))
        assert Messages(connection).retry_given_up(NOW - timedelta(days=1), NOW) == []
        assert Messages(connection).retry_given_up(datetime.now(UTC), NOW) == ["m0"]
    postbox.knows_nobody_called = ()
    postbox.answers = ["451 busy"] * 2
    sending.send_batch(database)
    row = state(database)[0]
    assert (row.tries, row.given_up_at) == (1, None)


def test_what_was_not_kept_is_not_tried_again(database):
    with database.writing() as connection:
        connection.execute(
            insert(messages).values(
                id="m0", kind="password_reset", created_at=NOW, next_try_at=NOW, tries=1, given_up_at=NOW
            )
        )
        assert Messages(connection).retry(["m0"], NOW) == []


def test_what_is_dropped_is_neither_tried_nor_counted_and_what_was_sent_stays(database, server, postbox):
    given_up(database, server, postbox)
    with database.writing() as connection:
        connection.execute(
            insert(messages).values(
                id="m1", ticket=TICKET, kind="received", created_at=NOW, next_try_at=NOW, tries=0, sent_at=NOW
            )
        )
        assert Messages(connection).drop_unsent(["m0", "m1"], NOW) == {"m0": f"{TICKET}0"}
    assert [row.id for row in state(database)] == ["m1"]
    with database.reading() as connection:
        assert Messages(connection).counts() == (0, 0)


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_while_it_is_being_looked_at_a_letter_is_neither_tried_again_nor_dropped(database):
    write(database, "satu@example.org")
    with database.writing() as sending, database.writing() as other:
        assert len(Messages(sending).due(datetime.now(UTC), 5)) == 1
        assert Messages(other).retry(["m0"], NOW) == []
        assert Messages(other).drop_unsent(["m0"], NOW) == {}
        assert Messages(other).why_left(["m0"]) == {"m0": "being_sent"}


def sent_by(act) -> mail.Mailer:
    """Return a mailer that calls `act` instead of a mail server."""
    sending = mailer("smtp://mail.example.id")
    sending._sender = partial(nullcontext, act)
    return sending


def test_while_it_is_being_sent_a_letter_is_neither_tried_again_nor_dropped_nor_sent_by_another(database):
    write(database, "satu@example.org", "dua@example.org")
    done = []

    def asked_about(_letter):
        now = datetime.now(UTC)
        with database.writing() as other:
            letters, both = Messages(other), ["m0", "m1"]
            done.append([*letters.retry(both, now), *letters.drop_unsent(both, now)])
        done.append(sent_by(None).send_batch(database))

    sent_by(asked_about).send_batch(database)
    assert done == [[], 0] * 2
    assert all(row.sent_at for row in state(database))


def test_what_is_being_sent_is_held_for_as_long_as_it_is_and_free_once_whoever_sent_it_died(database):
    write(database, "satu@example.org", "dua@example.org")
    soon, later = (datetime.now(UTC) + timedelta(seconds=seconds) for seconds in (30, 60))
    with database.writing() as connection:
        letters = Messages(connection)
        letters.begin(["m0", "m1"], soon)
        letters.sent(["m1"], NOW)
        letters.hold(["m0", "m1"], later)
        assert (letters.due(later - timedelta(seconds=1), 5), letters.drop_unsent(["m0"], soon)) == ([], {})
        assert [row.id for row in letters.due(later, 5)] == ["m0"]
        assert set(letters.drop_unsent(["m0", "m1"], later)) == {"m0"}


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_no_transaction_stays_open_while_a_mail_server_is_waited_for(database):
    write(database, "satu@example.org")
    found = []

    def look(_letter):
        with database.reading() as connection:
            found.extend(
                connection.execute(
                    text(
                        "SELECT state FROM pg_stat_activity WHERE datname = current_database() "
                        "AND pid <> pg_backend_pid() "
                        "AND xact_start IS NOT NULL"
                    )
                ).scalars()
            )

    sent_by(look).send_batch(database)
    assert (found, bool(state(database)[0].sent_at)) == ([], True)


def test_a_mailer_that_is_to_stop_sends_the_letter_it_is_at_and_leaves_the_others_as_they_were(database):
    write(database, "satu@example.org", "dua@example.org", "tiga@example.org")
    before, went = state(database), []

    def stop(letter):
        went.append(letter.recipient)
        sending._stopping = True

    sending = sent_by(stop)
    sending.send_batch(database)
    first, *others = state(database)
    assert (went, bool(first.sent_at)) == (["satu@example.org"], True)
    assert others == before[1:]


def test_a_mailer_that_is_killed_marks_what_went_and_leaves_the_letter_it_is_at_to_be_sent_again(database):
    write(database, "satu@example.org", "dua@example.org", "tiga@example.org")
    before, went = state(database), []

    def be_killed(letter):
        if went:
            raise Killed
        went.append(letter.recipient)

    with pytest.raises(Killed):
        sent_by(be_killed).send_batch(database)
    first, second, third = state(database)
    assert (bool(first.sent_at), second.sent_at, third) == (True, None, before[2])
    assert second.next_try_at == second.sending_until > datetime.now(UTC)


def test_letters_that_take_long_are_marked_before_the_next_is_begun(database, monkeypatch):
    monkeypatch.setattr(mail, "BATCH_SECONDS", 0.001)
    write(database, "satu@example.org", "dua@example.org")
    sending = sent_by(lambda _letter: sleep(0.002))
    marked = []
    for _ in range(50):
        sending.send_batch(database)
        marked.append([bool(row.sent_at) for row in state(database)])
        if all(marked[-1]):
            break
    # A batch whose time is over before it has begun a letter sends none.
    assert [both for both, _ in groupby(marked) if any(both)] == [[True, False], [True, True]]


def test_undelivered_are_letters_to_reporters_of_complaints_that_are_not_closed(database, server, postbox):
    given_up(database, server, postbox)
    with database.writing() as connection:
        connection.execute(
            insert(messages).values(
                id="m1",
                ticket=f"{TICKET}0",
                kind="overdue",
                team="operator",
                created_at=NOW,
                next_try_at=NOW,
                tries=1,
                given_up_at=NOW,
            )
        )
        for ticket, expected in ((None, ["m0"]), (f"{TICKET}0", ["m0"]), (TICKET, [])):
            assert [row.id for row in Messages(connection).undelivered(ticket)[0]] == expected
        connection.execute(update(journeys).values(closed_at=NOW))
        assert Messages(connection).undelivered() == ([], None)


def test_that_a_report_was_closed_is_named_for_two_weeks_where_the_letter_did_not_arrive(database, server, postbox):
    given_up(database, server, postbox)
    with database.writing() as connection:
        connection.execute(update(journeys).values(closed_at=NOW))
        connection.execute(update(messages).values(kind="abandoned"))
        (given_up_at,) = connection.execute(select(messages.c.given_up_at).where(messages.c.id == "m0")).one()
        for days, listed in ((13, ["m0"]), (15, [])):
            found, _ = Messages(connection, now=given_up_at + timedelta(days=days)).undelivered()
            assert [row.id for row in found] == listed


def test_letters_are_listed_a_page_at_a_time_those_given_up_apart(database, server, postbox, monkeypatch):
    given_up(database, server, postbox)
    monkeypatch.setattr("services.notification.storage.letter_rows.MAX_LIMIT", 2)
    with database.writing() as connection:
        for number in range(1, 4):
            connection.execute(
                insert(messages).values(
                    id=f"m{number}", ticket=TICKET, kind="received", created_at=NOW, next_try_at=NOW, tries=0
                )
            )
        first, cursor = Messages(connection).listed(False, None)
        second, last = Messages(connection).listed(False, cursor)
        assert ([row.id for row in first + second], last) == (["m1", "m2", "m3"], None)
        assert [row.id for row in Messages(connection).listed(True, None)[0]] == ["m0"]


def test_a_server_that_is_away_costs_a_try_and_nothing_else(database):
    write(database, "satu@example.org")
    mailer(f"smtp://{LOOPBACK}:{free_port()}").send_batch(database)
    row = state(database)[0]
    assert (row.tries, row.sent_at, row.given_up_at) == (1, None, None)


def test_a_letter_is_tried_for_five_days_and_given_up_then(database):
    write(database, "satu@example.org")
    sending = mailer(f"smtp://{LOOPBACK}:{free_port()}")
    for age in (timedelta(days=4), timedelta(days=5, minutes=1)):
        assert state(database)[0].given_up_at is None
        with database.writing() as connection:
            connection.execute(update(messages).values(tried_since=NOW - age, next_try_at=NOW - timedelta(seconds=1)))
        sending.send_batch(database)
    assert state(database)[0].given_up_at
    with database.reading() as connection:
        assert Messages(connection).counts() == (0, 1)
    assert sending.send_batch(database) == 0


def test_a_reporter_who_cannot_be_reached_yet_is_written_to_once_they_can(database, server, postbox):
    write(database, "satu@example.org")
    with database.writing() as connection:
        box = connection.execute(select(journeys.c.sealed_reporter)).scalar_one()
        connection.execute(update(journeys).values(sealed_reporter=None))
    sending = mailer(f"smtp://{LOOPBACK}:{server.port}")
    assert sending.send_batch(database) == 0
    with database.writing() as connection:
        connection.execute(update(journeys).values(sealed_reporter=box))
    assert sending.send_batch(database) == 1


def test_a_server_that_asks_for_a_log_in_is_given_the_one_of_the_url(postbox):
    given = []

    def check(server, session, envelope, mechanism, data):
        given.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss/word")

    controller = Controller(postbox, hostname=LOOPBACK, port=free_port(), authenticator=check, auth_require_tls=False)
    controller.start()
    try:
        where = server_at(f"smtp://nkk:p%40ss%2Fword@{LOOPBACK}:{controller.port}")
        with leaving.sender(where, Path("unused")) as send:
            send(compose("answered", "satu@example.org", "m1", SENDER, WORDS, NOW))
    finally:
        controller.stop()
    assert (given, len(postbox.taken)) == ([(b"nkk", b"p@ss/word")], 1)


def test_a_server_whose_certificate_nobody_vouches_for_gets_no_letter(postbox, tmp_path):
    certificate, key = own_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    controller = Controller(postbox, hostname=LOOPBACK, port=free_port(), tls_context=context)
    controller.start()
    try:
        with (
            leaving.sender(server_at(f"smtp://{LOOPBACK}:{controller.port}?starttls=1"), Path("unused")) as send,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            send(compose("answered", "satu@example.org", "m1", SENDER, WORDS, NOW))
    finally:
        controller.stop()
    assert postbox.taken == []
