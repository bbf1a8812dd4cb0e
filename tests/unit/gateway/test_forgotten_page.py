"""The page for a forgotten password or user name."""

from flask.testing import FlaskClient

from tests.unit.gateway.visits import FakeBackend, token


def send(client: FlaskClient, typed: str) -> int:
    return client.post("/lupa-sandi", data={"username": typed, "csrf_token": token(client, "/lupa-sandi")}).status_code


def test_one_field_takes_a_user_name_or_an_address(client: FlaskClient, stages: FakeBackend) -> None:
    stages.answers["request_reset"] = None
    assert (send(client, "warga-baru"), send(client, " warga@example.id ")) == (303, 303)
    assert [asked for asked in stages.asked if asked[0] == "request_reset"] == [
        ("request_reset", ({"username": "warga-baru"},)),
        ("request_reset", ({"email": "warga@example.id"},)),
    ]


def test_what_is_no_address_and_nothing_at_all_are_refused_beside_the_field(
    client: FlaskClient, stages: FakeBackend
) -> None:
    for typed in ("warga@", "", "   "):
        page = client.post("/lupa-sandi", data={"username": typed, "csrf_token": token(client, "/lupa-sandi")})
        assert page.status_code == 422
        assert 'id="username-fault"' in page.text
    assert stages.asked == []
