"""Free ports on the loopback address."""

import socket

LOOPBACK = "127.0.0.1"


def listening_socket(preferred: int = 0) -> socket.socket:
    """A socket bound to `preferred` where that is free, else to any free port: nobody else gets the port while it is
    open. For a server to listen on."""
    for port in (preferred, 0):
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            held.bind((LOOPBACK, port))
            held.listen()  # two may bind one port, but not listen on it
        except OSError:
            held.close()
            continue
        return held
    raise OSError("no free port")


def free_port(preferred: int = 0) -> int:
    """`preferred` where nothing listens on it, else any free port."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise OSError("no free port")
