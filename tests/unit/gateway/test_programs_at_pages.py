"""The pages are for people: the server of another website uses the API only."""

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient

from tests.unit.gateway.visits import FakeBackend, log_in, set_cookies

Opened = Callable[..., dict[str, Any]]


def test_a_websites_log_in_at_the_pages_is_refused_with_a_sentence_and_ended(
    client: FlaskClient, stages: FakeBackend, opened: Opened
) -> None:
    stages.answers["log_out"] = None
    response = log_in(client, stages, opened("website"))
    assert response.status_code == 403
    assert "Akun ini bukan untuk orang" in response.text
    assert stages.asked[-1] == ("log_out", ())
    assert set(set_cookies(response)).isdisjoint({"nkk_device"})
    assert client.get_cookie("nkk_access") is None


def test_a_websites_token_in_a_cookie_opens_no_page(client: FlaskClient, opened: Opened) -> None:
    client.set_cookie("nkk_access", opened("website")["access_token"])
    response = client.get("/akun")
    assert response.status_code == 303
    assert response.headers["Location"].startswith("/masuk")
    assert client.get("/masuk").status_code == 200
