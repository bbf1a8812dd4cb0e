"""Assertions about the API's problem documents."""

from typing import Any

import httpx


def problem(response: httpx.Response, status: int, name: str) -> dict[str, Any]:
    """Return the problem in `response`, which must have this status and type and a sentence on what to do."""
    assert response.headers["Content-Type"] == "application/problem+json", (response.status_code, response.text[:500])
    body = response.json()
    assert (response.status_code, body["type"]) == (status, f"urn:nkk:problem:{name}"), response.text[:500]
    assert body["status"] == status
    assert body["title"]
    assert len(body["detail"].split()) >= 3
    assert body["detail"].endswith(".")
    return body


def at_fault(response: httpx.Response) -> set[str]:
    """Return the invalid fields that `response` names; each must have a sentence."""
    said = problem(response, 422, "invalid-input")
    errors = said["errors"]
    assert set(said["codes"]) == set(errors), said
    assert all(sentence for sentences in errors.values() for sentence in sentences)
    return set(errors)
