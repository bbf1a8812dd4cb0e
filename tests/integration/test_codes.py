"""Codes for a new password, sent by several instances of intake at once, on either database."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import copy

import pytest
from sqlalchemy import insert, select

from nkk.contracts.events import PasswordResetRequested
from services.intake.resets import ASKED, OLDEST
from services.intake.service import IntakeService
from services.intake.storage import accounts, outbox, reporters
from tests.boxes import asked
from tests.intake import IDENTITY, NOW, PUBLIC, intake_at


@pytest.fixture
def intake(url_of: Callable[[str], str]) -> Iterator[IntakeService]:
    """Yield intake on either database."""
    with intake_at(url_of("intake")) as service:
        yield service


def register(intake: IntakeService, username: str) -> None:
    """Add an account with the e-mail address of `pelapor`."""
    with intake.uow.database.writing() as connection:
        connection.execute(
            insert(accounts).values(
                id=username,
                login_index=intake.vault.login_index(username),
                password_hash="h",
                role="reporter",
                failed_attempts=0,
                created_at=NOW,
            )
        )
        identity = intake.vault.encrypt(IDENTITY | {"username": username})
        connection.execute(
            insert(reporters).values(
                id=username,
                kind="public",
                identity=identity,
                address_index=intake.vault.address_index(IDENTITY["email"]),
            )
        )


def test_what_is_counted_for_an_address_is_counted_once_whoever_answers(intake: IntakeService) -> None:
    intake.index_addresses()
    others = [f"z-{number}" for number in range(OLDEST)]
    for name in others:
        register(intake, name)
    for form in ({"username": name} for _ in range(ASKED) for name in (*others, "pelapor")):
        asked(copy(intake), PUBLIC, "request_reset", form)
        asked(copy(intake), PUBLIC, "request_reset", {"email": IDENTITY["email"]})
    with ThreadPoolExecutor(8) as pool:
        for answered in [pool.submit(copy(intake).answer_resets) for _ in range(8)]:
            answered.result(60)
    with intake.uow.database.reading() as connection:
        told = connection.execute(select(outbox.c.body).where(outbox.c.type == PasswordResetRequested.TYPE)).scalars()
        letters = Counter(PasswordResetRequested.read(body).data.reporter_id for body in told)
    assert letters == dict.fromkeys(("pelapor", *others), ASKED)
