import smtplib
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from functools import partial
from types import SimpleNamespace

import pytest
import structlog
from sqlalchemy import insert, select, update

from nkk.desk import KeptCalendars
from nkk.messaging.host import Timeout, sleep, spawn
from nkk.sop.calendar import write_calendar
from nkk.sop.clock import Calendar
from nkk.store.database import Database
from nkk.trust.sealing import new_key_pair, seal, unseal
from services.notification import leaving, mail
from services.notification.composing import LETTERS as LETTERS_FOLDER
from services.notification.composing import compose
from services.notification.domain import letters_about
from services.notification.keyed import Keyed
from services.notification.postboxes import Pace
from services.notification.storage import LINES, Contacts, Messages, calendars, contacts, journeys, messages, metadata
from tests.builders import TICKET
from tests.letters import Outbox, read, sender_of, server_at

SITE = "https://pengaduan.example.id"
KEYS = new_key_pair()
KEYED = Keyed(KEYS[0])
NOW = datetime.now(UTC)


MAIL_SERVER = server_at("smtp://mail.example.id")
SENDER = sender_of("NKK <pengaduan-nkk@example.id>")
WORDS = {"ticket": TICKET, "site": SITE, "service_due": "Rabu, 4 Maret 2026 pukul 08.00 WIB"}


def letter(kind="received", email="pelapor@example.org", message_id="message-1"):
    return compose(kind, email, message_id, SENDER, WORDS, NOW)


@pytest.mark.parametrize(
    ("kind", "subject"),
    [("received", f"Laporan Anda kami terima: {TICKET}"), ("answered", f"Laporan {TICKET} telah dijawab")],
)
def test_a_letter_names_the_ticket_and_where_to_read_on(kind, subject):
    message = read(letter(kind))
    body = message.get_content()
    assert message["Subject"] == subject
    assert TICKET in body
    assert SITE in body
    assert "$" not in body + message["Subject"]
    assert body.startswith("Yth. Pelapor,")


def test_a_letter_is_marked_as_automatic_and_named_by_its_own_id():
    message = read(letter())
    assert message["Message-ID"] == "<message-1@pengaduan.example.id>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert (message["To"], message["From"]) == ("pelapor@example.org", "NKK <pengaduan-nkk@example.id>")
    assert message["Date"].datetime.tzinfo is not None


def test_without_a_mail_server_letters_go_into_a_folder(tmp_path):
    with leaving.sender(None, tmp_path / "deep" / "mail") as send:
        send(letter())
    (file,) = (tmp_path / "deep" / "mail").iterdir()
    assert file.name == "message-1.eml"
    assert message_from_bytes(file.read_bytes(), policy=policy.default)["To"] == "pelapor@example.org"


def test_a_letter_sent_twice_is_one_file(tmp_path):
    with leaving.sender(None, tmp_path) as send:
        for message_id in ("message-1", "message-1", "message-2"):
            send(letter(message_id=message_id))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["message-1.eml", "message-2.eml"]


class Server:
    """A mail server that answers as configured, and records its commands in `asked`."""

    dot_unanswered = False
    is_about_recipient = False

    def __init__(self, answer=None):
        self.answer = answer
        self.asked = []

    def __call__(self, host, port, **_):
        self.asked.append(("connect", host, port))
        return self

    def quit(self):
        self.asked.append("quit")

    def close(self):
        self.asked.append("close")

    def starttls(self, context):
        self.asked.append("starttls")

    def login(self, user, password):
        self.asked.append((user, password))

    def sendmail(self, sender, recipients, content, options):
        if self.answer:
            raise self.answer
        self.asked.append(message_from_bytes(content, policy=policy.default)["Message-ID"])


@pytest.mark.parametrize(
    ("url", "before"),
    [
        ("smtp://mail.example.id", [("connect", "mail.example.id", 25)]),
        (
            "smtp://nkk:p%40ss@mail.example.id:587?starttls=1",
            [("connect", "mail.example.id", 587), "starttls", ("nkk", "p@ss")],
        ),
    ],
)
def test_a_letter_leaves_by_smtp_as_the_url_says(monkeypatch, tmp_path, url, before):
    server = Server()
    monkeypatch.setattr(leaving, "Conversation", server)
    with leaving.sender(server_at(url), tmp_path) as send:
        send(letter())
    assert server.asked == [*before, "<message-1@pengaduan.example.id>", "quit"]


def test_smtps_is_encrypted_from_the_first_byte(monkeypatch, tmp_path):
    server = Server()
    monkeypatch.setattr(leaving, "TlsConversation", server)
    with leaving.sender(server_at("smtps://mail.example.id"), tmp_path) as send:
        send(letter())
    assert server.asked[0] == ("connect", "mail.example.id", 465)


def refused(code, text):
    """Return the error that smtplib raises for such a reply to RCPT."""
    return smtplib.SMTPRecipientsRefused({"pelapor@example.org": (code, text)})


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (refused(550, b"5.1.1 <pelapor@example.org>: no such user"), "RCPT 550 5.1.1"),
        (refused(553, b"5.1.2 no such domain"), "RCPT 553 5.1.2"),
        (refused(501, b"5.1.3 bad address"), "RCPT 501 5.1.3"),
        (refused(551, b"5.1.6 has moved"), "RCPT 551 5.1.6"),
        (refused(556, b"5.1.10 its domain takes no mail"), "RCPT 556 5.1.10"),
        (refused(550, b"5.1.1 no such account\n5.1.1 look at https://mail.example.org/?4.7.1x"), "RCPT 550 5.1.1"),
        (refused(550, b"#5.1.1 no such user"), "RCPT 550 5.1.1"),
        (refused(550, b"no such user"), "RCPT 550"),
        (refused(550, b"no such user: <5.7.1@example.org>, asked by 5.7.1.9 and mail-5.7.1.example.id"), "RCPT 550"),
        (refused(551, b"user not local"), "RCPT 551"),
        (refused(553, b"mailbox name not allowed"), "RCPT 553"),
    ],
)
def test_what_a_server_says_of_the_recipient_is_final(monkeypatch, tmp_path, answer, why):
    monkeypatch.setattr(leaving, "Conversation", Server(answer))
    with leaving.sender(MAIL_SERVER, tmp_path) as send, pytest.raises(leaving.RejectedError) as raised:
        send(letter())
    assert str(raised.value) == why


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        # The reply to RCPT is about the sender: Postfix checks the sender only then.
        (refused(550, b"5.1.7 <x@example.id>: bad sender"), "RCPT 550 5.1.7"),
        (refused(550, b"5.1.8 <x@example.id>: sender's domain not found"), "RCPT 550 5.1.8"),
        (refused(550, b"5.7.1 relaying denied"), "RCPT 550 5.7.1"),
        (refused(550, b"#5.7.1 policy"), "RCPT 550 5.7.1"),
        (refused(550, b"<5.7.1> policy"), "RCPT 550 5.7.1"),
        (refused(550, b"(5.7.1), policy"), "RCPT 550 5.7.1"),
        (refused(550, b"policy: 5.7.1."), "RCPT 550 5.7.1"),
        (refused(550, b"\n5.7.1 policy"), "RCPT 550 5.7.1"),
        (refused(550, b"5.1.1 refused\n5.7.1 policy"), "RCPT 550 5.7.1"),
        (refused(552, b"5.2.2 mailbox full"), "RCPT 552 5.2.2"),
        (refused(550, b"5.2.1 mailbox disabled"), "RCPT 550 5.2.1"),
        (refused(550, b"4.1.1 not now"), "RCPT 550 4.1.1"),
        (refused(450, b"5.1.1 not now"), "RCPT 450 5.1.1"),
        (refused(451, b"4.7.1 greylisted"), "RCPT 451 4.7.1"),
        (refused(530, b"authentication required"), "RCPT 530"),
        (refused(552, b"too much mail data"), "RCPT 552"),
        (refused(554, b"no"), "RCPT 554"),
        (refused(503, b"bad sequence"), "RCPT 503"),
        (smtplib.SMTPSenderRefused(550, b"5.1.1 not you", "x@example.id"), "MAIL 550 5.1.1"),
        (smtplib.SMTPSenderRefused(553, b"5.7.1 sender rejected", "x@example.id"), "MAIL 553 5.7.1"),
        (smtplib.SMTPSenderRefused(530, b"5.7.0 log in first", "x@example.id"), "MAIL 530 5.7.0"),
        (smtplib.SMTPDataError(554, b"5.1.1 no"), "DATA 554 5.1.1"),
        (smtplib.SMTPDataError(552, b"5.3.4 too big"), "DATA 552 5.3.4"),
        (smtplib.SMTPDataError(550, b"no"), "DATA 550"),
        (smtplib.SMTPDataError(421, b"later"), "DATA 421"),
        (smtplib.SMTPHeloError(554, b"go away"), "EHLO 554"),
        (smtplib.SMTPServerDisconnected(), "SMTPServerDisconnected"),
        (ConnectionResetError(), "ConnectionResetError"),
    ],
)
def test_all_else_is_no_last_word(monkeypatch, tmp_path, answer, why):
    monkeypatch.setattr(leaving, "Conversation", Server(answer))
    with leaving.sender(MAIL_SERVER, tmp_path) as send, pytest.raises(type(answer)) as raised:
        send(letter())
    assert leaving.said(raised.value) == why


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (smtplib.SMTPConnectError(554, b"no service here"), "greeting 554"),
        (smtplib.SMTPAuthenticationError(535, b"5.7.8 wrong password of nkk"), "AUTH 535 5.7.8"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_a_server_that_lets_nobody_in_has_said_nothing_of_a_recipient(monkeypatch, tmp_path, answer, why):
    def refuse(*_, **__):
        raise answer

    monkeypatch.setattr(leaving, "Conversation", refuse)
    with leaving.sender(MAIL_SERVER, tmp_path) as send, pytest.raises(type(answer)) as raised:
        send(letter())
    assert leaving.said(raised.value) == why


def test_a_letter_that_cannot_be_written_leaves_no_trace_for_the_next(monkeypatch, tmp_path):
    server = Server(ValueError("half written"))
    monkeypatch.setattr(leaving, "Conversation", server)
    with leaving.sender(MAIL_SERVER, tmp_path) as send:
        with pytest.raises(ValueError, match="half written"):
            send(letter())
        server.answer = None
        send(letter(message_id="message-2"))
    assert server.asked == [
        ("connect", "mail.example.id", 25),
        "close",
        ("connect", "mail.example.id", 25),
        "<message-2@pengaduan.example.id>",
        "quit",
    ]


# -- what a letter may say

LETTERS = sorted(path.stem for path in LETTERS_FOLDER.iterdir())
ABOUT_STEPS = {"due_soon", "overdue", "overdue_superior"}
TO_REPORTERS = {"received", "answered", "late", "reminder", "withdrawn", "withdrawn_late", "objected"} | {
    "question",
    "question_reminder",
    "question_lapsed",
    "abandoned",
    "goes_on",
}


def row(kind, **changed):
    """Return a row of messages as the mailer reads it, with more values than a letter may contain."""
    known = (
        {"step": 4, "round": 1, "due_at": datetime(2026, 3, 4, 1, 0, tzinfo=UTC)}
        if kind in ABOUT_STEPS
        else {"step": None, "round": None, "due_at": None}
    )
    return SimpleNamespace(
        **{
            "id": "message-1",
            "ticket": TICKET,
            "kind": kind,
            "team": None,
            "plain_reporter": "reporter-17",
            "website": None,
            "channel": "web",
            "service_due_at": datetime(2026, 3, 4, 1, 0, tzinfo=UTC),
            "sealed_reporter": "kotak",
            "note": "Catatan tim",
            "email": "tim@example.org",
            "superior_email": "atasan@example.org",
            "text": "Loket ditutup",
            **known,
            **changed,
        }
    )


def test_every_letter_is_of_a_kind_that_is_written_and_every_kind_has_its_letter():
    written = {
        "received",
        "answered",
        "late",
        "reminder",
        "withdrawn",
        "withdrawn_late",
        "objected",
        "question",
        "question_reminder",
        "question_lapsed",
        "abandoned",
        "goes_on",
        *(kind for alarm in ("step.due_soon.v1", "step.overdue.v1") for kind in letters_about(alarm, True)),
    }
    assert written == ABOUT_STEPS | TO_REPORTERS
    # The code and the changed address concern no complaint.
    assert set(LETTERS) == written | {"password_reset", "contact_changed"}


def test_the_letter_about_another_address_says_what_to_do_and_nothing_else():
    message = read(
        compose("contact_changed", "lama@example.org", "message-1", SENDER, mail.words_of_account(SITE), NOW)
    )
    whole = f"{message['Subject']}\n{message.get_content()}"
    assert f"{SITE.rstrip('/')}/akun" in whole
    assert "$" not in whole
    assert TICKET not in whole


@pytest.mark.parametrize("kind", sorted(ABOUT_STEPS | TO_REPORTERS))
def test_every_letter_can_be_written_with_the_words_its_kind_has(kind):
    message = read(compose(kind, "tujuan@example.org", "message-1", SENDER, mail.words_of(row(kind), SITE), NOW))
    whole = f"{message['Subject']}\n{message.get_content()}"
    assert TICKET in message["Subject"]
    assert "$" not in whole
    assert "None" not in whole
    # A superior has no desk, so the letter has no link.
    assert (f"{SITE}/laporan/{TICKET}" in whole.split()) == (kind != "overdue_superior")
    assert ("langkah 4 (" in whole) == ("2 hari kerja" in whole and kind in ABOUT_STEPS)


@pytest.mark.parametrize("kind", ["question", "question_reminder", "question_lapsed"])
def test_each_letter_about_a_question_says_that_the_report_may_be_closed(kind):
    told = read(compose(kind, "tujuan@example.org", "message-1", SENDER, mail.words_of(row(kind), SITE), NOW))
    assert "atau menutup laporan" in told.get_content()


@pytest.mark.parametrize("kind", sorted(ABOUT_STEPS | TO_REPORTERS))
def test_a_letter_says_neither_who_reported_nor_what_nor_what_anybody_wrote(kind):
    words = mail.words_of(row(kind), SITE)
    assert set(words) <= {"ticket", "site", "service_due", "step", "minutes", "due"}
    for kept in ("reporter-17", "Loket", "Catatan", "kotak", "@example.org"):
        assert not any(kept in word for word in words.values())


@pytest.mark.parametrize("entered", [{"website": "situs-1"}, {"channel": "counter"}, {"channel": "telephone"}])
@pytest.mark.parametrize("kind", sorted(TO_REPORTERS))
def test_a_reporter_who_may_have_no_account_is_told_in_each_letter_how_to_get_one(kind, entered):
    words = mail.words_of(row(kind, **entered), SITE)
    assert words["code_page"] == f"{SITE.rstrip('/')}/akun/kode"
    told = read(compose(kind, "tujuan@example.org", "message-1", SENDER, words, NOW)).get_content()
    assert words["code_page"] in told
    assert "situs-1" not in told


@pytest.mark.parametrize("kind", sorted(ABOUT_STEPS))
def test_a_team_is_not_told_that_a_complaint_was_entered_for_somebody(kind):
    known = ({"website": "situs-1"}, {"channel": "counter"}, {})
    first, *others = [mail.words_of(row(kind, team="main_team", **entered), SITE) for entered in known]
    assert all(words == first for words in others)


@pytest.mark.parametrize("kind", sorted(TO_REPORTERS))
def test_a_letter_to_a_reporter_names_no_step_and_no_team(kind):
    assert {"step", "minutes", "due"}.isdisjoint(mail.words_of(row(kind), SITE))


def test_times_in_letters_are_written_in_jakarta():
    words = mail.words_of(row("overdue"), SITE)
    assert (words["due"], words["service_due"]) == ("Rabu, 4 Maret 2026 pukul 08.00 WIB",) * 2
    assert words["minutes"] == "2 hari kerja"


def test_a_letter_of_a_promise_nobody_has_heard_of_has_no_word_for_it():
    assert "service_due" not in mail.words_of(row("received", service_due_at=None), SITE)


def test_a_team_that_has_no_superior_is_not_told_that_one_was_written_to():
    (kind,) = letters_about("step.overdue.v1", False)
    message = read(compose(kind, "tim@example.org", "message-1", SENDER, mail.words_of(row(kind), SITE), NOW))
    assert "atasan" not in message.get_content()


# -- the mailer, on a database of its own


@pytest.fixture
def database(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/notification.db", size=3)
    metadata.create_all(database.engine)
    yield database
    database.dispose()


@pytest.fixture
def mailer():
    mailer = mail.Mailer()
    mailer._key, mailer._keyed, mailer._pace = KEYS[0], KEYED, Pace(KEYED, 12)
    mailer._site, mailer._from = SITE, SENDER
    return mailer


def put(database, box, message_id="message-1", tries=0, of=None):
    """Store a letter to the author of a complaint, whose address is in `box`; `of` may name another recipient."""
    ticket, reporter = f"ticket-{message_id}", f"reporter-{message_id}"
    of = of or {"sealed_reporter": KEYED.seal_reporter(ticket, reporter)}
    with database.writing() as connection:
        connection.execute(insert(journeys).values(ticket=ticket, service_due_at=NOW, **of))
        if box:
            Contacts(connection).keep(KEYED.reporter(reporter), box, NOW)
        connection.execute(
            insert(messages).values(
                id=message_id, ticket=ticket, kind="received", created_at=NOW, next_try_at=NOW, tries=tries
            )
        )


def name_of(message_id):
    return f"<{KEYED.message_id(message_id)}@pengaduan.example.id>"


def state(database):
    with database.reading() as connection:
        return connection.execute(select(messages)).one()


BOX = seal({"email": "pelapor@example.org"}, KEYS[1])


def test_a_message_is_sent_once(database, mailer):
    outbox = Outbox()
    mailer._sender = partial(nullcontext, outbox.send)
    put(database, BOX)
    assert [mailer.send_batch(database), mailer.send_batch(database)] == [1, 0]
    assert [message["To"] for message in outbox] == ["pelapor@example.org"]
    assert state(database).sent_at is not None


def test_the_mailer_works_where_something_is_due_and_else_looks_without_writing(database, mailer):
    mailer._database = database
    with database.writing() as connection:
        # Another thread writes meanwhile.
        mailer.wake()
        assert not mailer._may_send("new")
    put(database, BOX)
    assert [line for line in LINES if mailer._may_send(line)] == ["new"]
    with database.writing() as connection:
        connection.execute(update(messages).values(next_try_at=datetime.now(UTC) + timedelta(hours=1)))
    assert not mailer._may_send("new")


@pytest.mark.parametrize(("tries", "seconds"), [(0, 5), (1, 10), (5, 60), (1000, 60)])
def test_a_message_waits_for_a_contact_that_was_not_heard_of_yet_and_for_nobody_else(database, mailer, tries, seconds):
    outbox = Outbox()
    mailer._sender = partial(nullcontext, outbox.send)
    put(database, None, tries=tries)
    mailer.send_batch(database)
    row = state(database)
    assert (row.tries, row.sent_at, row.given_up_at) == (tries + 1, None, None)
    assert timedelta(0) <= datetime.now(UTC) + timedelta(seconds=seconds) - row.next_try_at < timedelta(seconds=60)
    assert mailer.send_batch(database) == 0
    with database.writing() as connection:
        Contacts(connection).keep(KEYED.reporter("reporter-message-1"), BOX, NOW)
        connection.execute(update(messages).values(next_try_at=NOW))
    mailer.send_batch(database)
    assert [message["To"] for message in outbox] == ["pelapor@example.org"]


def test_what_a_version_before_kept_in_the_clear_finds_its_reader_too(database, mailer):
    outbox = Outbox()
    mailer._sender = partial(nullcontext, outbox.send)
    old, new = ({"sealed_contact": seal({"email": f"{name}@example.org"}, KEYS[1])} for name in ("lama", "baru"))
    with database.writing() as connection:
        for number, (box, at) in enumerate([(old, NOW), (new, NOW + timedelta(hours=1))], 1):
            reporter = f"reporter-message-{number}"
            connection.execute(insert(contacts).values(reporter_id=reporter, changed_at=at, **box))
            Contacts(connection).keep(KEYED.reporter(reporter), BOX, NOW + timedelta(minutes=1))
        connection.execute(insert(contacts).values(reporter_id="reporter-message-3", changed_at=NOW, **old))
    put(database, None, "message-1")
    put(database, None, "message-2", of={"reporter_id": "reporter-message-2"})
    put(database, None, "message-3", of={"reporter_id": "reporter-message-3"})
    mailer.send_batch(database)
    assert [message["To"] for message in outbox] == ["pelapor@example.org", "baru@example.org", "lama@example.org"]


def started(mailer, database, send):
    """Start the mailer in greenlets of its own, with `send` instead of a server."""
    mailer._database = database
    mailer._sender = partial(nullcontext, send)
    mailer._sending = [spawn(mailer._run, line) for line in LINES]
    sleep()
    return mailer


def test_a_stage_that_stops_waits_for_the_letter_the_server_has_and_begins_no_other(database, mailer):
    went = []

    def slow(letter):
        went.append(letter)
        sleep(0.2)

    for number in range(3):
        put(database, BOX, message_id=f"message-{number}")
    started(mailer, database, slow)
    mailer.stop()
    with database.reading() as connection:
        assert Messages(connection).counts() == (2, 0)
    assert len(went) == 1


def test_a_server_that_takes_long_keeps_no_stage_from_stopping(database, mailer, monkeypatch):
    def hang(_letter):
        if hang.began:
            sleep(600)
        hang.began = True

    hang.began = False
    monkeypatch.setattr(mail, "STOP_SECONDS", 0.2)
    for number in range(3):
        put(database, BOX, message_id=f"message-{number}")
    started(mailer, database, hang)
    mailer.stop()
    with database.reading() as connection:
        rows = connection.execute(select(messages).order_by(messages.c.id)).all()
    assert [(row.sent_at is not None, row.sending_until is not None, row.tries) for row in rows] == [
        (True, False, 0),
        (False, True, 0),
        (False, False, 0),
    ]


def test_a_letter_is_held_for_as_long_as_the_server_takes_and_those_behind_it_are_let_go(database, mailer, monkeypatch):
    def until():
        with database.reading() as connection:
            return list(connection.execute(select(messages.c.sending_until).order_by(messages.c.id)).scalars())

    def slow(_letter):
        for _ in range(2):
            before = until()
            with Timeout(20):
                while until()[0] == before[0]:
                    sleep(0.01)
        assert until()[1] is None
        with database.writing() as connection:
            assert set(Messages(connection).drop_unsent(["message-1", "message-2"], datetime.now(UTC))) == {"message-2"}

    monkeypatch.setattr(mail, "HELD", timedelta(seconds=0.3))
    for message_id in ("message-1", "message-2"):
        put(database, BOX, message_id=message_id)
    started(mailer, database, slow).stop()
    assert (state(database).id, state(database).sent_at is not None) == ("message-1", True)


def test_a_box_that_was_sealed_for_another_complaint_sends_no_letter_to_its_author(database, mailer):
    mailer._sender = partial(nullcontext, SimpleNamespace)
    put(database, BOX, of={"sealed_reporter": KEYED.seal_reporter(TICKET, "reporter-message-1")})
    mailer.send_batch(database)
    assert (state(database).sent_at, state(database).why) == (None, "CannotOpenError")


def test_a_message_id_is_the_same_for_a_copy_and_tells_of_no_row(database, mailer):
    outbox = Outbox()
    mailer._sender = partial(nullcontext, outbox.send)
    put(database, BOX)
    with structlog.testing.capture_logs() as logged:
        mailer.send_batch(database)
        with database.writing() as connection:
            connection.execute(update(messages).values(sent_at=None, next_try_at=NOW))
        mailer.send_batch(database)
    first, second = (message["Message-ID"] for message in outbox)
    assert first == second == name_of("message-1")
    assert first != f"<{Keyed(new_key_pair()[0]).message_id('message-1')}@pengaduan.example.id>"
    known = first.strip("<>").partition("@")[0]
    assert known not in str(logged) + str(state(database))
    assert "message-1" not in str(outbox[0]["Message-ID"])


@pytest.mark.parametrize(("tries", "seconds"), [(0, 5), (1, 10), (5, 160), (10, 3600)])
def test_a_message_that_did_not_leave_is_tried_again_after_a_growing_while(database, mailer, tries, seconds):
    def away(_message):
        raise ConnectionRefusedError

    mailer._sender = partial(nullcontext, away)
    put(database, BOX, tries=tries)
    mailer.send_batch(database)
    row = state(database)
    assert (row.tries, row.sent_at, row.given_up_at) == (tries + 1, None, None)
    assert timedelta(0) <= datetime.now(UTC) + timedelta(seconds=seconds) - row.next_try_at < timedelta(seconds=60)


def test_a_message_that_did_not_leave_for_five_days_is_given_up(database, mailer):
    def away(_message):
        raise smtplib.SMTPServerDisconnected

    mailer._sender = partial(nullcontext, away)
    put(database, BOX, tries=100)
    with database.writing() as connection:
        connection.execute(update(messages).values(tried_since=NOW - timedelta(days=5, minutes=1)))
    mailer.send_batch(database)
    assert (state(database).tries, state(database).given_up_at is not None) == (101, True)
    assert state(database).why == "SMTPServerDisconnected"
    assert mailer.send_batch(database) == 0


def test_the_five_days_count_from_the_first_try_however_long_nothing_could_be_tried(database, mailer):
    def away(_message):
        raise smtplib.SMTPServerDisconnected

    mailer._sender = partial(nullcontext, away)
    put(database, BOX)
    with database.writing() as connection:
        connection.execute(update(messages).values(created_at=NOW - timedelta(days=30)))
    mailer.send_batch(database)
    assert (state(database).tries, state(database).given_up_at) == (1, None)


@pytest.mark.parametrize(
    "box",
    ["damaged", seal({"email": "a@example.org"}, new_key_pair()[1]), seal({"phone": "0"}, KEYS[1])],
    ids=["damaged", "another key", "no address"],
)
def test_a_message_that_cannot_be_opened_or_written_stops_no_other(database, mailer, box, monkeypatch):
    # The failures are slow here: on a busy machine they take longer than a batch may last.
    monkeypatch.setattr(mail, "BATCH_SECONDS", 60)
    outbox = Outbox()
    mailer._sender = partial(nullcontext, outbox.send)
    put(database, box)
    put(database, BOX, message_id="message-2")
    assert mailer.send_batch(database) == 2
    assert [message["Message-ID"] for message in outbox] == [name_of("message-2")]
    assert mailer.send_batch(database) == 0


def test_a_message_the_server_will_never_take_is_given_up(database, mailer):
    def rejected(_message):
        raise leaving.RejectedError("RCPT 550 5.1.1")

    mailer._sender = partial(nullcontext, rejected)
    put(database, BOX)
    mailer.send_batch(database)
    assert (state(database).given_up_at is not None, state(database).why) == (True, "RCPT 550 5.1.1")


@pytest.mark.parametrize("content", [{"email": "a@example.org\r\nBcc: b@example.org"}, ["a@example.org"]])
def test_an_odd_address_stops_no_other_message(tmp_path, content):
    database = Database(f"sqlite:///{tmp_path}/n.db", size=3)
    metadata.create_all(database.engine)
    keys, outbox = new_key_pair(), Outbox()
    keyed = Keyed(keys[0])
    with database.writing() as connection:
        for number, box in enumerate((content, {"email": "pelapor@example.org"})):
            sealed = keyed.seal_reporter(f"t{number}", f"r{number}")
            connection.execute(insert(journeys).values(ticket=f"t{number}", service_due_at=NOW, sealed_reporter=sealed))
            Contacts(connection).keep(keyed.reporter(f"r{number}"), seal(box, keys[1]), NOW)
            connection.execute(
                insert(messages).values(
                    id=f"m{number}", ticket=f"t{number}", kind="received", created_at=NOW, next_try_at=NOW, tries=0
                )
            )
    mailer = mail.Mailer()
    mailer._key, mailer._keyed, mailer._pace = keys[0], keyed, Pace(keyed, 12)
    mailer._site, mailer._from = "http://x.example.id", SENDER
    mailer._sender = partial(nullcontext, outbox.send)
    mailer.send_batch(database)
    database.dispose()
    assert [message["To"] for message in outbox] == ["pelapor@example.org"]


# -- a code for a new password


CODE = "0123456789abcdef0123456789abcdef01234567"


def ask_for_code(database, message_id="message-1", reporter="reporter-1", expires_in=timedelta(hours=1), code=CODE):
    letter = seal({"email": "pelapor@example.id", "code": code}, KEYS[1])
    with database.writing() as connection:
        Messages(connection).add_code(message_id, reporter, letter, datetime.now(UTC) + expires_in, NOW)


def test_a_code_goes_to_the_address_it_came_with_as_a_link_and_to_be_pasted(database, mailer):
    outbox = Outbox()
    mailer._sender = partial(nullcontext, outbox.send)
    ask_for_code(database)
    assert [mailer.send_batch(database), mailer.send_batch(database)] == [1, 0]
    (letter,) = outbox
    body = letter.get_content()
    assert letter["To"] == "pelapor@example.id"
    assert CODE not in letter["Subject"]
    assert f"{SITE}/atur-ulang-sandi#{CODE}" in body.split()
    assert CODE in body.split()
    assert "tidak meminta" in body
    assert "WIB" in body
    assert "$" not in body
    assert "NKK-" not in body


def test_once_sent_the_code_is_not_kept_not_even_sealed(database, mailer):
    mailer._sender = partial(nullcontext, lambda _letter: None)
    ask_for_code(database)
    mailer.send_batch(database)
    assert (state(database).sealed_letter, state(database).sent_at is not None) == (None, True)


def test_a_code_that_has_expired_is_never_sent_and_not_kept(database, mailer):
    outbox = Outbox()
    mailer._sender = partial(nullcontext, outbox.send)
    ask_for_code(database, expires_in=timedelta(seconds=-1))
    mailer.send_batch(database)
    assert outbox == []
    assert (state(database).sealed_letter, state(database).given_up_at is not None) == (None, True)
    assert mailer.send_batch(database) == 0


def test_a_code_that_expires_while_others_are_sent_is_not_sent(database, mailer):
    outbox, soon = [], timedelta(milliseconds=200)

    def slow(letter):
        outbox.append(read(letter)["Message-ID"])
        while datetime.now(UTC) <= expires:
            pass

    mailer._sender = partial(nullcontext, slow)
    ask_for_code(database)
    ask_for_code(database, "message-2", "reporter-2", expires_in=soon)
    expires = datetime.now(UTC) + soon
    assert mailer.send_batch(database) == 2
    assert outbox == [name_of("message-1")]


def test_a_code_that_did_not_leave_is_tried_again_and_kept_until_then(database, mailer):
    def away(_message):
        raise ConnectionRefusedError

    mailer._sender = partial(nullcontext, away)
    ask_for_code(database)
    mailer.send_batch(database)
    assert (state(database).tries, state(database).given_up_at) == (1, None)
    assert CODE not in str(state(database))
    assert unseal(state(database).sealed_letter, KEYS[0])["code"] == CODE


def test_a_newer_code_takes_the_place_of_one_that_was_not_sent_yet(database, mailer):
    outbox = Outbox()
    mailer._sender = partial(nullcontext, outbox.send)
    ask_for_code(database, "message-1", code="f" * 40, expires_in=timedelta(minutes=59))
    ask_for_code(database, "message-2")
    ask_for_code(database, "message-3", "reporter-2")
    mailer.send_batch(database)
    assert {letter["Message-ID"] for letter in outbox} == {name_of("message-2"), name_of("message-3")}


@pytest.mark.parametrize("sent", [True, False])
def test_an_older_code_heard_of_later_is_not_sent(database, mailer, sent):
    outbox = Outbox()
    mailer._sender = partial(nullcontext, outbox.send)
    ask_for_code(database)
    if sent:
        mailer.send_batch(database)
    ask_for_code(database, "message-2", expires_in=timedelta(minutes=59))
    mailer.send_batch(database)
    assert [letter["Message-ID"] for letter in outbox] == [name_of("message-1")]


def test_a_code_leaves_at_any_hour(database, mailer):
    outbox = Outbox()
    mailer._sender = partial(nullcontext, outbox.send)
    ask_for_code(database)
    with database.writing() as connection:
        KeptCalendars(connection, calendars).keep(1, write_calendar(Calendar(1, week=((),) * 7)), NOW, "admin")
    mailer.send_batch(database)
    assert len(outbox) == 1


def test_nothing_of_a_code_or_its_address_is_logged(database, mailer, caplog):
    mailer._sender = partial(nullcontext, lambda _letter: None)
    with structlog.testing.capture_logs() as logged:
        ask_for_code(database)
        mailer.send_batch(database)
    assert [line["event"] for line in logged] == ["message sent"]
    assert CODE not in str(logged)
    assert "example.id" not in str(logged)
