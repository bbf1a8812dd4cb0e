"""Unit tests open no network sockets: doing so is an error."""

from collections.abc import Iterator

import pytest
from hypothesis import settings
from pytest_socket import disable_socket, enable_socket

from tests.effort import quick

# No deadline, because the duration of one example depends more on the machine than on the code.
settings.register_profile("unit", quick())
settings.load_profile("unit")


@pytest.fixture(autouse=True)
def _no_sockets() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
