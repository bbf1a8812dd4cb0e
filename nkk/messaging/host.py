"""The host of a stage: Nameko's extensions, and eventlet's greenlets beneath them. No other module imports either.

`nameko run` starts a stage in one process and patches the standard library first: a greenlet that waits for a socket or
sleeps lets the others run. A long computation does not; run it by `in_thread`.
"""

import socket
from functools import partial

from eventlet import Timeout, patcher, sleep, spawn, tpool
from eventlet.event import Event
from eventlet.green import socket as green
from eventlet.semaphore import Semaphore
from eventlet.support.greenlets import GreenletExit as Killed
from nameko import config
from nameko.amqp.consume import Consumer
from nameko.exceptions import ConfigurationError, ContainerBeingKilled
from nameko.extensions import DependencyProvider, Entrypoint, ProviderCollector, SharedExtension
from nameko.rpc import Rpc, RpcConsumer
from nameko.timer import Timer, timer

__all__ = [
    "ConfigurationError",
    "Consumer",
    "ContainerBeingKilled",
    "DependencyProvider",
    "Entrypoint",
    "Killed",
    "ProviderCollector",
    "Rpc",
    "RpcConsumer",
    "Semaphore",
    "SharedExtension",
    "Signal",
    "Timeout",
    "Timer",
    "config",
    "in_thread",
    "limit_threads",
    "look_up_anew",
    "sleep",
    "spawn",
    "timer",
]

in_thread = tpool.execute
"""Call a function in a thread of the operating system and return its result."""

limit_threads = tpool.set_num_threads
"""Set the number of threads of `in_thread`."""

_LOOK_UPS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "getnameinfo")


class Signal:
    """A flag that a greenlet can wait for, like `threading.Event`."""

    def __init__(self) -> None:
        self._event = Event()

    def set(self) -> None:
        """Set the flag and wake all waiting greenlets."""
        if not self._event.ready():
            self._event.send()

    def clear(self) -> None:
        """Reset the flag; the next wait lasts until it is set again."""
        if self._event.ready():
            self._event = Event()

    def wait(self, seconds: float) -> None:
        """Wait until the flag is set, at most `seconds`."""
        self._event.wait(seconds)


def look_up_anew() -> None:
    """Make this process resolve host names by the system's resolver at each connection, without blocking greenlets.

    eventlet's own resolver caches an address for the record's lifetime: a stage would go on connecting to the old
    address of a broker that moved. The system's resolver does not cache, but would block all greenlets, so it runs in a
    thread. Does nothing where eventlet did not patch sockets.
    """
    if not patcher.is_monkey_patched("socket"):
        return
    system = patcher.original("socket")
    for name in _LOOK_UPS:
        ask = partial(in_thread, getattr(system, name))
        # Both the patched module and eventlet's replacement, in which create_connection looks the names up.
        setattr(socket, name, ask)
        setattr(green, name, ask)
