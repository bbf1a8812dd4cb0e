"""A whole installation for those who mean it no good, on PostgreSQL, which is the stricter one about what it keeps."""

from collections.abc import Iterator

import pytest

from ops.stack import SERVICES
from ops.stack.broker import PrivateNode
from ops.stack.postgres import PrivatePostgres
from tests.hostile.users import SeparateUsers, create_users
from tests.installations import Installation, installation, new_databases, new_vhost
from tests.people import People


@pytest.fixture(scope="package")
def whole(
    tmp_path_factory: pytest.TempPathFactory, rabbit: PrivateNode, postgres: PrivatePostgres
) -> Iterator[Installation]:
    """It keeps no stream open: an answer that does not end tells a fuzzer nothing. Two instances of intake share its
    calls, and passwords cost what they cost: how long an answer takes may tell something. One address is a proxy's.
    Each process has the broker user that it has in containers."""
    uri = new_vhost(rabbit)
    create_users(rabbit, uri)
    with installation(
        tmp_path_factory.mktemp("hostile"),
        uri,
        new_databases(postgres),
        {"NKK_LIVE_STREAMS": "0", "NKK_TRUSTED_PROXIES": "127.0.0.99/32"},
        {"intake": 2},
        SERVICES,
        SeparateUsers,
    ) as running:
        yield running


@pytest.fixture(scope="package")
def people(whole: Installation) -> Iterator[People]:
    """The people there."""
    everybody = People(whole)
    yield everybody
    everybody.close()
