"""Functions that find free ports on the loopback address."""

import secrets
import socket
from collections import deque

LOOPBACK = "127.0.0.1"

OWN_PORTS = range(20_000, 32_000)
"""The ports that `free_port` chooses from: those above are given to outgoing connections by Linux."""


_given: deque[int] = deque(maxlen=100)
"""The ports that `free_port` gave last."""


def listening_socket(preferred: int = 0) -> socket.socket:
    """Return a listening socket on port `preferred` where that is free, else on any free port, for a server to inherit.

    No other process can take the port while the socket is open.
    """
    for port in (preferred, 0):
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            held.bind((LOOPBACK, port))
            held.listen()  # two sockets may bind the same port, but only one may listen
        except OSError:
            held.close()
            continue
        return held
    raise OSError("no free port")


def free_port(preferred: int = 0) -> int:
    """Return `preferred` where nothing listens on it, else any free port.

    The port is for a server that takes seconds to start, and no connection of another process gets it in the meantime.
    """
    # A server to which a port was given a moment ago may not listen yet.
    drawn = [port for port in (secrets.choice(OWN_PORTS) for _ in range(1_000)) if port not in _given]
    for port in ([preferred] if preferred else []) + drawn:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            _given.append(port)
            return port
    raise OSError("no free port")
