"""A broker whose host name moves to another address, in a network namespace with its own resolver.

    unshare --map-root-user --mount --net python -m tests.moved FOLDER COMMAND…

Runs COMMAND, which connects to `broker.example`, and prints at which of two addresses it connected, before the name
moves and after. The DNS record has a lifetime of an hour.
"""

import fcntl
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import dns.flags
import dns.message
import dns.rrset

from tests.installations import eventually

NAME = "broker.example"
FIRST, SECOND = "127.0.0.2", "127.0.0.3"
PORT = 5672
HOUR = 3600

_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1


class Resolver:
    """A DNS server that answers with the broker's current address."""

    def __init__(self) -> None:
        self.address = FIRST
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        while True:
            question, asker = self._socket.recvfrom(4096)
            asked = dns.message.from_wire(question)
            answer = dns.message.make_response(asked)
            answer.flags |= dns.flags.RA
            if asked.question[0].rdtype == dns.rdatatype.A:
                answer.answer.append(dns.rrset.from_text(asked.question[0].name, HOUR, "IN", "A", self.address))
            self._socket.sendto(answer.to_wire(), asker)


class Door:
    """A server that counts the connections to an address, and closes them."""

    def __init__(self, address: str) -> None:
        self.came = 0
        self._socket = socket.create_server((address, PORT))
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            visitor, _ = self._socket.accept()
            self.came += 1
            visitor.close()


def main(folder: str, *command: str) -> None:
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
    settings = Path(folder, "resolv.conf")
    settings.write_text("nameserver 127.0.0.1\n")
    subprocess.run(["mount", "--bind", settings, "/etc/resolv.conf"], check=True)
    resolver, first, second = Resolver(), Door(FIRST), Door(SECOND)
    process = subprocess.Popen(command)
    try:
        eventually(lambda: first.came)
        print("first", flush=True)
        resolver.address = SECOND
        eventually(lambda: second.came)
        print("second", flush=True)
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
