"""Bad days: real processes that die, freeze, lose the broker or the database, or are told nonsense."""

from collections.abc import Iterator

import pytest

from ops.stack.broker import PrivateNode
from ops.stack.postgres import PrivatePostgres
from tests.effort import DATABASES
from tests.faults.trial import Trial
from tests.faults.trial import trial as new_trial
from tests.installations import new_databases, new_vhost


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the shared installations as late as possible, because an idle one, too, takes processor time."""
    items.sort(key=_shared)


def _shared(item: pytest.Item) -> int:
    """Return which installation the test shares: 0 for none, 1 on SQLite, 2 on PostgreSQL."""
    on = item.callspec.params.get("trial") if hasattr(item, "callspec") else None
    if on == "postgres":
        return 2
    return int(on == "sqlite" or "sqlite_trial" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="package")
def sqlite_trial(tmp_path_factory: pytest.TempPathFactory, rabbit: PrivateNode) -> Iterator[Trial]:
    """An installation on SQLite, two instances of intake, shared by tests that leave it working."""
    with new_trial(tmp_path_factory.mktemp("trial"), new_vhost(rabbit), scale={"intake": 2}) as running:
        yield running


@pytest.fixture(scope="package")
def postgres_trial(
    tmp_path_factory: pytest.TempPathFactory, rabbit: PrivateNode, postgres: PrivatePostgres
) -> Iterator[Trial]:
    """The same on PostgreSQL."""
    with new_trial(
        tmp_path_factory.mktemp("trial"), new_vhost(rabbit), new_databases(postgres), scale={"intake": 2}
    ) as running:
        yield running


@pytest.fixture(params=DATABASES)
def trial(request: pytest.FixtureRequest) -> Trial:
    """Either of them."""
    return request.getfixturevalue(f"{request.param}_trial")


@pytest.fixture
def tidied(sqlite_trial: Trial) -> Iterator[Trial]:
    """The one on SQLite, its quarantine emptied afterwards."""
    yield sqlite_trial
    sqlite_trial.tidy()
