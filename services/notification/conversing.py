"""SMTP as smtplib speaks it, with an end to every command.

RFC 5321 (4.5.3.2) has a client wait ten minutes for the answer to the dot that ends a letter, and so do we: the server
has the letter by then, and whoever does not wait for its word sends a second copy. For all before that it has two to
five minutes, which is meant for any server anywhere. Ours is the one that the settings name; nothing was handed over
yet, so that another try costs nothing but time; and other letters wait meanwhile. A minute is enough for one that first
asks elsewhere about a recipient, and where a letter says so it is less. To QUIT nothing depends on the answer.
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
"""Bytes. Some servers tell much of themselves, none so much."""

_DOT = b"\r\n.\r\n"


class NoAnswerError(smtplib.SMTPServerDisconnected, TimeoutError):
    """The server took too long."""


class EndlessAnswerError(smtplib.SMTPServerDisconnected):
    """The server said too much."""


class Conversation(smtplib.SMTP):
    """A connection to a mail server on which each answer, as a whole, has its time and its length."""

    dot_unanswered = False
    """Whether a letter was handed over whole, and the server has not said what became of it."""

    is_about_recipient = False
    """Whether the server was asked about a recipient last."""

    recipient_seconds: float | None = None
    """What it has for its word on one; None for as long as for any other command."""

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
    """The same, encrypted from the first byte."""


class _Answers:
    """What a server says, as the file that smtplib reads lines from."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._read = b""
        self.begin(0)

    def begin(self, seconds: float) -> None:
        """The next answer may take `seconds`."""
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
        """There is nothing to close but the connection."""


@contextmanager
def _named() -> Iterator[None]:
    """smtplib has one name for all that happens to a connection: a server that takes too long, or says too much, is
    told apart from one that hangs up."""
    try:
        yield
    except smtplib.SMTPServerDisconnected as error:
        why = error.__context__
        if isinstance(why, EndlessAnswerError):
            raise why from None
        if isinstance(why, TimeoutError):
            raise NoAnswerError("no answer in time") from None
        raise
