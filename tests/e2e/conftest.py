"""End-to-end tests: whole installations, used over HTTP, on `tests.effort.DATABASES`.

Where the database makes no difference, a module sets `DATABASES = ["postgres"]`, which is stricter about texts. A test
of such a module that reads the databases' content is marked `on_both`.
"""

from collections.abc import Iterator

import pytest

from ops.stack.broker import PrivateNode
from ops.stack.postgres import PrivatePostgres
from tests.effort import DATABASES
from tests.installations import Installation, installation, new_databases, new_vhost
from tests.people import People


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that uses `whole` on each of its module's databases."""
    if "whole" in metafunc.fixturenames:
        on_both = metafunc.definition.get_closest_marker("on_both")
        databases = DATABASES if on_both else getattr(metafunc.module, "DATABASES", DATABASES)
        metafunc.parametrize("whole", databases, indirect=True, scope="package")


@pytest.fixture(scope="package")
def whole(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, rabbit: PrivateNode
) -> Iterator[Installation]:
    """Yield a running installation on either database, shared by the tests that do not damage it."""
    databases = None
    if request.param == "postgres":
        postgres: PrivatePostgres = request.getfixturevalue("postgres")
        databases = new_databases(postgres)
    with installation(tmp_path_factory.mktemp(request.param), new_vhost(rabbit), databases) as running:
        yield running


@pytest.fixture(scope="package")
def people(whole: Installation) -> Iterator[People]:
    """Yield the people of that installation."""
    with People(whole) as everybody:
        yield everybody
