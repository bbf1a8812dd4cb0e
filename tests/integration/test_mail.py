"""Letters to a real SMTP server: taken, refused for now, refused for good, absent; with and without log-in and TLS."""

import ssl
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from sqlalchemy import insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from nkk.messaging.database import Database, Inserts
from nkk.messaging.sealing import new_key_pair, seal
from nkk.stack.ports import LOOPBACK, free_port
from services.notification import mail
from services.notification.keyed import Keyed
from services.notification.storage import Contacts, Messages, journeys, messages, metadata
from tests.builders import TICKET

KEYS = new_key_pair()
KEYED = Keyed(KEYS[0])
NOW = datetime.now(UTC)
WORDS = {"ticket": TICKET, "site": "https://nkk.example.id"}


class Postbox:
    """What the server took, and how it answers the next letters."""

    def __init__(self) -> None:
        self.taken: list = []
        self.answers: list[str] = []
        self.callers: set = set()

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


@pytest.fixture(params=["sqlite", "postgres"])
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
            connection.execute(insert(journeys).values(
                ticket=ticket, service_due_at=NOW, sealed_reporter=KEYED.seal_reporter(ticket, reporter)))
            Contacts(connection).keep(KEYED.reporter(reporter), seal({"email": address}, KEYS[1]), NOW)
            connection.execute(insert(messages).values(id=f"m{number}", ticket=f"{TICKET}{number}", kind="received",
                                                       created_at=NOW, next_try_at=NOW, tries=0))


def mailer(url: str) -> mail.Mailer:
    sending = mail.Mailer()
    sending._key, sending._keyed = KEYS[0], KEYED
    sending._site, sending._from = "https://nkk.example.id", "nkk@example.id"
    sending._sender = partial(mail.sender, url, mail.Path("unused"))
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


def test_a_letter_is_due_at_once_though_the_clock_of_who_told_of_it_is_ahead(database):
    with database.writing() as connection:
        inserts = Inserts(connection)
        Messages(connection, inserts).add("m1", TICKET, "received", datetime.now(UTC) + timedelta(days=2))
        inserts.flush()
    assert state(database)[0].next_try_at <= datetime.now(UTC)


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
        ["satu@example.org"], ["dua@example.org"], ["tiga@example.org"]]
    assert len(postbox.callers) == 2
    assert all(row.sent_at for row in state(database))


def test_a_server_that_is_away_is_not_waited_for_by_each_letter(database, monkeypatch):
    write(database, "satu@example.org", "dua@example.org")
    tried = []

    def time_out(*_, **__):
        tried.append("connect")
        raise TimeoutError

    monkeypatch.setattr(mail.smtplib, "SMTP", time_out)
    mailer("smtp://mail.example.id").send_batch(database)
    assert (len(tried), [row.tries for row in state(database)]) == (1, [1, 1])


def test_a_letter_that_could_not_be_marked_as_sent_is_not_sent(server, postbox, tmp_path):
    database = Database(f"sqlite:///{tmp_path}/full.db", size=5)
    metadata.create_all(database.engine)
    write(database, "satu@example.org")
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TRIGGER full BEFORE UPDATE ON messages "
                                   "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END")
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


def test_a_letter_refused_for_good_is_given_up_and_the_next_one_goes(database, server, postbox):
    write(database, "tidak-ada@example.org", "ada@example.org")
    postbox.answers = ["550 no such mailbox"]
    mailer(f"smtp://{LOOPBACK}:{server.port}").send_batch(database)
    assert [envelope.rcpt_tos for envelope in postbox.taken] == [["ada@example.org"]]
    refused, sent = state(database)
    assert (bool(refused.given_up_at), bool(refused.sent_at), bool(sent.sent_at)) == (True, False, True)


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
            connection.execute(update(messages).values(created_at=NOW - age, next_try_at=NOW - timedelta(seconds=1)))
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

    controller = Controller(postbox, hostname=LOOPBACK, port=free_port(), authenticator=check,
                            auth_require_tls=False)
    controller.start()
    try:
        with mail.sender(f"smtp://nkk:p%40ss%2Fword@{LOOPBACK}:{controller.port}", mail.Path("unused")) as send:
            send(mail.compose("answered", "satu@example.org", "m1", "nkk@example.id", WORDS))
    finally:
        controller.stop()
    assert (given, len(postbox.taken)) == ([(b"nkk", b"p@ss/word")], 1)


def test_a_server_whose_certificate_nobody_vouches_for_gets_no_letter(postbox, tmp_path):
    certificate, key = _own_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    controller = Controller(postbox, hostname=LOOPBACK, port=free_port(), tls_context=context)
    controller.start()
    try:
        with (mail.sender(f"smtp://{LOOPBACK}:{controller.port}?starttls=1", mail.Path("unused")) as send,
              pytest.raises(ssl.SSLCertVerificationError)):
            send(mail.compose("answered", "satu@example.org", "m1", "nkk@example.id", WORDS))
    finally:
        controller.stop()
    assert postbox.taken == []


def _own_certificate(folder):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                   .serial_number(1).not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
                   .sign(key, hashes.SHA256()))
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    return paths
