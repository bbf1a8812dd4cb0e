"""How letters leave: by SMTP, or into a folder; and which answers of a mail server are its last word.

Final is only what a server says of the recipient; all else is between it and us, or passes, and the letter is tried
again. That is an answer to RCPT alone, and of those 5.1.0 to 5.1.6 and 5.1.10, by which RFC 3463 (3.2) and RFC 7505
mean the address of the recipient: 5.1.7, 5.1.8 and 5.1.9 are about the sender, 5.2.x about a mailbox that is full or
shut for now, 5.7.x about what we may do. Servers write such a code where they like: `550 #5.7.1 policy`, or on the
second line; any of them that is not about the recipient outweighs those that are. Where a server gives none, RFC 5321
(4.2.3) gives 550, 551 and 553 the meaning "no such mailbox" in answer to RCPT, and none of the others any that is about
it. A server that refuses us for all recipients by a bare 550 cannot be told from one that knows none of them: its
letters can be retried.
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
from nkk.settings.written import MailServer
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
"""From the first packet to the end of the log-in, however many commands that takes."""

LONGEST_SECONDS = 2 * (LOG_IN_SECONDS + 5 * COMMAND_SECONDS) + DOT_SECONDS
"""How long a letter may take: over a connection that fails, and over a new one."""

Send = Callable[[Letter], None]

_ENHANCED = re.compile(rb"(?<![\w.+@-])[245]\.\d{1,3}\.\d{1,3}(?![\w@]|[.+-]\w)")
"""A code of RFC 3463, and no part of an address or a number."""

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
    """The mail server knows no such recipient; the text is what `said` gives."""


class SlowRecipientError(TimeoutError):
    """The mail server took too long, and that may be about the recipient alone."""


@contextmanager
def sender(server: MailServer | None, folder: Path) -> Iterator[Send]:
    """How messages leave, one after another: by `server`, or into `folder` where there is none."""
    if server is not None:
        with _by_smtp(server) as send:
            yield send
    else:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield partial(_write, folder)


def said(error: BaseException) -> str:
    """What kept a letter here, for lists and logs: which command was answered with which codes, such as `RCPT 550
    5.1.1`, or the error's name. Never the text of an answer: servers repeat the address in it."""
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
    """Raises SettingsError where letters cannot be kept in `folder`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        writable = False
    else:
        writable = os.access(folder, os.W_OK)
    if not writable:
        raise SettingsError(
            [
                f"{NKK_MAIL_DIR.name}={folder} is no folder we may write to, and {NKK_SMTP_URL.name} is "
                "not set. Set one of them."
            ]
        )


def _write(folder: Path, letter: Letter) -> None:
    part = f"{folder}/.{letter.name}.part"
    with open(part, "wb") as file:
        file.write(letter.content)
    os.rename(part, f"{folder}/{letter.name}.eml")


@contextmanager
def _by_smtp(where: MailServer) -> Iterator[Send]:
    """All letters go over one connection. What one fails over that took others before is sent over a new one, for a
    server may take so many and no more; what a new one says counts. Not where it took too long about the recipient, nor
    where the whole letter was handed over and the
    server did not say what became of it: it may have taken it. A connection that cannot be made is not tried for each
    letter."""
    server: Conversation | None = None
    unreachable: OSError | None = None

    def send(letter: Letter) -> None:
        nonlocal server, unreachable
        if unreachable is not None:
            raise unreachable
        is_new = server is None
        if server is None:
            try:
                server = _connected(where)
            except OSError as error:
                unreachable = error
                raise
        try:
            _send(server, letter)
        except Exception as error:
            may_have_it, is_about_recipient = server.dot_unanswered, server.is_about_recipient
            server.close()
            server = None
            if isinstance(error, TimeoutError) and (is_about_recipient or may_have_it):
                raise SlowRecipientError from None
            if is_new and _is_final(error):
                raise RejectedError(said(error)) from None
            if is_new or may_have_it or not isinstance(error, OSError):
                raise
            send(letter)

    try:
        yield send
    except BaseException:
        # There is no time to take leave of anybody.
        if server is not None:
            server.close()
        raise
    if server is not None:
        with suppress(OSError):
            server.quit()


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
    # One that was taken before goes where the server speaks SMTPUTF8; smtplib refuses where it does not.
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
    """The code of an answer that tells most: the first that is not about the recipient, else the first."""
    found: list[bytes] = _ENHANCED.findall(text.encode() if isinstance(text, str) else text)
    return next((code for code in found if code not in _OF_THE_RECIPIENT), found[0] if found else None)
