"""Processor time per letter, for this service, for the standard library's email package, and for the whole mailer.

The first two compose a letter and write it to a folder. The mailer's work goes from a database row to a file, an update
of the row and a log line. `python -m bench.lettering` prints milliseconds, each the minimum of five rounds taken in
turn.
"""

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default as policy
from functools import partial
from pathlib import Path
from string import Template
from time import process_time
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import insert

from nkk.log import configure
from nkk.settings import NKK_MAIL_FROM
from nkk.store.database import Database
from nkk.trust.sealing import new_key_pair, seal
from services.notification import leaving, mail
from services.notification.composing import compose, template_of
from services.notification.keyed import Keyed
from services.notification.postboxes import Pace
from services.notification.storage import Contacts, journeys, messages, metadata

ROUNDS = 5
LETTERS_A_ROUND = 400
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
SENDER = NKK_MAIL_FROM.get({"NKK_MAIL_FROM": "Pengaduan NKK <pengaduan@example.id>"})
WORDS = {
    "ticket": "NKK-2026-EDXY-ER30",
    "site": "https://pengaduan.example.id",
    "service_due": "Rabu, 4 Maret 2026 pukul 08.00 WIB",
}


def by_the_email_package(
    kind: str, email: str, message_id: str, sender: str, words: Mapping[str, str], at: datetime
) -> EmailMessage:
    """Return the same letter as `compose` does, built header by header."""
    text = Template(template_of(kind, "code_page" in words)).substitute(words)
    subject, _, body = text.partition("\n")
    message = EmailMessage(policy)
    message["Subject"] = subject
    message["From"] = sender
    message["To"] = email
    message["Date"] = at
    message["Message-ID"] = f"<{message_id}@{urlsplit(words['site']).hostname}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body.lstrip("\n"))
    return message


def measured(folder: Path, count: int, rounds: int) -> dict[str, float]:
    """Return the milliseconds of processor time per letter of each way."""
    ways: dict[str, Callable[[int], None]] = {
        "email package": partial(_by_the_package, folder),
        "ours": partial(_ours, folder),
    }
    found: dict[str, list[float]] = {}
    for turn in range(rounds):
        for way, write in ways.items():
            began = process_time()
            write(count)
            found.setdefault(way, []).append(process_time() - began)
        found.setdefault("the mailer, row to mark", []).append(_mailer(folder / str(turn), count))
    return {way: round(min(seconds) / count * 1000, 3) for way, seconds in found.items()}


def _by_the_package(folder: Path, count: int) -> None:
    for number in range(count):
        letter = by_the_email_package("received", "siti@example.id", f"{number:032x}", SENDER.header, WORDS, NOW)
        (folder / f"{number}.part").write_bytes(bytes(letter))
        (folder / f"{number}.part").rename(folder / f"{number}.eml")


def _ours(folder: Path, count: int) -> None:
    with leaving.sender(None, folder) as send:
        for number in range(count):
            send(compose("received", "siti@example.id", f"{number:032x}", SENDER, WORDS, NOW))


def _mailer(folder: Path, count: int) -> float:
    folder.mkdir()
    private, public = new_key_pair()
    keyed, database = Keyed(private), Database(f"sqlite:///{folder}/notification.db", size=3)
    metadata.create_all(database.engine)
    _fill(database, keyed, public, count)
    mailer: Any = mail.Mailer()
    mailer._key, mailer._keyed, mailer._site, mailer._from = private, keyed, WORDS["site"], SENDER
    mailer._sender, mailer._pace = partial(leaving.sender, None, folder), Pace(keyed, 12)
    began = process_time()
    while mailer.send_batch(database):
        pass
    seconds = process_time() - began
    database.dispose()
    return seconds


def _fill(database: Database, keyed: Keyed, public: str, count: int) -> None:
    with database.writing() as connection:
        for number in range(count):
            ticket, reporter = f"NKK-2026-{number:04d}-0000", f"reporter-{number}"
            connection.execute(
                insert(journeys).values(
                    ticket=ticket, service_due_at=NOW, sealed_reporter=keyed.seal_reporter(ticket, reporter)
                )
            )
            Contacts(connection).keep(keyed.reporter(reporter), seal({"email": f"{reporter}@example.id"}, public), NOW)
            connection.execute(
                insert(messages).values(
                    id=f"{number:036x}", ticket=ticket, kind="received", created_at=NOW, next_try_at=NOW, tries=0
                )
            )


def main() -> None:
    """Print the results, and discard the log that goes to stderr."""
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
        configure()
        with tempfile.TemporaryDirectory(prefix="nkk-bench-") as name:
            print(json.dumps(measured(Path(name), LETTERS_A_ROUND, ROUNDS), indent=1))


if __name__ == "__main__":
    main()
