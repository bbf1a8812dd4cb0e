"""End-to-end: the whole installation as its users meet it, on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest

from nkk.stack.broker import PrivateNode
from nkk.stack.postgres import PrivatePostgres
from tests.installations import Installation, installation, new_databases, new_vhost
from tests.people import People


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, rabbit: PrivateNode
          ) -> Iterator[Installation]:
    """A running installation on either database, shared by the tests that do not hurt it."""
    databases = None
    if request.param == "postgres":
        postgres: PrivatePostgres = request.getfixturevalue("postgres")
        databases = new_databases(postgres)
    with installation(tmp_path_factory.mktemp(request.param), new_vhost(rabbit), databases) as running:
        yield running


@pytest.fixture(scope="session")
def people(whole: Installation) -> Iterator[People]:
    """The people at that installation."""
    everybody = People(whole)
    yield everybody
    everybody.close()
