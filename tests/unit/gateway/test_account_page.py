"""The account page shows the user name."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from nkk.messaging.calls import StageUnavailableError
from tests.unit.gateway.visits import FakeBackend, log_in


@pytest.mark.parametrize("role", ["operator", "admin"])
def test_the_account_page_names_the_user_name_and_does_without_it_where_it_cannot_be_had(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]], role: str
) -> None:
    log_in(client, stages, opened(role))
    stages.answers["own_name"] = {"username": "rina.contoh"}
    assert "nama pengguna <strong><bdi>rina.contoh</bdi></strong>" in client.get("/akun").text
    stages.answers["own_name"] = StageUnavailableError("intake")
    page = client.get("/akun")
    assert (page.status_code, "nama pengguna <strong>" in page.text) == (200, False)
