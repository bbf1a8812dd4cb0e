"""Posting to a webhook's URL, within a time limit for everything and only to addresses that may be reached.

httpcore itself follows no redirects, unpacks nothing and reads no proxies from the environment.
"""

import errno
import select
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any

import httpcore
import httpx

from nkk.settings.addresses import Hosts
from webhooks.domain import Answer
from webhooks.urls import RefusedAddressError, check_addresses, read_url

SECONDS = 10.0
"""The time limit of a request: name look-up, connection, TLS, request and answer together."""

MOST_READ = 64 * 1024
"""How much of an answer's body is read, only so that the connection can be used again."""

IDLE_SECONDS = 5.0

Resolve = Callable[[str, int], list[str]]


def trust(ca: str) -> ssl.SSLContext:
    """Return a TLS context that trusts the public authorities, and those in the file `ca` where it is not empty."""
    context = httpx.create_ssl_context(trust_env=False)
    if ca:
        context.load_verify_locations(ca)
    return context


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class Poster:
    """A client for one webhook. Not for use by two threads at once."""

    def __init__(
        self, context: ssl.SSLContext, allowed: Hosts, seconds: float = SECONDS, resolve: Resolve = resolve
    ) -> None:
        self._allowed = allowed
        self._seconds = seconds
        self._backend = _Backend(allowed, resolve)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, max_connections=1, keepalive_expiry=IDLE_SECONDS, network_backend=self._backend
        )

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post `body` to `url` and return what came back. The status counts, once it is there, and not the rest."""
        try:
            read_url(url, self._allowed)
        except ValueError as fault:
            return Answer(None, f"the URL {fault}")
        self._backend.deadline = monotonic() + self._seconds
        answer: Answer | None = None
        try:
            with self._pool.stream("POST", url, headers=list(headers.items()), content=body) as response:
                answer = Answer(response.status, str(response.status), _retry_after(response))
                _read(response)
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            return answer or Answer(None, self._why(error))
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()

    def _why(self, error: Exception) -> str:
        if isinstance(error, httpcore.TimeoutException):
            return f"no answer within {self._seconds:g} s"
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"certificate refused: {error.verify_message}"[:200]
        if isinstance(error, ssl.SSLError):
            return "no TLS"
        if isinstance(error, RefusedAddressError):
            return "private address"
        if isinstance(error, socket.gaierror):
            return "no such name"
        if isinstance(error, OSError) and error.errno:
            return f"no connection ({errno.errorcode.get(error.errno, error.errno)})"
        return "no HTTP answer" if isinstance(error, httpcore.ProtocolError) else "connection lost"


def _retry_after(response: httpcore.Response) -> str:
    found = (value for name, value in response.headers if name.lower() == b"retry-after")
    return next(found, b"").decode("ascii", "replace")


def _read(response: httpcore.Response) -> None:
    size = 0
    for part in response.iter_stream():
        size += len(part)
        if size > MOST_READ:
            return


class _Backend(httpcore.NetworkBackend):
    """Connections to checked addresses, with one deadline for everything that is done on them."""

    def __init__(self, allowed: Hosts, resolve: Resolve) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self.deadline = 0.0

    def left(self) -> float:
        """Return the seconds that are left. Raises httpcore.ReadTimeout where none are."""
        left = self.deadline - monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time for this request is over")
        return left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._look_up(host, port)
        check_addresses(host, port, addresses, self._allowed)
        failure: Exception = OSError(errno.EHOSTUNREACH, "no address")
        for number, address in enumerate(addresses):
            try:
                sock = socket.create_connection((address, port), self.left() / (len(addresses) - number))
            except TimeoutError as error:
                failure = httpcore.ConnectTimeout(str(error))
            except OSError as error:
                failure = error
            else:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return _Stream(sock, self)
        raise failure

    def _look_up(self, host: str, port: int) -> list[str]:
        # In a thread of its own, because the system's look-up takes as long as it likes.
        found: SimpleQueue[list[str] | OSError] = SimpleQueue()

        def look_up() -> None:
            try:
                found.put(self._resolve(host, port))
            except (OSError, UnicodeError) as error:
                found.put(error if isinstance(error, OSError) else socket.gaierror(str(error)))

        Thread(target=look_up, name="look-up", daemon=True).start()
        try:
            result = found.get(timeout=self.left())
        except Empty:
            raise httpcore.ConnectTimeout("the name was not looked up in time") from None
        if isinstance(result, OSError):
            raise result
        return result


class _Stream(httpcore.NetworkStream):
    """A connection whose every operation ends by the backend's deadline, however little arrives at a time."""

    def __init__(self, sock: socket.socket, backend: _Backend) -> None:
        self._sock = sock
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._sock.settimeout(self._backend.left())
        try:
            return self._sock.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        while buffer:
            self._sock.settimeout(self._backend.left())
            try:
                buffer = buffer[self._sock.send(buffer) :]
            except TimeoutError as error:
                raise httpcore.WriteTimeout(str(error)) from error
            except OSError as error:
                raise httpcore.WriteError(str(error)) from error

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self._sock.settimeout(self._backend.left())
        try:
            return _Stream(ssl_context.wrap_socket(self._sock, server_hostname=server_hostname), self._backend)
        except TimeoutError:
            self.close()
            raise httpcore.ConnectTimeout("no TLS in time") from None
        except OSError:
            # As it is: httpcore takes the cause from its own errors, which says what is wrong with a certificate.
            self.close()
            raise

    def close(self) -> None:
        self._sock.close()

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return _is_readable(self._sock)
        return self._sock if info == "socket" else None


def _is_readable(sock: socket.socket) -> bool:
    """Return whether there is something to read, which between two requests is the end of the connection."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
