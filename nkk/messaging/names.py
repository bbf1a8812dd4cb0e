"""Names of machines are looked up anew for each connection, and nobody else waits meanwhile.

eventlet has a resolver of its own, which keeps an address for as long as its record says: a stage whose broker came
back at another address would go on knocking at the old one. The system's resolver keeps nothing, but waits in the
middle of all greenlets: it is asked from eventlet's threads.
"""

import socket
from functools import partial

from eventlet import patcher, tpool
from eventlet.green import socket as green

LOOK_UPS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "getnameinfo")


def look_up_anew() -> None:
    """From now on this process asks the system for each name. Does nothing where eventlet did not take over sockets."""
    if not patcher.is_monkey_patched("socket"):
        return
    system = patcher.original("socket")
    for name in LOOK_UPS:
        ask = partial(tpool.execute, getattr(system, name))
        # What was patched, and what eventlet patched it with: create_connection looks there.
        setattr(socket, name, ask)
        setattr(green, name, ask)
