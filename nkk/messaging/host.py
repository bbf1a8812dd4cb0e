"""The host of a stage: Nameko's extensions, and eventlet's threads beneath them. No other module imports either.

`nameko run` starts a stage in one process and patches the standard library first: a thread of eventlet that waits for a
socket or sleeps lets the others run. One that computes for long does not; that is done by `in_thread`.
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
"""Return what a function returns, called in one of the operating system's threads."""

limit_threads = tpool.set_num_threads
"""Set how many threads `in_thread` has."""

_LOOK_UPS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "getnameinfo")


class Signal:
    """A flag that a thread of the stage can wait for, like `threading.Event`."""

    def __init__(self) -> None:
        self._event = Event()

    def set(self) -> None:
        """Set the flag, and wake whoever waits for it."""
        if not self._event.ready():
            self._event.send()

    def clear(self) -> None:
        """Reset the flag; the next wait lasts until it is set again."""
        if self._event.ready():
            self._event = Event()

    def wait(self, seconds: float) -> None:
        """Wait until the flag is set, at most so long."""
        self._event.wait(seconds)


def look_up_anew() -> None:
    """Have this process ask the system for the address of a name at each connection, while its other threads run.

    eventlet's own resolver keeps an address for as long as its record says: a stage whose broker came back at another
    would go on knocking at the old one. The system's keeps nothing, but would hold up every thread of eventlet. Does
    nothing where eventlet did not take over sockets.
    """
    if not patcher.is_monkey_patched("socket"):
        return
    system = patcher.original("socket")
    for name in _LOOK_UPS:
        ask = partial(in_thread, getattr(system, name))
        # What was patched, and what eventlet patched it with: create_connection looks there.
        setattr(socket, name, ask)
        setattr(green, name, ask)
