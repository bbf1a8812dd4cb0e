"""End-to-end: the whole installation as its users meet it, on SQLite and on PostgreSQL.

Where the database decides nothing, a module names one: `DATABASES = ["postgres"]`, which is the stricter about texts. A
test that looks into the database is marked `on_both`.
"""

from collections.abc import Iterator

import pytest

from ops.stack.broker import PrivateNode
from ops.stack.postgres import PrivatePostgres
from tests.installations import Installation, installation, new_databases, new_vhost
from tests.people import People


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The installation that a test asks for, on each of its module's databases."""
    if "whole" in metafunc.fixturenames:
        both = ["sqlite", "postgres"]
        on_both = metafunc.definition.get_closest_marker("on_both")
        databases = both if on_both else getattr(metafunc.module, "DATABASES", both)
        metafunc.parametrize("whole", databases, indirect=True, scope="package")


@pytest.fixture(scope="package")
def whole(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, rabbit: PrivateNode
) -> Iterator[Installation]:
    """A running installation on either database, shared by the tests that do not hurt it."""
    databases = None
    if request.param == "postgres":
        postgres: PrivatePostgres = request.getfixturevalue("postgres")
        databases = new_databases(postgres)
    with installation(tmp_path_factory.mktemp(request.param), new_vhost(rabbit), databases) as running:
        yield running


@pytest.fixture(scope="package")
def people(whole: Installation) -> Iterator[People]:
    """The people at that installation."""
    everybody = People(whole)
    yield everybody
    everybody.close()
