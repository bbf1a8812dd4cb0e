"""Requests as raw bytes, which no HTTP client would send, and the responses to them."""

import json
import socket
from dataclasses import dataclass
from typing import Any

from tests.installations import PATIENCE, Installation


@dataclass
class Answer:
    """A response as it was received."""

    status: int
    headers: dict[str, str]
    body: bytes

    def problem(self) -> dict[str, Any]:
        """Return the problem document it holds, which must be valid and have its status."""
        assert self.headers["content-type"] == "application/problem+json", (self.status, self.body[:300])
        said = json.loads(self.body)
        assert said["status"] == self.status
        assert said["type"].startswith("urn:nkk:problem:")
        assert said["detail"].endswith(".")
        return said


def answers(installation: Installation, *requests: bytes, hang_up: bool = True) -> list[Answer]:
    """Send `requests` over one connection; return all responses."""
    with socket.create_connection(("127.0.0.1", installation.stack.port), timeout=PATIENCE) as connection:
        for request in requests:
            connection.sendall(request)
        if hang_up:
            connection.shutdown(socket.SHUT_WR)
        try:
            return _parsed(b"".join(iter(lambda: connection.recv(65_536), b"")))
        except ConnectionResetError:
            return []


def _parsed(text: bytes) -> list[Answer]:
    found = []
    while text:
        head, _, rest = text.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        found.append(Answer(int(first.split(" ")[1]), headers, rest[:length]))
        text = rest[length:]
    return found
