"""The JSON API, version 1: one module per group of resources, with its schemas in `gateway.schemas`."""

from flask import Flask

from gateway.api import (
    accounts,
    acts,
    admin,
    calendar,
    claims,
    complaints,
    desks,
    documents,
    entries,
    figures,
    files,
    lists,
    uploads,
)
from gateway.api.describing import DescribedApi

PREFIX = "/api/v1"


def register(app: Flask) -> None:
    """Register the API with `app`, and its description at /api/v1/openapi.json."""
    app.config.update(
        API_TITLE="Pengaduan NKK",
        API_VERSION="v1",
        OPENAPI_VERSION="3.0.3",
        OPENAPI_URL_PREFIX=PREFIX,
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = DescribedApi(
        app,
        spec_kwargs={
            "info": {
                "description": "Complaints about civil servants' values, ethics and conduct (NKK), carried through a "
                "procedure of seven steps. Errors are RFC 9457 problem details."
            },
            "servers": [{"url": "/"}],
        },
    )
    api.spec.components.security_scheme(
        "bearer", {"type": "http", "scheme": "bearer", "description": "The access_token of POST /sessions."}
    )
    for module in (
        accounts,
        lists,
        figures,
        complaints,
        acts,
        entries,
        claims,
        desks,
        documents,
        files,
        uploads,
        admin,
        calendar,
    ):
        api.register_blueprint(module.resources, url_prefix=PREFIX)
