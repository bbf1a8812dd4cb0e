"""The composition of letters as e-mail messages, from the templates in the letters folder.

For speed, constant headers and lines without variables are rendered by the standard library's email package once and
cached: parsing the same headers for each letter was most of its cost. Variable words were validated when they were
received, and are checked again here for characters that would end a line (header injection).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.policy import default as policy
from email.quoprimime import body_encode
from email.utils import format_datetime
from functools import cache, lru_cache
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from nkk.settings.mail import MailFrom
from nkk.sop.mailbox import read_mailbox

LETTERS = Path(__file__).parent / "letters"

_LONGEST_LINE = policy.max_line_length or 78
_STANDING = "T"
"""The placeholder for each character of the ticket while a subject is folded, so that folded subjects can be cached.
A ticket has no spaces to fold at."""

_PAGE = "    $site/laporan/$ticket\n"
"""The line of a letter with the address of the page that the letter is about."""

_BY_CODE = """
Belum punya akun? Buatlah dengan kode akses yang Anda terima ketika melapor, di

    $code_page

Kode itu berlaku satu kali, selama 90 hari.
"""
"""What follows the page's address where the complaint was entered for its reporter, who may lack an account."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+"
_PLAIN = re.compile(rf"{_ATOM}@[A-Za-z0-9.-]+")
_WRITABLE = re.compile(
    r'("[^"\\\x00-\x1f\x7f-\x9f]+"|[^\s"(),:;<>@\[\]\\\x00-\x1f\x7f-\x9f]+)'
    r'@(\[[0-9A-Fa-f:.]+\]|[^\s"(),:;<>@\[\]\\\x00-\x1f\x7f-\x9f]+)'
)


class UnwritableError(Exception):
    """No letter can be sent to this address."""


@dataclass(frozen=True)
class Letter:
    """A letter: the sender and recipient of its SMTP envelope, and its content with line ends as on this machine.

    `name` is the local part of its Message-ID. `patience` is the timeout for the server's answer about the recipient in
    seconds; None for the same as for other commands.
    """

    name: str
    sender: str
    recipient: str
    content: bytes
    patience: float | None = None


def compose(kind: str, email: str, message_id: str, sender: MailFrom, words: Mapping[str, str], at: datetime) -> Letter:
    """Return the letter of `kind` (a file of the letters folder, whose first line is the subject) to `email`.

    It is dated `at`. `words` are the values of the template's variables, and must include `site`. Where they include
    `code_page`, the letter says how the reporter gets an account. Raises UnwritableError where no letter can be sent to
    `email`.
    """
    if not all(word.isprintable() for word in words.values()):
        raise ValueError("a value in a letter contains a line break or a control character")
    recipient, form = recipient_of(email), _form(kind, "code_page" in words)
    subject = _subject(form.subject.substitute(words), words.get("ticket", ""))
    encoding, body = form.body(words)
    head = (
        f"{subject}{_from(sender.header)}To: {recipient}\n"
        f"Date: {format_datetime(at)}\nMessage-ID: <{message_id}@{_host(words['site'])}>\n"
        f'Auto-Submitted: auto-generated\nContent-Type: text/plain; charset="utf-8"\n'
        f"Content-Transfer-Encoding: {encoding}\nMIME-Version: 1.0\n\n"
    )
    return Letter(message_id, sender.address, recipient, (head + body).encode())


def template_of(kind: str, by_code: bool) -> str:
    """Return the template of `kind`; with `by_code`, as it is for a reporter who may have no account yet."""
    text = (LETTERS / f"{kind}.txt").read_text("utf-8")
    return text.replace(_PAGE, f"{_PAGE}{_BY_CODE}") if by_code else text


def recipient_of(stored: str) -> str:
    """Return the recipient for the stored address. Raises UnwritableError.

    Addresses that earlier versions accepted and this one would refuse are still used where a mail server may accept
    them.
    """
    if _PLAIN.fullmatch(stored):
        return stored
    try:
        return read_mailbox(stored)
    except ValueError:
        if _WRITABLE.fullmatch(stored):
            return stored
        raise UnwritableError from None


class _Form:
    """A template of the letters folder. Lines without variables are stored ready in each transfer encoding."""

    def __init__(self, text: str) -> None:
        subject, _, body = text.partition("\n")
        self.subject = Template(subject)
        lines = body.lstrip("\n").splitlines()
        self._plain = [Template(line) if "$" in line else line for line in lines]
        self._quoted = [Template(line) if "$" in line else body_encode(line, _LONGEST_LINE) for line in lines]
        self._is_short = all(len(line) <= _LONGEST_LINE for line in self._plain if isinstance(line, str))

    def body(self, words: Mapping[str, str]) -> tuple[str, str]:
        """Return (content transfer encoding, the body in that encoding)."""
        filled = {
            number: line.substitute(words) for number, line in enumerate(self._plain) if isinstance(line, Template)
        }
        if self._is_short and all(len(line) <= _LONGEST_LINE and line.isascii() for line in filled.values()):
            return "7bit", _joined(self._plain, filled)
        return "quoted-printable", _joined(
            self._quoted,
            {number: body_encode(line.encode().decode("latin-1"), _LONGEST_LINE) for number, line in filled.items()},
        )


def _joined(lines: list[str | Template], filled: Mapping[int, str]) -> str:
    return "".join(f"{filled.get(number, line)}\n" for number, line in enumerate(lines))


@cache
def _form(kind: str, by_code: bool) -> _Form:
    return _Form(template_of(kind, by_code))


def _subject(text: str, ticket: str) -> str:
    if not ticket:
        return _folded("Subject", text)
    standing = _STANDING * len(ticket)
    return _folded("Subject", text.replace(ticket, standing)).replace(standing, ticket)


@cache
def _from(header: str) -> str:
    return _folded("From", header)


@lru_cache(256)
def _folded(name: str, value: str) -> str:
    return policy.header_factory(name, value).fold(policy=policy)


@cache
def _host(site: str) -> str:
    return urlsplit(site).hostname or "nkk"
