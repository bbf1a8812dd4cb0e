"""The gateway's gunicorn worker: gunicorn manages processes and signals, waitress' loop the connections.

A thread gets a request when it is whole (`gateway/connections.py`), and is free again once the application has
answered, however slowly the client reads the answer.
"""

import os
import sys
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import Any

from gunicorn.workers.base import Worker as Base
from waitress import wasyncore
from waitress.task import ThreadedTaskDispatcher

from gateway.door import Door, files_for, settings
from gateway.requests import Reading
from nkk.messaging import pulse

TICK_SECONDS = 1.0
SWITCH_SECONDS = 0.001
"""How long a working thread may keep the others waiting; the loop needs its turn often."""
LINGERS_SECONDS = 2.0
"""How long a stopping process keeps silent connections, for requests on their way."""


def _first(queue: deque[Any]) -> Any:
    """Return the first item of `queue`, or None, while threads take from it.

    Iteration could raise RuntimeError then, which would end the process with all its connections.
    """
    with suppress(IndexError):
        return queue[0]
    return None


class Worker(Base):
    """A process of the gateway."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._loop: dict[int, Any] = {}
        self._doors: list[Door] = []
        self._threads: Any = None
        self._first_in_line: Any = None

    def handle_exit(self, *_: object) -> None:
        """Stop at SIGTERM, after the requests in progress are answered."""
        self.alive = False
        for door in self._doors:
            door.pull_trigger()

    def run(self) -> None:
        """Serve until stopped, or until the master process has died."""
        self._open()
        while self.alive:
            self._turn()
            self.alive = self.alive and self.ppid == os.getppid()
        self._leave()

    def _open(self) -> None:
        pulse.begin("gateway")
        pulse.expect("connections")
        pulse.expect("threads")
        sys.setswitchinterval(SWITCH_SECONDS)
        Reading.config = self.cfg
        self._threads = ThreadedTaskDispatcher()
        self._threads.set_thread_count(self.cfg.threads)
        most, chosen = files_for(self.cfg.worker_connections), settings(self.cfg.threads, self.cfg.backlog)
        proxies = self.wsgi.config["TRUSTED_PROXIES"]
        self._doors = [
            Door(
                self.wsgi,
                listener.sock,
                self._loop,
                self._threads,
                chosen,
                most,
                proxies.include,
                lambda: not self.alive,
            )
            for listener in self.sockets
        ]

    def _turn(self) -> None:
        self.notify()
        pulse.beat("connections")
        waiting = _first(self._threads.queue)
        if waiting is None or waiting is not self._first_in_line:
            pulse.beat("threads")
        self._first_in_line = waiting
        wasyncore.poll2(TICK_SECONDS, self._loop)

    def _leave(self) -> None:
        """Answer the requests in progress, with `Connection: close`, and close the other connections."""
        now = monotonic()
        for door in self._doors:
            door.stop_accepting()
        while any(door.active_channels for door in self._doors) and monotonic() < now + self.cfg.graceful_timeout:
            for door in self._doors:
                door.maintenance(0)
                if monotonic() > now + LINGERS_SECONDS:
                    door.end_the_silent()
            self._turn()
        self._threads.shutdown(timeout=0)
