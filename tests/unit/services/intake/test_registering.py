"""A repeated registration, on a database of its own."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from services.intake.domain import SENT_AGAIN_WITHIN, UsernameTaken
from services.intake.storage import accounts
from tests.boxes import asked
from tests.intake import NOW, PUBLIC, REGISTRATION, intake_at


@pytest.fixture
def intake(tmp_path):
    with intake_at(f"sqlite:///{tmp_path}/intake.db") as service:
        yield service


def register(intake, **changed):
    return asked(intake, PUBLIC, "register", REGISTRATION | changed)["reporter_id"]


def named(intake):
    with intake.uow.database.reading() as connection:
        return (
            connection.execute(
                select(accounts.c.id).where(
                    accounts.c.login_index == intake.vault.login_index(REGISTRATION["username"])
                )
            )
            .scalars()
            .all()
        )


def test_a_registration_sent_again_a_moment_later_is_answered_as_before(intake):
    assert register(intake) == register(intake)
    assert len(named(intake)) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"identity_number": "1971015503900001"},
        {"email": "lain@example.org"},
        {"name": "Orang Lain"},
        {"phone": "0812 3456 789"},
        {"password": "kata sandi yang lain"},
    ],
    ids=str,
)
def test_whoever_is_somebody_else_is_told_that_the_name_is_taken(intake, changed):
    register(intake)
    with pytest.raises(UsernameTaken):
        register(intake, **changed)


def test_what_was_registered_long_ago_is_taken_for_whoever_sends_it(intake):
    register(intake)
    with intake.uow.database.writing() as connection:
        connection.execute(update(accounts).values(created_at=NOW - SENT_AGAIN_WITHIN - timedelta(seconds=1)))
    with pytest.raises(UsernameTaken):
        register(intake)
