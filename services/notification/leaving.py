"""Sending letters by SMTP or into a folder, and the decision which errors of a mail server are final.

Only an error about the recipient is final. All others are about the server and this client, or temporary, and the
letter is retried. An error is about the recipient where RCPT was answered with 5.1.0 to 5.1.6 or 5.1.10, the codes of
RFC 3463 (3.2) and RFC 7505 for the recipient's address. The codes 5.1.7, 5.1.8 and 5.1.9 are about the sender, 5.2.x
about a mailbox that is full or disabled for now, 5.7.x about permissions. Servers put such a code anywhere, such as
`550 #5.7.1 policy`, or on the second line; one that is not about the recipient outweighs those that are. Without such a
code, 550, 551 and 553 in answer to RCPT mean "no such mailbox" (RFC 5321, 4.2.3), and no other reply code does. A
server that refuses this client for all recipients by a bare 550 cannot be distinguished from one that knows none of
them; its letters can be retried by hand.
"""

import os
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from nkk.messaging.host import Timeout
from nkk.settings import NKK_MAIL_DIR, NKK_SMTP_URL, SettingsError
from nkk.settings.mail import MailServer
from services.notification.composing import Letter
from services.notification.conversing import (
    COMMAND_SECONDS,
    CONNECT_SECONDS,
    DOT_SECONDS,
    Conversation,
    NoAnswerError,
    TlsConversation,
)

LOG_IN_SECONDS = 3 * COMMAND_SECONDS
"""The timeout from the first packet to the end of the log-in, over all its commands."""

LONGEST_SECONDS = 2 * (LOG_IN_SECONDS + 5 * COMMAND_SECONDS) + DOT_SECONDS
"""The longest time that a letter may take, over a connection that fails and then over a new one."""

Send = Callable[[Letter], None]

_ENHANCED = re.compile(rb"(?<![\w.+@-])[245]\.\d{1,3}\.\d{1,3}(?![\w@]|[.+-]\w)")
"""Matches an enhanced status code (RFC 3463) that is not part of an address or another number."""

_OF_THE_RECIPIENT = {b"5.1.%d" % detail for detail in (0, 1, 2, 3, 4, 5, 6, 10)}
_NO_SUCH_MAILBOX = (550, 551, 553)

_COMMANDS = {
    smtplib.SMTPConnectError: "greeting",
    smtplib.SMTPHeloError: "EHLO",
    smtplib.SMTPAuthenticationError: "AUTH",
    smtplib.SMTPSenderRefused: "MAIL",
    smtplib.SMTPDataError: "DATA",
}


class RejectedError(Exception):
    """The mail server knows no such recipient; the text is that of `said`."""


class SlowRecipientError(TimeoutError):
    """The mail server did not answer in time, possibly because of this recipient only."""


@contextmanager
def sender(server: MailServer | None, folder: Path) -> Iterator[Send]:
    """Yield a function that sends a letter by `server`, or writes it into `folder` where there is none."""
    if server is not None:
        with _by_smtp(server) as send:
            yield send
    else:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield partial(_write, folder)


def said(error: BaseException) -> str:
    """Return why a letter was not sent, for lists and logs.

    That is a command with the codes of its answer, such as `RCPT 550 5.1.1`, or the error's name. The text of the
    answer is left out, because servers repeat the address in it.
    """
    text: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        command, (code, text) = "RCPT", next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        command, code, text = _COMMANDS.get(type(error), "SMTP"), error.smtp_code, error.smtp_error
    else:
        return "TimeoutError" if isinstance(error, TimeoutError) else type(error).__name__
    enhanced = _enhanced(text)
    return f"{command} {code}" + (f" {enhanced.decode()}" if enhanced else "")


def must_take_files(folder: Path) -> None:
    """Raise SettingsError where letters cannot be written into `folder`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        writable = False
    else:
        writable = os.access(folder, os.W_OK)
    if not writable:
        raise SettingsError(
            [
                f"{NKK_MAIL_DIR.name}={folder} is not a writable folder, and {NKK_SMTP_URL.name} is not set. "
                "Set one of them."
            ]
        )


def _write(folder: Path, letter: Letter) -> None:
    part = f"{folder}/.{letter.name}.part"
    with open(part, "wb") as file:
        file.write(letter.content)
    os.rename(part, f"{folder}/{letter.name}.eml")


@contextmanager
def _by_smtp(where: MailServer) -> Iterator[Send]:
    """Yield a function that sends letters by SMTP over one connection."""
    line = _Line(where)
    try:
        yield line.send
    except BaseException:
        # The sending was cancelled or failed, so the connection is closed without QUIT.
        line.drop()
        raise
    line.quit()


class _Line:
    """A connection to the mail server, which is opened for the first letter and anew after an error."""

    def __init__(self, where: MailServer) -> None:
        self._where = where
        self._server: Conversation | None = None
        self._unreachable: OSError | None = None

    def send(self, letter: Letter) -> None:
        """Send a letter.

        A letter that fails on a connection that has sent others is retried on a new one, because servers limit the
        letters of a connection; an error on a new connection counts. It is not retried where the server took too long
        about the recipient, or has not answered a whole letter, which it may have accepted. After a failed attempt to
        connect, the other letters fail at once.
        """
        is_new = self._server is None
        server = self._server or self._connect()
        try:
            _send(server, letter)
        except Exception as error:
            self.drop()
            if isinstance(error, TimeoutError) and (server.is_about_recipient or server.dot_unanswered):
                raise SlowRecipientError from None
            if is_new and _is_final(error):
                raise RejectedError(said(error)) from None
            if is_new or server.dot_unanswered or not isinstance(error, OSError):
                raise
            self.send(letter)

    def drop(self) -> None:
        """Close the connection without QUIT."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def quit(self) -> None:
        """End the connection as SMTP asks."""
        if self._server is not None:
            with suppress(OSError):
                self._server.quit()

    def _connect(self) -> Conversation:
        if self._unreachable is not None:
            raise self._unreachable
        try:
            self._server = _connected(self._where)
        except OSError as error:
            self._unreachable = error
            raise
        return self._server


def _connected(where: MailServer) -> Conversation:
    try:
        with Timeout(LOG_IN_SECONDS):
            return _logged_in(where)
    except Timeout:
        raise NoAnswerError from None


def _logged_in(where: MailServer) -> Conversation:
    server: Conversation
    if where.is_tls:
        server = TlsConversation(where.host, where.port, timeout=CONNECT_SECONDS, context=ssl.create_default_context())
    else:
        server = Conversation(where.host, where.port, timeout=CONNECT_SECONDS)
    try:
        if where.starttls:
            server.starttls(context=ssl.create_default_context())
        if where.user:
            server.login(where.user, where.password)
    except BaseException:
        server.close()
        raise
    return server


def _send(server: Conversation, letter: Letter) -> None:
    server.recipient_seconds = letter.patience
    # Earlier versions accepted such addresses. smtplib refuses where the server lacks SMTPUTF8.
    options = () if letter.recipient.isascii() else ("SMTPUTF8", "BODY=8BITMIME")
    server.sendmail(letter.sender, [letter.recipient], letter.content.replace(b"\n", b"\r\n"), options)


def _is_final(error: Exception) -> bool:
    return isinstance(error, smtplib.SMTPRecipientsRefused) and all(
        _knows_no_such(code, text) for code, text in error.recipients.values()
    )


def _knows_no_such(code: int, text: bytes | str) -> bool:
    if not 500 <= code <= 599:
        return False
    enhanced = _enhanced(text)
    return code in _NO_SUCH_MAILBOX if enhanced is None else enhanced in _OF_THE_RECIPIENT


def _enhanced(text: bytes | str) -> bytes | None:
    """Return an answer's first enhanced status code that is not about the recipient, else its first, or None."""
    found: list[bytes] = _ENHANCED.findall(text.encode() if isinstance(text, str) else text)
    return next((code for code in found if code not in _OF_THE_RECIPIENT), found[0] if found else None)
