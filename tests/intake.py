"""Intake without a broker, on a database of its own, and one call of each method that takes a box."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from datetime import UTC, datetime
from typing import Any

from cryptography.fernet import Fernet
from sqlalchemy import insert, select

from nkk.desk import Calendars
from nkk.messaging.boxes import Question
from nkk.settings.keys import as_pem
from nkk.store.database import Database
from nkk.store.work import UnitOfWork
from nkk.trust.actor import Actor
from nkk.trust.sealing import new_key_pair
from ops.stack.keys import new_keys
from services.intake import entries
from services.intake.domain import Account
from services.intake.identity import Vault
from services.intake.resets import LIFETIME, hash_of
from services.intake.service import IntakeService
from services.intake.storage import IntakeWork, accounts, complaints, metadata, password_resets, reporters, sessions
from services.intake.storage import entries as entry_rows
from tests.boxes import PROOF, called_by, proved
from tests.builders import REPORT, complaint

PRIVATE, PUBLIC = new_key_pair()
NOW = datetime.now(UTC)
REPORTER = Actor("pelapor", "reporter", None, "s-pelapor")
OPERATOR = Actor("operator", "operator", None, "s-operator")
MAIN_TEAM = Actor("tim-utama", "main_team", None, "s-tim-utama")
ADMIN = Actor("admin", "admin", None, "s-admin")
WEBSITE = Actor("situs", "website", None, "s-situs")
OTHER_WEBSITE = Actor("situs-lain", "website", None, "s-situs-lain")
PEOPLE = (REPORTER, OPERATOR, MAIN_TEAM, ADMIN, WEBSITE, OTHER_WEBSITE)
NEW = "sandi yang baru 42"
IDENTITY = {
    "name": "Pelapor Contoh",
    "identity_number": "1971011503900001",
    "email": "pelapor@example.org",
    "phone": None,
    "username": "pelapor",
}
REGISTRATION = {
    "kind": "public",
    "identity_number": "1971014107900001",
    "name": "Warga Contoh",
    "email": "warga@example.org",
    "username": "warga-baru",
    "password": "sandi yang panjang",
}
STAFF = {"username": "petugas-baru", "name": "Petugas", "role": "operator", "password": "sandi yang panjang"}

ENTRY = {
    "reporter": {key: REGISTRATION[key] for key in ("kind", "identity_number", "name", "email")},
    "form": REPORT,
    "idempotency_key": "a key",
}

CALLS: dict[str, tuple[Actor | None, dict[str, Any]]] = {
    "register": (None, REGISTRATION),
    "log_in": (None, {"username": "pelapor", "password": "pelapor"}),
    "renew": (None, {"refresh_token": "pelapor"}),
    "request_reset": (None, {"username": "pelapor"}),
    "complete_reset": (None, {"token": "code", "password": NEW}),
    "contact": (REPORTER, {}),
    "own_name": (REPORTER, {}),
    "change_contact": (REPORTER, {"email": "baru@example.org", "phone": None, "password": "pelapor"}),
    "change_password": (REPORTER, {"password": "pelapor", "new_password": NEW}),
    "identity": (OPERATOR, {"ticket": "open"}),
    "staff_account": (ADMIN, {"username": "operator"}),
    "colleague": (MAIN_TEAM, {"username": "operator"}),
    "add_staff": (ADMIN, STAFF),
    "set_staff_nip": (ADMIN, {"username": "operator", "nip": "198503122010011003"}),
    "disable_staff": (ADMIN, {"username": "operator"}),
    "reset_staff": (ADMIN, {"username": "operator", "password": NEW}),
    "let_staff_in": (ADMIN, {"username": "operator"}),
    "open_account": (None, {"access_code": "code", "username": "warga-lain", "password": NEW}),
    "submit_for": (WEBSITE, ENTRY),
    "renew_code": (OPERATOR, {"ticket": "walked-in"}),
    "paper_receipt": (OPERATOR, {"ticket": "walked-in", "access_code": "slip"}),
    "add_website": (ADMIN, {"name": "situs-baru"}),
    "rotate_website": (ADMIN, {"name": "situs-lain"}),
    "remove_website": (ADMIN, {"name": "situs-lain"}),
}
"""One successful call of each method that takes a sealed box, as (actor, content)."""


class Passwords:
    """A fake of password hashing that costs nothing."""

    def hash(self, password: str) -> str:
        return f"hash of {password}"

    def matches(self, password: str, password_hash: str | None) -> bool:
        return password_hash == self.hash(password)

    def renewed(self, password: str, password_hash: str) -> str:
        return password_hash

    @property
    def of_known_staff(self) -> "Passwords":
        return self


@contextmanager
def intake_at(url: str) -> Iterator[IntakeService]:
    """Yield intake with its database at `url`: a reporter, staff, two websites, reports, entries and codes."""
    database = Database(url, size=10)
    metadata.create_all(database.engine)
    service = IntakeService()
    service.vault, service.passwords = Vault([Fernet.generate_key().decode()], "index", PRIVATE, PUBLIC), Passwords()
    service.signing_key = as_pem(new_keys()["NKK_TOKEN_SIGNING_KEY"])
    service.uow = UnitOfWork(database, IntakeWork, "intake")
    service.calendars = Calendars(service.uow)
    with database.writing() as connection:
        for person in PEOPLE:
            connection.execute(
                insert(accounts).values(
                    id=person.id,
                    login_index=service.vault.login_index(person.id),
                    password_hash=f"hash of {person.id}",
                    role=person.role,
                    username=person.id,
                    name=person.id,
                    failed_attempts=0,
                    created_at=NOW,
                )
            )
            connection.execute(
                insert(sessions).values(
                    id=person.session,
                    account_id=person.id,
                    expires_at=NOW + LIFETIME,
                    refresh_hash=hashlib.sha256(person.id.encode()).hexdigest(),
                )
            )
        connection.execute(
            insert(reporters).values(id=REPORTER.id, kind="public", identity=service.vault.encrypt(IDENTITY))
        )
        for ticket, confidential, channel in (
            ("open", False, "web"),
            ("confidential", True, "web"),
            ("walked-in", False, "counter"),
        ):
            changed = {"ticket": ticket, "reporter_id": REPORTER.id, "channel": channel}
            report = vars(complaint(confidential=confidential)) | changed
            connection.execute(insert(complaints).values(report))
        connection.execute(insert(accounts).values(vars(Account.without_log_in("masuk", NOW)) | {"failed_attempts": 0}))
        identity = service.vault.encrypt(IDENTITY | {"username": None})
        connection.execute(insert(reporters).values(id="masuk", kind="public", identity=identity, address_index="x"))
        hash_of_code = entries.hash_of(service.vault.hidden, "code")
        entry = entries.Entry("entered", OTHER_WEBSITE.id, "masuk", NOW, hash_of_code, NOW + entries.CODE_LIFETIME)
        connection.execute(insert(entry_rows).values(vars(entry)))
        slip = entries.hash_of(service.vault.hidden, "slip")
        walked_in = entries.Entry("walked-in", OPERATOR.id, REPORTER.id, NOW, slip, NOW + entries.CODE_LIFETIME)
        connection.execute(insert(entry_rows).values(vars(walked_in)))
        connection.execute(
            insert(password_resets).values(
                account_id=REPORTER.id, token_hash=hash_of("code"), expires_at=NOW + LIFETIME, told=1, told_since=NOW
            )
        )
    try:
        yield service
    finally:
        database.dispose()


def stored(intake: IntakeService) -> dict[str, list[str]]:
    """Return everything in intake's database."""
    with intake.uow.database.reading() as connection:
        return {table.name: sorted(map(repr, connection.execute(select(table)))) for table in metadata.sorted_tables}


def sent(intake: IntakeService, method: str, box: Any, actor: Actor | None) -> Any:
    """Return intake's answer to a call with `box` and the access token of `actor`."""
    return getattr(called_by(copy(intake), actor and proved(actor)), method)(box)


def question(method: str, now: datetime | None = None) -> Question:
    actor, content = CALLS[method]
    return Question(method, content, PUBLIC, PROOF if actor else None, now)
