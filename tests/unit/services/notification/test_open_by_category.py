"""An admin sees how many complaints of a category are open, and nothing else about them."""

from inspect import unwrap

from nkk.store.database import Database
from nkk.store.work import UnitOfWork
from nkk.trust.actor import Actor
from services.notification.service import NotificationService
from services.notification.storage import NotificationWork, journeys, metadata
from tests.builders import MONDAY


def test_what_is_not_closed_is_counted_by_category_and_sub_category(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/n.db", size=2)
    metadata.create_all(database.engine)
    service = NotificationService()
    service.uow = UnitOfWork(database, NotificationWork, "notification")
    rows = [
        ("one", "etik", "jujur", None),
        ("two", "etik", "jujur", None),
        ("three", "etik", "lain", None),
        ("four", "etik", "lain", MONDAY),
        ("five", None, None, None),
    ]
    with service.uow.begin() as work:
        for ticket, category, sub_category, closed_at in rows:
            values = {"category": category, "sub_category": sub_category, "closed_at": closed_at}
            work.connection.execute(journeys.insert().values(ticket=ticket, **values))
    counted = unwrap(NotificationService.open_by_category)(service, Actor("admin", "admin"))
    assert counted == {"etik": 3, "etik/jujur": 2, "etik/lain": 1}
    database.dispose()
