"""An SMTP client (smtplib) with a timeout and a length limit for every answer.

RFC 5321 (4.5.3.2) gives ten minutes for the answer to the dot that ends a letter, and so does this client: the server
has the letter by then, and a client that does not wait would send a second copy. For earlier commands the RFC gives two
to five minutes, for any server on the internet. This client gives a minute: it talks to one configured server, nothing
was handed over yet, so that a retry costs only time, and other letters wait meanwhile. A minute suffices for a server
that checks a recipient elsewhere first; a letter can set less (`Letter.patience`). The answer to QUIT does not matter.
"""

import smtplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

CONNECT_SECONDS = 15
COMMAND_SECONDS = 60
DOT_SECONDS = 600
QUIT_SECONDS = 5

LONGEST_ANSWER = 64 * 1024
"""The largest length of an answer in bytes, more than any real server sends."""

_DOT = b"\r\n.\r\n"


class NoAnswerError(smtplib.SMTPServerDisconnected, TimeoutError):
    """The server did not answer in time."""


class EndlessAnswerError(smtplib.SMTPServerDisconnected):
    """The server's answer exceeds LONGEST_ANSWER."""


class Conversation(smtplib.SMTP):
    """A connection to a mail server that limits the time and the length of each whole answer."""

    dot_unanswered = False
    """Whether a whole letter was sent and the server has not answered yet."""

    is_about_recipient = False
    """Whether the last command was about a recipient (RCPT)."""

    recipient_seconds: float | None = None
    """The timeout for the answer about a recipient; None for the same as for other commands."""

    _is_over = False

    def send(self, s: Any) -> None:
        self.dot_unanswered = not isinstance(s, str) and bytes(s).endswith(_DOT)
        self._is_over = s == "quit\r\n"
        self.is_about_recipient = isinstance(s, str) and s.startswith("rcpt ")
        if self.sock is not None:
            self.sock.settimeout(COMMAND_SECONDS)
        with _named():
            super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _Answers(self.sock)
        if isinstance(self.file, _Answers):
            self.file.begin(self._seconds())
        with _named():
            answer = super().getreply()
        self.dot_unanswered = False
        return answer

    def _seconds(self) -> float:
        if self.dot_unanswered:
            return DOT_SECONDS
        if self._is_over:
            return QUIT_SECONDS
        return self.recipient_seconds or COMMAND_SECONDS if self.is_about_recipient else COMMAND_SECONDS


class TlsConversation(Conversation, smtplib.SMTP_SSL):
    """A Conversation that is encrypted by TLS from the first byte."""


class _Answers:
    """The server's answers, as the file object that smtplib reads lines from."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._read = b""
        self.begin(0)

    def begin(self, seconds: float) -> None:
        """Begin the next answer, which may take `seconds`."""
        self._until = monotonic() + seconds
        self._left = LONGEST_ANSWER

    def readline(self, longest: int) -> bytes:
        while b"\n" not in self._read and len(self._read) < longest:
            left = self._until - monotonic()
            if left <= 0:
                raise TimeoutError
            self._connection.settimeout(left)
            part = self._connection.recv(4096)
            if not part:
                break
            self._read += part
        end = min(self._read.find(b"\n") + 1 or len(self._read), longest)
        line, self._read = self._read[:end], self._read[end:]
        self._left -= len(line)
        if self._left < 0:
            raise EndlessAnswerError
        return line

    def close(self) -> None:
        """Do nothing: the connection is closed by its owner."""


@contextmanager
def _named() -> Iterator[None]:
    """Raise NoAnswerError or EndlessAnswerError in place of smtplib's SMTPServerDisconnected, where they are the cause.

    smtplib has one exception for all failures of a connection.
    """
    try:
        yield
    except smtplib.SMTPServerDisconnected as error:
        why = error.__context__
        if isinstance(why, EndlessAnswerError):
            raise why from None
        if isinstance(why, TimeoutError):
            raise NoAnswerError("no answer in time") from None
        raise
