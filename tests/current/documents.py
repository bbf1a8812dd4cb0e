"""The generated documents under docs/api; `python -m tests.current.documents` writes them again."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask

from gateway.app import create_app
from gateway.proxies import Proxies
from nkk.contracts import asyncapi
from ops.stack.keys import new_keys

FOLDER = Path(__file__).parents[2] / "docs" / "api"


def application(**settings: Any) -> Flask:
    """Return a gateway without connections, with `settings`."""
    keys = new_keys()
    return create_app(
        {
            "AMQP_URI": "amqp://localhost",
            "INTAKE_PUBLIC_KEY": keys["NKK_INTAKE_PUBLIC_KEY"],
            "TOKEN_PUBLIC_KEY": keys["NKK_TOKEN_PUBLIC_KEY"],
            "SITE_KEY": keys["NKK_SITE_KEY"],
            "RPC_TIMEOUT": 1,
            "TRUSTED_PROXIES": Proxies(),
            "LIVE_STREAMS": 1,
            "LIMIT_REGISTRATION": "1/hour",
            "LIMIT_LOGIN": "1/hour",
            "LIMIT_RESET": "1/hour",
            "LIMIT_SUBMISSION": "1/hour",
            "LIMIT_DOCUMENTS": "1/hour",
            "LIMIT_WEBSITE": "1/hour",
            "LIMIT_UPLOADS": "1/hour",
            "SITE_URL": "http://localhost",
            "TEMPLATES": "",
            "RATELIMIT_STORAGE_URI": "memory://",
        }
        | settings
    )


@cache
def _plain() -> Flask:
    """Return the one gateway that is only read: to make it takes half a second of processor time."""
    return application()


@cache
def _served() -> bytes:
    return _plain().test_client().get("/api/v1/openapi.json").data


def openapi() -> dict[str, Any]:
    """Return the gateway's OpenAPI description, as it serves it."""
    found: dict[str, Any] = json.loads(_served())
    return found


def routes() -> set[tuple[str, str]]:
    """Return every operation of the API as (method, path), in the notation of the description."""
    return {
        (method, re.sub(r"<(?:[^<>:]+:)?(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1")))
        for rule in _plain().url_map.iter_rules()
        if rule.rule.startswith("/api/v1")
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }


DOCUMENTS = {"openapi.json": openapi, "asyncapi.json": asyncapi.document}


def as_text(document: dict[str, Any]) -> str:
    """Return a document as it is written to its file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, build in DOCUMENTS.items():
        (FOLDER / name).write_text(as_text(build()), "utf-8")
