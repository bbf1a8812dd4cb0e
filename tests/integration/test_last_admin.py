"""The last active admin cannot be disabled, even by several attempts at once."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from datetime import UTC, datetime

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import insert, select

from nkk.store.database import Database
from nkk.store.work import UnitOfWork
from nkk.trust.actor import Actor
from nkk.trust.sealing import new_key_pair
from services.intake.domain import LastAdmin
from services.intake.identity import Vault
from services.intake.service import IntakeService
from services.intake.storage import IntakeWork, accounts, metadata
from tests.boxes import asked

PRIVATE, PUBLIC = new_key_pair()
NAMES = ("admin-satu", "admin-dua", "admin-tiga")


@pytest.fixture
def intake(url_of: Callable[[str], str]) -> Iterator[IntakeService]:
    """Yield intake with three admins and an operator."""
    database = Database(url_of("intake"), size=10)
    metadata.create_all(database.engine)
    service = IntakeService()
    service.vault = Vault([Fernet.generate_key().decode()], "index", PRIVATE, PUBLIC)
    service.uow = UnitOfWork(database, IntakeWork, "intake")
    with database.writing() as connection:
        for name in (*NAMES, "operator"):
            connection.execute(
                insert(accounts).values(
                    id=name,
                    login_index=service.vault.login_index(name),
                    password_hash="x",
                    username=name,
                    name=name,
                    role="operator" if name == "operator" else "admin",
                    failed_attempts=0,
                    created_at=datetime.now(UTC),
                )
            )
    yield service
    database.dispose()


def disable(intake: IntakeService, name: str, by: str) -> bool:
    """Return whether `by` could disable `name`."""
    try:
        asked(copy(intake), PUBLIC, "disable_staff", {"username": name}, Actor(by, "admin"))
    except LastAdmin:
        return False
    return True


def left(intake: IntakeService) -> set[str]:
    with intake.uow.database.reading() as connection:
        return set(connection.execute(select(accounts.c.username).where(accounts.c.disabled_at.is_(None))).scalars())


def test_an_admin_cannot_disable_themselves_where_they_are_the_last(intake: IntakeService) -> None:
    assert disable(intake, "operator", by="admin-satu")
    assert disable(intake, "admin-dua", by="admin-satu")
    assert disable(intake, "admin-tiga", by="admin-satu")
    assert not disable(intake, "admin-satu", by="admin-satu")
    assert not disable(intake, "admin-satu", by="command-line")
    assert disable(intake, "admin-tiga", by="admin-satu")
    assert left(intake) == {"admin-satu"}


def test_of_admins_who_disable_each_other_at_once_one_stays(intake: IntakeService) -> None:
    together = threading.Barrier(len(NAMES))

    def act(number: int) -> bool:
        together.wait()
        return disable(intake, NAMES[number], by=NAMES[number - 1])

    with ThreadPoolExecutor(len(NAMES)) as pool:
        done = list(pool.map(act, range(len(NAMES))))
    assert sorted(done) == [False, True, True]
    assert len(left(intake) - {"operator"}) == 1
