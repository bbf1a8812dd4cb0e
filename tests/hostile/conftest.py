"""Tests that attack a whole installation."""

from collections.abc import Iterator

import pytest

from ops.stack.broker import PrivateNode
from ops.stack.postgres import PrivatePostgres
from tests.hostile.whole import whole_installation
from tests.installations import Installation
from tests.people import People


@pytest.fixture(scope="package")
def whole(
    tmp_path_factory: pytest.TempPathFactory, rabbit: PrivateNode, postgres: PrivatePostgres
) -> Iterator[Installation]:
    """Yield an installation to attack, the same for all tests of this room."""
    with whole_installation(tmp_path_factory.mktemp("hostile"), rabbit, postgres) as running:
        yield running


@pytest.fixture(scope="package")
def people(whole: Installation) -> Iterator[People]:
    """Yield the people of that installation."""
    with People(whole) as everybody:
        yield everybody
