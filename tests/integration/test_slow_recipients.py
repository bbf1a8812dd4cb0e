"""Recipients whose acceptance by the mail server takes long: their letters wait, and no others do.

The mailer runs in a separate process, with the sockets and timeouts of `nameko run`.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import insert, select

from nkk.store.database import Database
from nkk.trust.sealing import new_key_pair, seal
from ops.stack.ports import LOOPBACK, free_port
from services.notification.keyed import Keyed
from services.notification.storage import Contacts, journeys, messages, metadata
from tests.installations import eventually

KEYS = new_key_pair()
KEYED = Keyed(KEYS[0])
NOW = datetime.now(UTC)
SLOW = "lambat@example.org"
SLOW_DOMAIN = "@lambat.example.org"
SOON = 60

PROGRAM = """
import eventlet
eventlet.monkey_patch()
import os
from types import SimpleNamespace
from nkk.store.database import Database
from nkk.messaging.stage import UnitOfWorkProvider
from services.notification import conversing, mail, patience
from nkk.clock import utc_now
from services.notification.storage import NotificationWork
patience.FIRST_SECONDS, conversing.COMMAND_SECONDS = 0.5, 3
work = UnitOfWorkProvider(NotificationWork)
work.uow = SimpleNamespace(database=Database(os.environ["DATABASE_URL"], size=20), clock=utc_now)
mailer = mail.Mailer()
mailer.container = SimpleNamespace(dependencies=[work],
                                   spawn_managed_thread=lambda run, identifier: eventlet.spawn(run))
mailer.setup()
mailer.start()
eventlet.sleep(600)
"""


class Server:
    """An SMTP handler that accepts letters, and never answers about `SLOW` and the recipients at SLOW_DOMAIN."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.asked = 0

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if address == SLOW or address.endswith(SLOW_DOMAIN):
            self.asked += 1
            await asyncio.sleep(600)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        self.taken += envelope.rcpt_tos
        return "250 OK"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(f"sqlite:///{tmp_path}/notification.db", size=3)
    metadata.create_all(found.engine)
    yield found
    found.dispose()


@pytest.fixture
def server(database: Database) -> Iterator[Server]:
    """Yield the mail server, with a mailer that sends the database's letters to it."""
    answering = Server()
    controller = Controller(answering, hostname=LOOPBACK, port=free_port())
    controller.start()
    mailer = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=os.environ
        | {
            "DATABASE_URL": str(database.engine.url),
            "NKK_SMTP_URL": f"smtp://{LOOPBACK}:{controller.port}",
            "NKK_NOTIFICATION_PRIVATE_KEY": KEYS[0],
        },
    )
    try:
        yield answering
    finally:
        mailer.kill()
        mailer.wait()
        controller.stop()


def write(database: Database, name: str, address: str, due: int = 0, **changed) -> None:
    """Write a letter about a complaint, due in `due` seconds."""
    with database.writing() as connection:
        connection.execute(
            insert(journeys).values(ticket=name, service_due_at=NOW, sealed_reporter=KEYED.seal_reporter(name, name))
        )
        Contacts(connection).keep(KEYED.reporter(name), seal({"email": address}, KEYS[1]), NOW)
        connection.execute(
            insert(messages).values(
                {
                    "id": name,
                    "ticket": name,
                    "kind": "received",
                    "created_at": NOW,
                    "next_try_at": NOW + timedelta(seconds=due),
                    "tries": 0,
                }
                | changed
            )
        )


def write_code(database: Database, name: str, address: str) -> None:
    box = seal({"email": address, "code": "ABCD-EFGH", "username": "pelapor"}, KEYS[1])
    with database.writing() as connection:
        connection.execute(
            insert(messages).values(
                id=name,
                kind="password_reset",
                reporter=name,
                sealed_letter=box,
                created_at=NOW,
                next_try_at=NOW,
                tries=0,
                expires_at=NOW + timedelta(hours=1),
            )
        )


def test_sixty_letters_to_a_slow_recipient_keep_no_letter_no_code_and_no_retry(
    database: Database, server: Server
) -> None:
    for number in range(30):
        write(database, f"new-{number}", SLOW, due=-60)
        write(database, f"again-{number}", SLOW, due=-60, tries=3, tried_since=NOW)
    write(database, "letter", "surat@example.org")
    write(database, "retry", "lagi@example.org", tries=3, tried_since=NOW)
    write_code(database, "code", "kode@example.org")
    eventually(lambda: set(server.taken) == {"surat@example.org", "lagi@example.org", "kode@example.org"}, SOON)


def test_nor_do_letters_to_many_slow_recipients(database: Database, server: Server) -> None:
    for number in range(100):
        write(database, f"new-{number}", f"{number}{SLOW_DOMAIN}", due=-60)
    for number in range(25):
        write(database, f"again-{number}", f"again-{number}{SLOW_DOMAIN}", due=-60, tries=3, tried_since=NOW)
    write(database, "letter", "surat@example.org")
    write(database, "retry", "lagi@example.org", tries=3, tried_since=NOW)
    eventually(lambda: set(server.taken) == {"surat@example.org", "lagi@example.org"}, SOON)


def test_nor_do_codes_to_one(database: Database, server: Server) -> None:
    for number in range(10):
        write_code(database, f"slow-{number}", SLOW)
    write_code(database, "xcode", "kode@example.org")
    write(database, "letter", "surat@example.org")
    eventually(lambda: {"surat@example.org", "kode@example.org"} <= set(server.taken), SOON)
    last = select(messages.c.tries, messages.c.why).where(messages.c.id == "slow-9")

    def waits() -> bool:
        with database.reading() as connection:
            return tuple(connection.execute(last).one()) == (1, "TimeoutError")

    eventually(waits)
