"""Fixtures of the gateway with a stand-in for the stages."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway import limits
from gateway.app import create_app
from gateway.live import LiveFeed
from gateway.proxies import Proxies
from nkk.settings.keys import as_pem
from nkk.trust.actor import Actor, grant
from tests.unit.gateway.visits import KEYS, REFRESH_TOKEN, FakeBackend


@pytest.fixture
def stages() -> FakeBackend:
    """The stand-in for the stages."""
    return FakeBackend()


@pytest.fixture
def settings() -> dict[str, Any]:
    """The gateway's settings, which a test's module may override."""
    return {}


_kept: dict[str, Flask] = {}
"""The gateway of the last test, by its settings."""


@pytest.fixture
def app(stages: FakeBackend, settings: dict[str, Any]) -> Flask:
    """The gateway as after its start. Creating it takes longer than most tests, so one with the same settings as the
    last test's is reused, with its counts and connections reset."""
    config = _config() | settings
    app = _kept.get(repr(config))
    if app is None:
        _kept.clear()
        app = _kept[repr(config)] = create_app(config)
    app.config.update(config)
    app.extensions |= {"nkk": stages, "live": LiveFeed(app.config["AMQP_URI"], app.config["LIVE_STREAMS"])}
    limits.limiter.reset()
    return app


def _config() -> dict[str, Any]:
    return {
        "AMQP_URI": "amqp://localhost",
        "INTAKE_PUBLIC_KEY": KEYS["NKK_INTAKE_PUBLIC_KEY"],
        "TOKEN_PUBLIC_KEY": as_pem(KEYS["NKK_TOKEN_PUBLIC_KEY"]),
        "SITE_KEY": KEYS["NKK_SITE_KEY"],
        "RPC_TIMEOUT": 1,
        "LIVE_STREAMS": 1,
        "SITE_URL": "http://localhost",
        "TEMPLATES": "",
        "TRUSTED_PROXIES": Proxies(),
        # The next window begins in 2068, so none begins within a test.
        "LIMIT_REGISTRATION": "2/100 year",
        "LIMIT_LOGIN": "100/100 year",
        "LIMIT_SUBMISSION": "2/100 year",
        "LIMIT_DOCUMENTS": "100/100 year",
        "LIMIT_WEBSITE": "100/100 year",
        "LIMIT_RESET": "100/100 year",
        "LIMIT_UPLOADS": "100/100 year",
        "RATELIMIT_STORAGE_URI": "memory://",
    }


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser in which nobody is logged in."""
    return app.test_client()


@pytest.fixture
def opened() -> Callable[..., dict[str, Any]]:
    """A function that builds intake's answer to a log-in."""

    def session(role: str = "reporter", who: str = "one", group: str | None = None) -> dict[str, Any]:
        token, expires = grant(Actor(who, role, group, session="s"), as_pem(KEYS["NKK_TOKEN_SIGNING_KEY"]))
        return {
            "access_token": token,
            "expires_at": expires.isoformat(),
            "role": role,
            "opd": None,
            "refresh_token": REFRESH_TOKEN,
            "session_expires_at": expires.isoformat(),
        }

    return session
