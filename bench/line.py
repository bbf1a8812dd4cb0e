"""One keep-alive connection in plain HTTP/1.1, cheap enough not to distort the measurement."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

HOST = "127.0.0.1"
REQUEST_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    """A response; `head` is everything before the body."""

    status: int
    head: bytes
    body: bytes


class Line:
    """A connection to the server at `port` on loopback, opened at the first request and after the server closes it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Return the response to one request. Raise OSError or asyncio.IncompleteReadError where there is none."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(HOST, self._port)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}:{self._port}\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        return await asyncio.wait_for(self._answer(), REQUEST_SECONDS)

    async def _answer(self) -> Answer:
        head = await self._reader.readuntil(b"\r\n\r\n")
        known = head.lower()
        if b"content-length:" in known:
            length = int(known.partition(b"content-length:")[2].partition(b"\r\n")[0])
            body = await self._reader.readexactly(length)
        else:
            body = await self._reader.read()
        if b"connection: close" in known:
            self.close()
        return Answer(int(head[9:12]), head, body)

    def close(self) -> None:
        """Close the connection."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
