"""The addresses of acts can also be opened by GET, because a log-in after an expired session leads back to them."""

from flask import Flask
from flask.testing import FlaskClient

FILLED = {
    "ticket": "NKK-2026-EDXY-ER30",
    "username": "operator",
    "day": "2026-12-31",
    "first": "2026-12-31",
    "year": 2026,
    "number": 1,
}
NOBODY_COMES_BACK = {"public.log_out"}
"""Acts that do not require a log-in."""


def test_every_acts_address_leads_somewhere_when_it_is_opened(app: Flask, client: FlaskClient) -> None:
    acts = [
        rule
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ())
        and not rule.rule.startswith("/api/")
        and rule.endpoint not in NOBODY_COMES_BACK
    ]
    assert len(acts) > 20
    with app.test_request_context("/"):
        addresses = [
            app.url_for(rule.endpoint, **{name: FILLED.get(name, "x") for name in rule.arguments}) for rule in acts
        ]
    assert [address for address in addresses if client.get(address).status_code in (404, 405)] == []
