"""A client of RabbitMQ's management API, for what AMQP cannot do: users, permissions, policies, listing bindings."""

import ssl
from functools import cache
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import httpx
from kombu import Connection

TIMEOUT_SECONDS = 30


class BrokerApiError(Exception):
    """The management API does not answer, or refuses; the message says what and never holds a password."""


class BrokerApi:
    """The management API at `url` (http://user:password@host:15672), for the virtual host of the AMQP URI `uri`.

    Its own `uri` is that of the same broker and virtual host, with the user of the management API.
    """

    def __init__(self, url: str, uri: str) -> None:
        parts = urlsplit(url)
        # The password is taken out of the address, which httpx logs.
        account, _, host = parts.netloc.rpartition("@")
        at = urlsplit(uri)
        self.uri = urlunsplit(at._replace(netloc=f"{account}@{at.netloc.rpartition('@')[2]}"))
        self.address = urlunsplit((parts.scheme, host, "", "", ""))
        self.vhost = str(Connection(uri).virtual_host)
        self._client = httpx.Client(
            base_url=f"{self.address}/api/",
            auth=(unquote(parts.username or ""), unquote(parts.password or "")),
            timeout=TIMEOUT_SECONDS,
            # No connection is kept, so that nobody has to close this.
            limits=httpx.Limits(max_keepalive_connections=0),
            verify=_authorities(),
            trust_env=False,
        )

    def get(self, *path: str) -> Any:
        """Return what is at `path`, or None where there is nothing. Raises BrokerApiError."""
        answer = self._ask("GET", path)
        return None if answer.status_code == httpx.codes.NOT_FOUND else answer.json()

    def put(self, *path: str, **content: Any) -> None:
        """Create or replace what is at `path`. Raises BrokerApiError."""
        if self._ask("PUT", path, content).status_code == httpx.codes.NOT_FOUND:
            raise BrokerApiError(f"the broker knows nothing to which {'/'.join(path)} could belong")

    def post(self, *path: str, **content: Any) -> Any:
        """Return the answer to `content`, or None where there is nothing at `path`. Raises BrokerApiError."""
        answer = self._ask("POST", path, content)
        return None if answer.status_code == httpx.codes.NOT_FOUND else answer.json()

    def delete(self, *path: str) -> bool:
        """Delete what is at `path`, and return whether it was there. Raises BrokerApiError."""
        return self._ask("DELETE", path).status_code != httpx.codes.NOT_FOUND

    def _ask(self, method: str, path: tuple[str, ...], content: Any = None) -> httpx.Response:
        address = "/".join(quote(part, safe="") for part in path)
        try:
            answer = self._client.request(method, address, json=content)
        except httpx.HTTPError as error:
            raise BrokerApiError(
                f"the broker's management API at {self.address} does not answer ({type(error).__name__}): is "
                "RabbitMQ running, with the plugin rabbitmq_management, and is the address in NKK_BROKER_API right?"
            ) from None
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise BrokerApiError(
                f"the broker's management API at {self.address} refuses the user of NKK_BROKER_API: it needs the right "
                "password and the tag administrator."
            )
        if answer.is_error and answer.status_code != httpx.codes.NOT_FOUND:
            raise BrokerApiError(
                f"the broker's management API refuses {method} {address}: {answer.status_code} {_reason(answer)}"
            )
        return answer


@cache
def _authorities() -> ssl.SSLContext:
    """The authorities that certificates are checked with. Loading them takes longer than several requests."""
    return httpx.create_ssl_context(trust_env=False)


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("reason", ""))
    except (ValueError, AttributeError):
        return ""
