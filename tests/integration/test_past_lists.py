"""The catalogue and the roster at any past moment, by which documents use the names of that time."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from nkk.sop.catalogue import CATEGORIES, OPDS
from nkk.store.database import Database
from nkk.store.work import UnitOfWork
from services.intake.storage import IntakeWork, metadata

FIRST, SECOND = datetime(2026, 3, 2, 8, 0, tzinfo=UTC), datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.fixture
def uow(url_of: Callable[[str], str]) -> Iterator[UnitOfWork[IntakeWork]]:
    """Yield intake's units of work, with lists that were not replaced yet."""
    database = Database(url_of("intake"), size=3)
    metadata.create_all(database.engine)
    yield UnitOfWork(database, IntakeWork, "intake")
    database.dispose()


def replace(uow: UnitOfWork[IntakeWork], opds: dict[str, str], at: datetime) -> None:
    with uow.begin() as work:
        work.lists.replace("opds", opds, "admin", at)


def at(uow: UnitOfWork[IntakeWork], moment: datetime) -> dict[str, str]:
    with uow.reading() as work:
        assert work.lists.at(moment).categories() == CATEGORIES
        return work.lists.at(moment).opds()


def test_lists_are_known_as_they_were_at_any_moment(uow: UnitOfWork[IntakeWork]) -> None:
    assert at(uow, SECOND) == OPDS
    with uow.reading() as work:
        assert work.lists.changed_at() is None
    replace(uow, {"a": "Satu"}, FIRST)
    replace(uow, {"a": "Dua"}, SECOND)
    assert [at(uow, moment) for moment in (FIRST - TICK, FIRST, SECOND - TICK, SECOND, SECOND + TICK)] == [
        OPDS,
        {"a": "Satu"},
        {"a": "Satu"},
        {"a": "Dua"},
        {"a": "Dua"},
    ]
    with uow.reading() as work:
        assert work.lists.changed_at() == SECOND


def test_a_list_replaced_by_the_same_has_not_changed(uow: UnitOfWork[IntakeWork]) -> None:
    replace(uow, {"a": "Satu"}, FIRST)
    replace(uow, {"a": "Satu"}, SECOND)
    with uow.reading() as work:
        assert work.lists.changed_at() == FIRST
