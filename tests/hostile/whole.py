"""An installation to attack, on PostgreSQL, which is stricter about what it stores."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.stack import SERVICES
from ops.stack.broker import PrivateNode
from ops.stack.postgres import PrivatePostgres
from tests.hostile.users import SeparateUsers, create_users
from tests.installations import Installation, installation, new_databases, new_vhost


@contextmanager
def whole_installation(folder: Path, rabbit: PrivateNode, postgres: PrivatePostgres) -> Iterator[Installation]:
    """Yield an installation to attack.

    It allows no live streams, because an endless response tells a fuzzer nothing. It has two instances of intake, real
    password hashing (response times may reveal something), a trusted proxy's address, and a broker user for each
    process, as in containers.
    """
    uri = new_vhost(rabbit)
    create_users(rabbit, uri)
    with installation(
        folder,
        uri,
        new_databases(postgres),
        {"NKK_LIVE_STREAMS": "0", "NKK_TRUSTED_PROXIES": "127.0.0.99/32"},
        {"intake": 2},
        SERVICES,
        SeparateUsers,
    ) as running:
        yield running
