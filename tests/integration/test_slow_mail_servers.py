"""Slow and endless mail servers: how long a letter waits for them, and that it is sent once."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest

from ops.stack.ports import LOOPBACK
from services.notification import conversing, leaving
from services.notification.composing import Letter
from tests.letters import server_at

HANGS, HANGS_UP, DRIPS, POURS = "hangs", "hangs up", "drips", "pours"


class MailServer(socketserver.ThreadingTCPServer):
    """A mail server that accepts letters; `does` has its behaviour at a command, the `greeting` or the `dot`."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Talk)
        self.does: dict[str, str] = {}
        self.only_once = False
        self.given: list[str] = []
        self.callers = 0
        self.over = threading.Event()

    def at(self, command: str, write) -> None:
        match self.does.pop(command, None) if self.only_once else self.does.get(command):
            case None:
                write({"DATA": b"354 go on\r\n", "greeting": b"220 here\r\n"}.get(command, b"250 yes\r\n"))
            case "hangs":
                self.over.wait(60)
                raise ConnectionError
            case "hangs up":
                raise ConnectionError
            case "drips":
                write(b"250-")
                while not self.over.wait(0.02):
                    write(b"x")
            case "pours":
                while not self.over.is_set():
                    write(b"250-and so on\r\n" * 500)
            case answer:
                write(answer.encode() + b"\r\n")


class _Talk(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.server.callers += 1
        with suppress(OSError):
            self.server.at("greeting", self.wfile.write)
            for line in self.rfile:
                command = line[:4].decode().strip().upper()
                self.server.at(command, self.wfile.write)
                if command == "DATA":
                    content = b"".join(iter(self.rfile.readline, b".\r\n"))
                    self.server.given.append(content.partition(b"\r\n")[0].decode())
                    self.server.at("dot", self.wfile.write)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COMMAND_SECONDS", "QUIT_SECONDS", "DOT_SECONDS"):
        monkeypatch.setattr(conversing, name, 0.3)


def sending(server: MailServer):
    return leaving.sender(server_at(f"smtp://{LOOPBACK}:{server.server_address[1]}"), Path("unused"))


def letter(name: str) -> Letter:
    return Letter(name, "nkk@example.id", "satu@example.org", f"Message-ID: <{name}>\n\nIsi\n".encode())


@pytest.mark.parametrize("does", [HANGS, DRIPS])
@pytest.mark.parametrize("at", ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "dot"])
def test_a_command_that_never_ends_is_ended_and_called_what_it_is(server, at, does):
    server.does = {at: does}
    began = monotonic()
    with sending(server) as send, pytest.raises(TimeoutError) as raised:
        send(letter("m1"))
    assert leaving.said(raised.value) == "TimeoutError"
    assert monotonic() - began < 5


@pytest.mark.parametrize("at", ["greeting", "EHLO", "RCPT", "dot"])
def test_an_answer_without_end_is_not_listened_to(server, at, monkeypatch):
    monkeypatch.setattr(conversing, "COMMAND_SECONDS", 30)
    monkeypatch.setattr(conversing, "DOT_SECONDS", 30)
    server.does = {at: POURS}
    began = monotonic()
    with sending(server) as send, pytest.raises(OSError) as raised:  # noqa: PT011
        send(letter("m1"))
    assert leaving.said(raised.value) == "EndlessAnswerError"
    assert monotonic() - began < 10


def test_a_server_that_hangs_up_is_not_called_slow(server):
    server.does = {"RCPT": HANGS_UP}
    with sending(server) as send, pytest.raises(OSError) as raised:  # noqa: PT011
        send(letter("m1"))
    assert leaving.said(raised.value) == "SMTPServerDisconnected"


def test_the_word_on_a_letter_that_was_handed_over_is_waited_for_longer_than_any_other(server, monkeypatch):
    assert leaving.DOT_SECONDS >= 600
    monkeypatch.setattr(conversing, "DOT_SECONDS", 30)
    server.does = {"dot": HANGS}
    threading.Timer(0.8, server.over.set).start()
    with sending(server) as send, pytest.raises(conversing.smtplib.SMTPServerDisconnected) as raised:
        send(letter("m1"))
    # It waited until the server hung up, and not only for the timeout of a command.
    assert leaving.said(raised.value) == "SMTPServerDisconnected"


@pytest.mark.parametrize("does", [HANGS, HANGS_UP, DRIPS, POURS])
def test_a_letter_that_a_server_may_have_is_not_sent_over_a_second_connection(server, does):
    with sending(server) as send:
        send(letter("m1"))
        server.does = {"dot": does}
        with pytest.raises(OSError):  # noqa: PT011
            send(letter("m2"))
        server.does = {}
        send(letter("m3"))
    assert server.given == [f"Message-ID: <{name}>" for name in ("m1", "m2", "m3")]


@pytest.mark.parametrize(
    ("at", "does"),
    [
        (at, does)
        for at in ("MAIL", "RCPT", "DATA")
        for does in (HANGS, HANGS_UP, "421 enough")
        if (at, does) != ("RCPT", HANGS)
    ],
)
def test_one_that_no_server_has_yet_is(server, at, does):
    with sending(server) as send:
        send(letter("m1"))
        server.does, server.only_once = {at: does}, True
        send(letter("m2"))
    assert server.given == ["Message-ID: <m1>", "Message-ID: <m2>"]
    assert server.callers == 2


def test_a_recipient_about_whom_a_server_takes_long_is_not_asked_about_a_second_time(server):
    with sending(server) as send:
        send(letter("m1"))
        server.does, server.only_once = {"RCPT": HANGS}, True
        with pytest.raises(leaving.SlowRecipientError):
            send(letter("m2"))
        send(letter("m3"))
    assert server.given == ["Message-ID: <m1>", "Message-ID: <m3>"]


@pytest.mark.parametrize(("at", "about"), [("greeting", False), ("MAIL", False), ("RCPT", True), ("dot", True)])
def test_a_server_that_is_slow_before_it_knows_the_recipient_says_nothing_of_them(server, at, about):
    server.does = {at: HANGS}
    with sending(server) as send, pytest.raises(TimeoutError) as raised:
        send(letter("m1"))
    assert isinstance(raised.value, leaving.SlowRecipientError) == about


@pytest.mark.parametrize("at", ["RCPT", "DATA"])
def test_a_letter_may_have_less_patience_with_the_word_on_its_recipient_and_with_that_alone(server, at, monkeypatch):
    monkeypatch.setattr(conversing, "COMMAND_SECONDS", 1)
    server.does = {at: HANGS}
    began = monotonic()
    with sending(server) as send, pytest.raises(TimeoutError):
        send(replace(letter("m1"), patience=0.1))
    assert (monotonic() - began < 0.9) == (at == "RCPT")


def test_what_was_said_of_a_recipient_counts_though_no_answer_follows(server):
    server.does = {"RCPT": "550 5.1.1 no such user", "RSET": HANGS}
    with sending(server) as send, pytest.raises(leaving.RejectedError, match=r"RCPT 550 5\.1\.1"):
        send(letter("m1"))


def test_nobody_waits_for_long_for_a_farewell(server):
    server.does = {"QUIT": HANGS}
    began = monotonic()
    with sending(server) as send:
        send(letter("m1"))
    assert monotonic() - began < 5
