"""A whole installation for those who mean it no good, on PostgreSQL, which is the stricter one about what it keeps."""

from collections.abc import Iterator

import pytest

from nkk.stack.broker import PrivateNode
from nkk.stack.postgres import PrivatePostgres
from tests.installations import Installation, installation, new_databases, new_vhost
from tests.people import People


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, rabbit: PrivateNode, postgres: PrivatePostgres
          ) -> Iterator[Installation]:
    """It keeps no stream open: an answer that does not end tells a fuzzer nothing. Two instances of
    intake share its calls."""
    with installation(tmp_path_factory.mktemp("hostile"), new_vhost(rabbit), new_databases(postgres),
                      {"NKK_LIVE_STREAMS": "0"}, {"intake": 2}) as running:
        yield running


@pytest.fixture(scope="session")
def people(whole: Installation) -> Iterator[People]:
    """The people there."""
    everybody = People(whole)
    yield everybody
    everybody.close()
