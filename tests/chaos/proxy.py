"""A small TCP proxy between the services and their broker or database, which can misbehave.

pass    forwards everything
delay   forwards everything late
stall   keeps every connection and forwards nothing
halve   forwards half of what comes next on each connection, then closes it
reset   resets every connection, and each new one
"""

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Sequence
from contextlib import suppress

from ops.stack.ports import LOOPBACK, listening_socket

MODES = ("delay", "stall", "halve", "reset")
PASS = "pass"
DELAY_SECONDS = (0.05, 0.3)
CONNECT_SECONDS = 1.0
CHUNK = 65536
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing sends RST."""

Address = tuple[str, int]


class Proxy:
    """Forwards from a port of its own to the first of `upstreams` that accepts a connection, in turn.

    It runs in a thread of its own; `mode` may be set from any thread.
    """

    def __init__(self, upstreams: Sequence[Address]) -> None:
        self.upstreams = list(upstreams)
        self._mode = PASS
        self._turn = 0
        self._loop = asyncio.new_event_loop()
        self._passing = asyncio.Event()
        self._passing.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._door = listening_socket()
        self.port = self._door.getsockname()[1]
        self._open = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        self._open.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @property
    def mode(self) -> str:
        """The current mode."""
        return self._mode

    def behave(self, mode: str) -> None:
        """Behave as `mode` from now on."""
        self._mode = mode
        self._loop.call_soon_threadsafe(self._obey)

    @property
    def connections(self) -> int:
        """The number of open connection ends."""
        return len(self._writers)

    def _obey(self) -> None:
        if self._mode == "stall":
            self._passing.clear()
        else:
            self._passing.set()
        if self._mode == "reset":
            for writer in list(self._writers):
                self._reset(writer)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, sock=self._door))
        self._open.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        for writer in list(self._writers):
            writer.transport.abort()
        # An aborted connection closes its socket in the loop's next iteration.
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self._mode == "reset":
                self._reset(writer)
                return
            await self._passing.wait()
            upstream = await self._connect()
            if upstream is None:
                self._reset(writer)
                return
            there, back = upstream
            self._writers.add(back)
            try:
                await self._both_ways(self._pump(reader, back), self._pump(there, writer))
            finally:
                self._end(back)
        except asyncio.CancelledError:
            # The proxy is closing, so the error does not matter.
            return
        finally:
            self._end(writer)

    @staticmethod
    async def _both_ways(*ways: "asyncio.Future[None]") -> None:
        # One end closed, so neither direction is of use any more.
        tasks = [asyncio.ensure_future(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for _ in self.upstreams:
            self._turn += 1
            host, port = self.upstreams[self._turn % len(self.upstreams)]
            with suppress(OSError, TimeoutError):
                return await asyncio.wait_for(asyncio.open_connection(host, port), CONNECT_SECONDS)
        return None

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                await self._passing.wait()
                if self._mode == "delay":
                    await asyncio.sleep(random.uniform(*DELAY_SECONDS))
                if self._mode == "halve":
                    writer.write(data[: len(data) // 2])
                    await writer.drain()
                    return
                writer.write(data)
                await writer.drain()

    def _end(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.close()

    def _reset(self, writer: asyncio.StreamWriter) -> None:
        held: socket.socket | None = writer.get_extra_info("socket")
        if held is not None:
            with suppress(OSError):
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._writers.discard(writer)
        writer.transport.abort()


def through(url: str, proxy: Proxy) -> str:
    """Return `url` with the address of `proxy`."""
    head, _, tail = url.partition("@")
    return f"{head}@{LOOPBACK}:{proxy.port}/{tail.partition('/')[2]}"
