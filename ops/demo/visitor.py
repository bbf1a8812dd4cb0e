"""A person at the website, as an HTTP client that retries where the service is down or busy."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx

PATIENCE = 90.0
"""How many seconds a request is retried on 429 and 503; long enough for rate limits by the minute."""

SILENT = 10.0
"""How many seconds of retries pass before the wait is reported."""

BUSY = (429, 503)
OUT_OF_STEP = (404, 409)
"""The statuses of an act whose event has not reached the desk yet, or that was done before, as the worklist shows."""

_UNREACHED_ATTEMPTS = 6
_PAGE = 200


class Declined(Exception):
    """The website refused a request, or could not be reached (`status` 0)."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(f"{sentence} ({status})" if status else sentence)
        self.status = status


class Visitor:
    """A person at the website, anonymous without a token. Long waits are reported by `echo`."""

    def __init__(self, http: httpx.Client, echo: Callable[[str], Any], token: str | None = None) -> None:
        self._http = http
        self._echo = echo
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def log_in(self, username: str, password: str) -> "Visitor":
        """Log in, and return the visitor with this account. Raises Declined."""
        session = self.post("/sessions", {"username": username, "password": password})
        return Visitor(self._http, self._echo, session["access_token"])

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Return the JSON object at `path`. Raises Declined."""
        return self._ask("GET", path, params={name: value for name, value in query.items() if value is not None})

    def download(self, address: str) -> bytes:
        """Return the file at `address`, a path from the root of the website. Raises Declined."""
        return self._reply("GET", str(self._http.base_url.join(address))).content

    def post(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
        """Post to `path` and return the reply. After a lost reply it is retried, and done once. Raises Declined."""
        return self._ask("POST", path, json=body, headers=headers)

    def upload(self, name: str, content: bytes) -> str:
        """Send a file whole, and return the upload's id. Raises Declined."""
        sent = self._ask("POST", "/uploads", files={"file": (name, content)})
        return str(sent["uploads"][0]["id"])

    def worklist(self, desk: str) -> Iterator[dict[str, Any]]:
        """Yield every row of a desk's worklist, requesting page after page."""
        cursor = None
        while True:
            page = self.get(f"/desks/{desk}", cursor=cursor, limit=_PAGE)
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        reply = self._reply(method, path, **request)
        return reply.json() if reply.content else {}

    def _reply(self, method: str, path: str, headers: dict[str, str] | None = None, **request: Any) -> httpx.Response:
        began, unreached, told = time.monotonic(), 0, False
        while True:
            try:
                reply = self._http.request(method, path, headers=self._headers | (headers or {}), **request)
            except httpx.TransportError as error:
                unreached += 1
                wait, declined = 0.2 * 2**unreached, Declined(0, f"{self._http.base_url} tidak menjawab: {error}")
            else:
                if reply.status_code not in BUSY:
                    return _accepted(reply)
                wait, declined = _retry_after(reply), _declined(reply)
            waited = time.monotonic() - began
            if unreached == _UNREACHED_ATTEMPTS or waited + wait > PATIENCE:
                raise declined
            if waited > SILENT and not told:
                self._echo(
                    f"{declined}; dicoba lagi sampai {PATIENCE:.0f} detik. `nkk status` menyebut bagian yang diam."
                )
                told = True
            time.sleep(wait)


def _accepted(reply: httpx.Response) -> httpx.Response:
    if not reply.is_success:
        raise _declined(reply)
    return reply


def _retry_after(reply: httpx.Response) -> float:
    """Return the seconds to wait by Retry-After; one second where the header is missing or a date."""
    header = reply.headers.get("Retry-After", "")
    return max(float(header), 0.1) if header.isdigit() else 1.0


def _declined(reply: httpx.Response) -> Declined:
    """Return the refusal with the type of the problem (RFC 9457), as in the user guides, and the invalid fields."""
    try:
        problem = reply.json()
        kind, fields = problem["type"].rpartition(":")[2], ", ".join(problem.get("errors") or ())
    except (ValueError, AttributeError, KeyError):
        kind, fields = reply.reason_phrase, ""
    return Declined(reply.status_code, f"situs menolak: {kind}" + (f", pada {fields}" if fields else ""))
