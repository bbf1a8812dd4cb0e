"""Fixtures of the integration tests: a RabbitMQ virtual host for each module, and either database."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kombu import Connection
from sqlalchemy import inspect

from nkk.store.database import Database, new_metadata
from nkk.store.outbox import closed_table, inbox_table, outbox_table
from nkk.store.work import UnitOfWork, Work
from ops.stack.broker import PrivateNode
from ops.stack.ports import LOOPBACK, free_port
from ops.stack.postgres import PrivatePostgres
from ops.stack.tls import Listener
from tests.certificates import Authority
from tests.effort import DATABASES
from tests.installations import eventually, new_vhost
from tests.stages import House, house

metadata = new_metadata()


class PlainWork(Work):
    """The plain unit of work of a stage, with its outbox, its inbox and its closed complaints only."""

    OUTBOX = outbox_table(metadata)
    INBOX = inbox_table(metadata)
    CLOSED = closed_table(metadata)


@pytest.fixture(scope="session")
def own_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return the authority that has signed the certificate of `own_node`."""
    return Authority.new(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def own_node(tmp_path_factory: pytest.TempPathFactory, own_authority: Authority) -> Iterator[PrivateNode]:
    """Yield a private broker that tests may stop and set otherwise, and must leave running and as it was.

    It has the management API, and a listener with TLS.
    """
    folder = tmp_path_factory.mktemp("node")
    certificate, key = own_authority.sign(folder, LOOPBACK)
    # On all addresses, of which the certificate names one.
    tls = Listener(str(certificate), str(key), "0.0.0.0", free_port(), LOOPBACK)
    with PrivateNode(folder / "node", management=True, tls=tls) as node:
        yield node
        node.kill()


@pytest.fixture
def own_uri(own_node: PrivateNode) -> str:
    """Return the URI of a virtual host of one test alone on `own_node`."""
    return new_vhost(own_node)


@pytest.fixture
def until_one_is_too_slow(own_node: PrivateNode) -> Iterator[Callable[[], None]]:
    """Have `own_node` wait a second for acknowledgements; yield what returns once that was too long for a tool."""
    before = _timeouts(own_node)
    _set(own_node, consumer_timeout=1000, channel_tick_interval=300)

    def until_one_is() -> None:
        eventually(lambda: _timeouts(own_node) > before)
        _set(own_node, consumer_timeout=600_000)

    yield until_one_is
    _set(own_node, consumer_timeout=600_000, channel_tick_interval=60_000)


def _set(node: PrivateNode, **settings: int) -> None:
    node.ctl("eval", ", ".join(f"application:set_env(rabbit, {name}, {to})" for name, to in settings.items()) + ".")


def _timeouts(node: PrivateNode) -> int:
    return sum(log.read_text().count("timed out") for log in (node.folder / "log").glob("*.log"))


@pytest.fixture(scope="module")
def uri(rabbit: PrivateNode) -> str:
    """Return the URI of a virtual host for this module."""
    return new_vhost(rabbit)


@pytest.fixture
def connection(uri: str) -> Iterator[Connection]:
    """Yield a connection to the module's virtual host."""
    with Connection(uri) as connection:
        yield connection


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Yield a stage's empty database."""
    url = f"sqlite:///{tmp_path}/stage.db"
    if request.param == "postgres":
        postgres = request.getfixturevalue("postgres")
        name = f"plain_{uuid.uuid4().hex[:8]}"
        postgres.create(name)
        url = postgres.url(name)
    found = Database(url, size=10)
    metadata.create_all(found.engine)
    yield found
    found.dispose()


@pytest.fixture
def on_postgres(postgres: PrivatePostgres) -> Iterator[Database]:
    """Yield a stage's empty database on PostgreSQL with two connections, for what only PostgreSQL does."""
    name = f"plain_{uuid.uuid4().hex[:8]}"
    postgres.create(name)
    found = Database(postgres.url(name), size=2)
    metadata.create_all(found.engine)
    yield found
    found.dispose()


@pytest.fixture(scope="module")
def kept() -> dict[str, str]:
    """Return the URLs by stage of PostgreSQL databases that a module's tests share, because creating them is slow."""
    return {}


@pytest.fixture(params=DATABASES)
def url_of(request: pytest.FixtureRequest, tmp_path: Path, kept: dict[str, str]) -> Callable[[str], str]:
    """Return a function that returns the URL of a stage's database, which it has emptied."""

    def emptied(stage: str) -> str:
        if request.param == "sqlite":
            return f"sqlite:///{tmp_path}/{stage}.db"
        if stage not in kept:
            postgres = request.getfixturevalue("postgres")
            name = f"{stage}_{uuid.uuid4().hex[:8]}"
            postgres.create(name)
            kept[stage] = postgres.url(name)
        database = Database(kept[stage], size=1)
        with database.writing() as connection:
            tables = inspect(connection).get_table_names()
            if tables and "alembic_version" not in tables:
                # Made from the models, which suit the next test too: truncating takes a tenth of the time.
                named = ", ".join(f'"{table}"' for table in tables)
                connection.exec_driver_sql(f"TRUNCATE {named} RESTART IDENTITY CASCADE")
            else:
                connection.exec_driver_sql("DROP SCHEMA public CASCADE")
                connection.exec_driver_sql("CREATE SCHEMA public")
        database.dispose()
        return kept[stage]

    return emptied


@pytest.fixture(scope="module", params=DATABASES)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Yield the four stages on either database, for all tests of a module; `stages` empties their desks for each."""
    folder, prefix = tmp_path_factory.mktemp("stages"), f"stages_{uuid.uuid4().hex[:8]}"

    def url_of(stage: str) -> str:
        if request.param == "sqlite":
            return f"sqlite:///{folder}/{stage}.db"
        postgres = request.getfixturevalue("postgres")
        postgres.create(f"{prefix}_{stage}")
        return postgres.url(f"{prefix}_{stage}")

    with house(url_of) as built:
        yield built


@pytest.fixture
def stages(built: House) -> House:
    """Return the stages, with empty desks."""
    built.empty()
    return built


@pytest.fixture
def uow(database: Database) -> UnitOfWork[PlainWork]:
    """Return units of work on the database, which publish as triage does."""
    return UnitOfWork(database, PlainWork, "triage")
