"""The page on which a person opens an account by the code that another website showed."""

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient

from nkk.messaging.calls import RefusedRemotelyError
from nkk.sop import faults
from tests.unit.gateway.visits import FakeBackend, token

PATH = "/akun/kode"
CODE = "7H4K-Q2MV-0NXV-3M3W"
FORM = {"access_code": CODE, "username": "warga-portal", "password": "rahasia-sekali-42"}


def send(client: FlaskClient, **changed: str) -> Any:
    return client.post(PATH, data=FORM | changed | {"csrf_token": token(client, PATH)})


def test_who_opens_an_account_is_logged_in_and_led_to_the_report(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]
) -> None:
    stages.answers |= {"open_account": {"reporter_id": "x"}, "log_in": opened()}
    response = send(client)
    assert (response.status_code, response.headers["Location"]) == (303, "/laporan")
    assert stages.asked[0] == ("open_account", (FORM,))


def test_a_refused_code_is_said_at_its_field_and_what_was_typed_stays_but_the_password(
    client: FlaskClient, stages: FakeBackend
) -> None:
    stages.answers["open_account"] = RefusedRemotelyError(
        "AccessCodeRefused", "access-code-refused", {"fields": {"access_code": [faults.ACCESS_CODE_REFUSED()]}}
    )
    response = send(client)
    assert response.status_code == 422
    assert 'id="access_code-fault"' in response.text
    assert (CODE in response.text, "warga-portal" in response.text) == (True, True)
    assert FORM["password"] not in response.text


def test_a_name_that_is_taken_is_said_at_its_field(client: FlaskClient, stages: FakeBackend) -> None:
    stages.answers["open_account"] = RefusedRemotelyError(
        "UsernameTaken", "username-taken", {"fields": {"username": [faults.USERNAME_TAKEN()]}}
    )
    response = send(client)
    assert (response.status_code, 'id="username-fault"' in response.text) == (409, True)


def test_all_that_is_wrong_is_named_in_one_round(client: FlaskClient, stages: FakeBackend) -> None:
    response = send(client, access_code="", username="W", password="123")
    assert all(f'id="{name}-fault"' in response.text for name in FORM)
    assert stages.asked == []


def test_guessing_is_limited_by_address_at_page_and_api_together(client: FlaskClient, stages: FakeBackend) -> None:
    stages.answers["open_account"] = RefusedRemotelyError(
        "AccessCodeRefused", "access-code-refused", {"fields": {"access_code": [faults.ACCESS_CODE_REFUSED()]}}
    )
    assert send(client).status_code == 422
    api = [client.post("/api/v1/reporters/from-code", json=FORM).status_code for _ in range(2)]
    assert api == [422, 429]


def test_the_log_in_page_leads_to_it(client: FlaskClient) -> None:
    assert f'href="{PATH}"' in client.get("/masuk").text
