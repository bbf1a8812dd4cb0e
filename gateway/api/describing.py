"""Additions to the OpenAPI description, so that it contains every response of every operation.

A response that is not described is a fault (`tests/hostile` looks for one), so there is no default response.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask_smorest import Api, Blueprint
from flask_smorest.response import prepare_response

from gateway import left_out
from gateway.schemas import Problem

PROBLEM = "application/problem+json"
RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait before trying again.", "schema": {"type": "integer"}}}
LIMITED = {
    "RateLimit-Policy": {
        "description": "Each limit of this operation by its name: `q` requests in a window of `w` seconds.",
        "schema": {"type": "string"},
        "example": '"submission";q=60;w=3600',
    },
    "RateLimit": {
        "description": "What is left of each: `r` requests for `t` seconds (draft-ietf-httpapi-ratelimit-headers-11). "
        "What is left to an address is rounded down to quarters.",
        "schema": {"type": "string"},
        "example": '"submission";r=59;t=1800',
    },
}
"""The headers of a limited operation's responses."""

HEADERS: dict[HTTPStatus, dict[str, Any]] = {
    HTTPStatus.UNAUTHORIZED: {
        "WWW-Authenticate": {"description": "The scheme `Bearer`.", "schema": {"type": "string"}}
    },
    HTTPStatus.CONFLICT: {
        "Retry-After": {
            "description": "Seconds to wait, if the problem is `being-prepared`.",
            "schema": {"type": "integer"},
        }
    },
    HTTPStatus.TOO_MANY_REQUESTS: RETRY_AFTER | LIMITED,
    HTTPStatus.SERVICE_UNAVAILABLE: RETRY_AFTER,
}
DESCRIPTIONS = {
    HTTPStatus.SERVICE_UNAVAILABLE: "`unavailable`: a part of the service did not answer, and it is not known whether "
    "the request was carried out. "
    "`busy`: too many people are logging in or setting a password at the moment, and nothing was done."
}

WITH_BODY = {"413": "TOO_LARGE", "415": "UNSUPPORTED_MEDIA_TYPE"}
ALWAYS = {
    "400": "BAD_REQUEST",
    "414": "ADDRESS_TOO_LONG",
    "431": "HEADERS_TOO_LONG",
    "500": "INTERNAL_SERVER_ERROR",
    "503": "SERVICE_UNAVAILABLE",
}
UNCHANGING = {
    "INVALID_INPUT": "Some fields need correcting",
    "TOO_LARGE": "The body is too long",
    "ADDRESS_TOO_LONG": "The address is too long",
    "HEADERS_TOO_LONG": "The headers are too long",
}
"""Responses whose names do not depend on Python's version."""


class DescribedApi(Api):
    """An API that describes errors as RFC 9457 problems."""

    ERROR_SCHEMA = Problem
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_responses(self) -> None:
        self.ma_plugin.converter.add_attribute_function(ecma_pattern)
        for status in HTTPStatus:
            response: dict[str, Any] = {"description": DESCRIPTIONS.get(status, status.phrase)}
            if status >= 400:
                response["schema"] = Problem
            if status in HEADERS:
                response["headers"] = HEADERS[status]
            self._register_response(status.name, response)
        for name, what in UNCHANGING.items():
            self._register_response(name, {"description": what, "schema": Problem})

    def _register_response(self, name: str, response: dict[str, Any]) -> None:
        prepare_response(response, self.spec, PROBLEM)
        self.spec.components.response(name, response, lazy=True)


def with_refusals(doc: dict[str, Any], info: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Return an operation's description with the responses all share: malformed bodies and server failures.

    The headers of a success are added too. What decorators have described (`info`) is merged into the result later.
    """
    own = {str(status): answer for status, answer in doc.get("responses", {}).items()}
    added = info.get("manual_doc", {}).get("responses", {})
    more = (left_out.HEADERS if "requestBody" in doc else {}) | (LIMITED if "429" in added else {})
    for status in [status for status in {**own, **added} if more and status.startswith("2")]:
        answer = own.get(status, {})
        own[status] = answer | {"headers": answer.get("headers", {}) | more}
    return doc | {"responses": (WITH_BODY if "requestBody" in doc else {}) | ALWAYS | own}


def ecma_pattern(_converter: Any, _field: Any, ret: dict[str, Any], **_: Any) -> dict[str, str]:
    """Return the pattern in ECMA-262's syntax, which OpenAPI uses and where `\\Z` would be a letter."""
    return {"pattern": ret["pattern"].removesuffix(r"\Z") + "$"} if ret.get("pattern", "").endswith(r"\Z") else {}


def next_acts(status: int, *operations: str, name: str = "ticket") -> Callable[..., Any]:
    """Return a view decorator that links the `name` in a response of `status` to `operations` that take it."""
    links = {
        operation: {"operationId": operation, "parameters": {name: f"$response.body#/{name}"}}
        for operation in operations
    }
    return Blueprint.doc(responses={str(status): {"links": links}})
