"""How letters leave: by SMTP, or into a folder; and which answers of a mail server are its last word.

Final is only what a server says of the recipient; all else is between it and us, or passes, and the letter is tried
again. That is an answer to RCPT alone, and of those 5.1.0 to 5.1.6 and 5.1.10, by which RFC 3463 (3.2) and RFC 7505
mean the address of the recipient: 5.1.7, 5.1.8 and 5.1.9 are about the sender, 5.2.x about a mailbox that is full or
shut for now, 5.7.x about what we may do. Where a server gives no such code, RFC 5321 (4.2.3) gives 550, 551 and 553 the
meaning "no such mailbox" in answer to RCPT, and none of the others any that is about it. A server that refuses us for
all recipients by a bare 550 cannot be told from one that knows none of them: its letters can be retried.
"""

import os
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from nkk.messaging.settings import MissingSettingError

SMTP_TIMEOUT_SECONDS = 15

Send = Callable[[EmailMessage], None]

_ENHANCED = re.compile(rb"([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$)")
_OF_THE_RECIPIENT = {b"1.0", b"1.1", b"1.2", b"1.3", b"1.4", b"1.5", b"1.6", b"1.10"}
_NO_SUCH_MAILBOX = (550, 551, 553)

_COMMANDS = {smtplib.SMTPConnectError: "greeting", smtplib.SMTPHeloError: "EHLO",
             smtplib.SMTPAuthenticationError: "AUTH", smtplib.SMTPSenderRefused: "MAIL", smtplib.SMTPDataError: "DATA"}


class RejectedError(Exception):
    """The mail server knows no such recipient; the text is what `said` gives."""


@contextmanager
def sender(smtp_url: str, folder: Path) -> Iterator[Send]:
    """How messages leave, one after another: by `smtp_url`, or into `folder` where that is empty."""
    if smtp_url:
        with _by_smtp(smtp_url) as send:
            yield send
    else:
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
        return type(error).__name__
    enhanced = _ENHANCED.match(_bytes(text))
    return f"{command} {code}" + (f" {enhanced[0].decode()}" if enhanced else "")


def must_take_files(folder: Path) -> None:
    """Raises MissingSettingError where letters cannot be kept in `folder`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        writable = False
    else:
        writable = os.access(folder, os.W_OK)
    if not writable:
        raise MissingSettingError(f"Set NKK_SMTP_URL, or NKK_MAIL_DIR to a folder we may write to: {folder} is none.")


def _write(folder: Path, message: EmailMessage) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = str(message["Message-ID"]).strip("<>").partition("@")[0]
    part = folder / f".{name}.part"
    part.write_bytes(bytes(message))
    part.rename(folder / f"{name}.eml")


@contextmanager
def _by_smtp(url: str) -> Iterator[Send]:
    """`smtp://user:password@host:587?starttls=1`, or `smtps://…` for TLS from the first byte.

    All letters go over one connection. What one fails over that took others before is sent over a new one, for a server
    may take so many and no more; what a new one says counts. One that cannot be made is not tried for each letter.
    """
    server: smtplib.SMTP | None = None
    unreachable: OSError | None = None

    def send(message: EmailMessage) -> None:
        nonlocal server, unreachable
        if unreachable is not None:
            raise unreachable
        is_new = server is None
        if server is None:
            try:
                server = _connected(url)
            except OSError as error:
                unreachable = error
                raise
        try:
            server.send_message(message)
        except Exception as error:
            server.close()
            server = None
            if is_new and _is_final(error):
                raise RejectedError(said(error)) from None
            if is_new or not isinstance(error, OSError):
                raise
            send(message)

    try:
        yield send
    finally:
        if server is not None:
            with suppress(OSError):
                server.quit()


def _connected(url: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    server: smtplib.SMTP
    host = parts.hostname or "localhost"
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=SMTP_TIMEOUT_SECONDS,
                                  context=ssl.create_default_context())
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=SMTP_TIMEOUT_SECONDS)
    try:
        if parse_qs(parts.query).get("starttls", ["0"])[0] == "1":
            server.starttls(context=ssl.create_default_context())
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except OSError:
        server.close()
        raise
    return server


def _is_final(error: Exception) -> bool:
    return isinstance(error, smtplib.SMTPRecipientsRefused) and all(
        _knows_no_such(code, _bytes(text)) for code, text in error.recipients.values())


def _knows_no_such(code: int, text: bytes) -> bool:
    if not 500 <= code <= 599:
        return False
    enhanced = _ENHANCED.match(text)
    if enhanced is None:
        return code in _NO_SUCH_MAILBOX
    kind, subject, detail = enhanced.groups()
    return kind == b"5" and b"%s.%s" % (subject, detail) in _OF_THE_RECIPIENT


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text
