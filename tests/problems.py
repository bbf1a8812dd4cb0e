"""What every refusal of the API looks like."""

from typing import Any

import httpx


def problem(response: httpx.Response, status: int, name: str) -> dict[str, Any]:
    """The problem in `response`, which must be of this status and type and say in a sentence what to do."""
    assert response.headers["Content-Type"] == "application/problem+json", (response.status_code, response.text[:500])
    body = response.json()
    assert (response.status_code, body["type"]) == (status, f"urn:nkk:problem:{name}"), response.text[:500]
    assert body["status"] == status
    assert body["title"]
    assert len(body["detail"].split()) >= 3
    assert body["detail"].endswith(".")
    return body


def at_fault(response: httpx.Response) -> set[str]:
    """The fields that `response`, a refusal of input, says need correcting; each must say how."""
    said = problem(response, 422, "invalid-input")
    errors = said["errors"]
    assert set(said["codes"]) == set(errors), said
    assert all(sentence for sentences in errors.values() for sentence in sentences)
    return set(errors)
