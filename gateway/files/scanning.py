"""Files scanned by a clamd, to which they are streamed (INSTREAM of its protocol, clamd(8)).

Only a verdict counts. Whatever else happens is a scanner that is away, and the file is scanned later: a virus gets
through neither while clamd restarts, nor where the file is longer than its StreamMaxLength.
"""

import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from gateway.files.errors import ScannerAwayError, ScannerSilentError
from nkk.settings.addresses import Clamd

CONNECT_SECONDS = 5.0
SECONDS = 120.0
"""How long the scanner is waited for, in all."""

CHUNK = 64 << 10
LONGEST_ANSWER = 4096


class Verdict(StrEnum):
    """What the scanner says of a file."""

    CLEAN = "clean"
    INFECTED = "infected"


def scan(content: Iterable[bytes], clamd: Clamd, seconds: float = SECONDS) -> Verdict:
    """Return the verdict of `clamd` on `content`. Raises ScannerAwayError; what `content` raises is passed on."""
    answer = b""
    with _connected(clamd, seconds) as line:
        line.send(b"zINSTREAM\0")
        for chunk in content:
            for start in range(0, len(chunk), CHUNK):
                part = chunk[start : start + CHUNK]
                line.send(len(part).to_bytes(4, "big") + part)
        line.send(bytes(4))
        answer = line.answer()
    return _verdict(answer)


def _verdict(answer: bytes) -> Verdict:
    said = answer.rstrip(b"\0").removeprefix(b"stream: ")
    if said == b"OK":
        return Verdict.CLEAN
    if said.endswith(b" FOUND"):
        return Verdict.INFECTED
    # For example that the stream is too long. The name of a virus is in no log either.
    raise ScannerAwayError("The scanner gave no verdict.")


class _Line:
    """A connection to clamd. The time that `content` itself takes does not count."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._socket = connection
        self._left = seconds

    def send(self, part: bytes) -> None:
        with self._timed():
            self._socket.sendall(part)

    def answer(self) -> bytes:
        """Return all until the end of the answer or of the connection."""
        answer = b""
        while not answer.endswith(b"\0") and len(answer) < LONGEST_ANSWER:
            with self._timed():
                part = self._socket.recv(LONGEST_ANSWER)
            if not part:
                break
            answer += part
        return answer

    @contextmanager
    def _timed(self) -> Iterator[None]:
        began = time.monotonic()
        self._socket.settimeout(max(self._left, 0.001))
        try:
            yield
        except TimeoutError:
            raise ScannerSilentError("The scanner took too long.") from None
        except OSError as error:
            # As where a file is longer than it takes.
            raise ScannerAwayError(f"The scanner broke off ({type(error).__name__}).") from None
        finally:
            self._left -= time.monotonic() - began


@contextmanager
def _connected(clamd: Clamd, seconds: float) -> Iterator[_Line]:
    connection = None
    try:
        if isinstance(clamd, str):
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(CONNECT_SECONDS)
            connection.connect(clamd)
        else:
            connection = socket.create_connection(clamd, timeout=CONNECT_SECONDS)
    except OSError as error:
        if connection:
            connection.close()
        raise ScannerSilentError(f"The scanner cannot be reached ({type(error).__name__}).") from None
    with connection:
        yield _Line(connection, seconds)
