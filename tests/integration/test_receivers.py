"""The receiver that stands in for a webhook's server takes whole requests only."""

import socket

from tests.receivers import receiver


def test_a_request_that_breaks_off_is_not_received() -> None:
    with receiver(None) as found, socket.create_connection(("127.0.0.1", found.port), timeout=10) as line:
        line.sendall(b"POST /kasus HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{}")
        line.shutdown(socket.SHUT_WR)
        assert line.recv(1024) == b""
        assert found.got == []
