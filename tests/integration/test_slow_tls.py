"""A mail server that drips its side of a TLS handshake: the letter's connection times out, and it is retried later.

The mailer runs in a separate process, with the sockets and timeouts of `nameko run`.
"""

import os
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from nkk.store.database import Database
from nkk.trust.sealing import new_key_pair, seal
from ops.stack.ports import LOOPBACK
from services.notification.keyed import Keyed
from services.notification.storage import Contacts, journeys, messages, metadata
from tests.builders import TICKET
from tests.certificates import own_certificate

KEYS = new_key_pair()
KEYED = Keyed(KEYS[0])
NOW = datetime.now(UTC)
LONG_RECORD = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"
"""The beginning of a record of 16 KiB that holds one handshake message."""

PROGRAM = """
import eventlet
eventlet.monkey_patch()
import sys
from functools import partial
from pathlib import Path
from time import monotonic
from nkk.store.database import Database
from nkk.settings import NKK_MAIL_FROM, NKK_SMTP_URL
from services.notification import leaving, mail
from services.notification.keyed import Keyed
from services.notification.postboxes import Pace
database, server, key = sys.argv[1:]
leaving.LOG_IN_SECONDS = 2
mailer = mail.Mailer()
mailer._key, mailer._keyed = key, Keyed(key)
mailer._pace, mailer._site, mailer._from = Pace(mailer._keyed, 12), "https://nkk.example.id", NKK_MAIL_FROM.get({})
mailer._sender = partial(leaving.sender, NKK_SMTP_URL.get({"NKK_SMTP_URL": server}), Path("unused"))
for _ in sys.stdin:
    began = monotonic()
    mailer.send_batch(Database(database, size=3))
    print("took", monotonic() - began, flush=True)
"""


class MailServer(socketserver.ThreadingTCPServer):
    """A mail server that accepts letters; while it `drips`, it sends its TLS handshake byte by byte, forever."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, context: ssl.SSLContext, is_tls: bool) -> None:
        super().__init__((LOOPBACK, 0), _Talk)
        self.context, self.is_tls = context, is_tls
        self.drips = True
        self.dripped = 0
        self.taken: list[bytes] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        """Return its URL, as in NKK_SMTP_URL."""
        where = f"{LOOPBACK}:{self.server_address[1]}"
        return f"smtps://{where}" if self.is_tls else f"smtp://{where}?starttls=1"


class _Talk(socketserver.BaseRequestHandler):
    server: MailServer

    def handle(self) -> None:
        with suppress(OSError):
            if not self.server.is_tls:
                self._speak(self.request, {b"STAR": b"220 go on"})
            with self._secured() as secured:
                self._speak(secured, {b"DATA": b"354 go on", b"QUIT": b"221 bye"})

    def _speak(self, connection: socket.socket, last: dict[bytes, bytes]) -> None:
        """Answer every command, up to STARTTLS or QUIT; `last` has the answers that differ."""
        if self.server.is_tls or b"STAR" in last:
            connection.sendall(b"220 here\r\n")
        with connection.makefile("rb") as lines:
            for line in lines:
                command = line[:4].upper()
                answer = last.get(command, b"250-here\r\n250 STARTTLS" if command == b"EHLO" else b"250 yes")
                connection.sendall(answer + b"\r\n")
                if command in (b"STAR", b"QUIT"):
                    return
                if command == b"DATA":
                    self.server.taken.append(b"".join(iter(lines.readline, b".\r\n")))
                    connection.sendall(b"250 taken\r\n")

    def _secured(self) -> ssl.SSLSocket:
        if self.server.drips:
            self.request.sendall(LONG_RECORD)
            while not self.server.over.wait(0.1):
                self.request.sendall(b"\x00")
                self.server.dripped += 1
        return self.server.context.wrap_socket(self.request, server_side=True)


@pytest.fixture(params=[False, True], ids=["starttls", "smtps"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MailServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*own_certificate(tmp_path))
    with MailServer(context, request.param) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Yield notification's database, with one letter."""
    found = Database(f"sqlite:///{tmp_path}/notification.db", size=3)
    metadata.create_all(found.engine)
    with found.writing() as connection:
        connection.execute(
            insert(journeys).values(ticket=TICKET, service_due_at=NOW, sealed_reporter=KEYED.seal_reporter(TICKET, "r"))
        )
        Contacts(connection).keep(KEYED.reporter("r"), seal({"email": "satu@example.org"}, KEYS[1]), NOW)
        connection.execute(
            insert(messages).values(id="m", ticket=TICKET, kind="received", created_at=NOW, next_try_at=NOW, tries=0)
        )
    yield found
    found.dispose()


def test_a_handshake_that_is_dripped_ends_in_time_and_the_letter_leaves_later(
    server: MailServer, database: Database, tmp_path: Path
) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(database.engine.url), server.url, KEYS[0]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"SSL_CERT_FILE": str(tmp_path / "certificate.pem")},
    )

    def send() -> float:
        assert program.stdin
        assert program.stdout
        program.stdin.write("\n")
        program.stdin.flush()
        return float(next(line.split()[1] for line in program.stdout if line.startswith("took")))

    def letter() -> Any:
        with database.reading() as connection:
            return connection.execute(select(messages)).one()

    with program:
        assert 1.9 < send() < 10
        assert server.dripped > 5
        waits = letter()
        assert (waits.why, waits.tries, waits.sent_at, waits.sending_until) == ("TimeoutError", 1, None, None)
        assert waits.next_try_at > NOW
        server.drips = False
        with database.writing() as connection:
            connection.execute(update(messages).values(next_try_at=NOW))
        send()
        assert letter().sent_at
        assert len(server.taken) == 1
