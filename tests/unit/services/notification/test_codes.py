"""How notification handles a requested reset code, on a database of its own."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from nkk.contracts.events import PasswordResetRequested
from nkk.store.database import Database
from nkk.store.work import AlreadyHandledError, UnitOfWork
from nkk.trust.sealing import new_key_pair
from services.notification.keyed import Keyed
from services.notification.service import NotificationService
from services.notification.storage import NotificationWork, messages, metadata
from tests.builders import heard

KEYED = Keyed(new_key_pair()[0])


class Mailer:
    """A mailer that counts how often it is woken."""

    def __init__(self):
        self.woken = 0

    def wake(self):
        self.woken += 1


@pytest.fixture
def service(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/notification.db", size=3)
    metadata.create_all(database.engine)
    service = NotificationService()
    service.uow, service.mailer = UnitOfWork(database, NotificationWork, "notification"), Mailer()
    service.keyed = KEYED
    yield service
    database.dispose()


def asked(left, reporter="reporter-1"):
    now = datetime.now(UTC)
    data = PasswordResetRequested(reporter_id=reporter, sealed_letter=f"box of {reporter}", expires_at=now + left)
    return heard(data, now)


def waiting(service):
    with service.uow.database.reading() as connection:
        return connection.execute(select(messages)).all()


def test_a_code_becomes_one_letter_about_no_complaint_however_often_it_is_heard(service):
    event = asked(timedelta(hours=1))
    service.on_password_reset_requested(event)
    with pytest.raises(AlreadyHandledError):
        service.on_password_reset_requested(event)
    (letter,) = waiting(service)
    assert (letter.kind, letter.reporter, letter.ticket) == ("password_reset", KEYED.reporter("reporter-1"), None)
    assert letter.reporter_id is None
    assert (letter.sealed_letter, letter.expires_at) == ("box of reporter-1", event.data.expires_at)
    assert service.mailer.woken == 1


def test_a_code_heard_of_after_it_expired_is_no_letter_and_does_not_keep_its_event_waiting(service):
    service.on_password_reset_requested(asked(timedelta(seconds=-1)))
    assert waiting(service) == []


def test_a_code_is_of_one_reporter(service):
    reporters = ("reporter-1", "reporter-2")
    for reporter in reporters:
        service.on_password_reset_requested(asked(timedelta(hours=1), reporter))
    assert {letter.reporter for letter in waiting(service)} == set(map(KEYED.reporter, reporters))
