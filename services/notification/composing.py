"""Letters as they leave: a form of the letters folder with its words filled in.

What never varies is rendered once, by the standard library's email package, and so are the lines that hold no words;
what varies was checked where it came in, and is looked at once more for what would end a line. Most of what a letter
cost was that package's reading of headers that are alike in all of them.
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

from nkk.settings.written import MailFrom
from nkk.sop.mailbox import read_mailbox

LETTERS = Path(__file__).parent / "letters"

_LONGEST_LINE = policy.max_line_length or 78
_STANDING = "T"
"""Stands in a subject for each sign of its ticket, while the subject is folded: a ticket has no spaces to fold at."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+"
_PLAIN = re.compile(rf"{_ATOM}@[A-Za-z0-9.-]+")
_WRITABLE = re.compile(
    r'("[^"\\\x00-\x1f\x7f-\x9f]+"|[^\s"(),:;<>@\[\]\\\x00-\x1f\x7f-\x9f]+)'
    r'@(\[[0-9A-Fa-f:.]+\]|[^\s"(),:;<>@\[\]\\\x00-\x1f\x7f-\x9f]+)'
)


class UnwritableError(Exception):
    """No letter can go to this address."""


@dataclass(frozen=True)
class Letter:
    """A letter: from and to whom the mail server is told it is, and what it is, its lines ending as on this machine.
    `name` is the part of its Message-ID that is its own, `patience` the seconds that the server has for its word on the
    recipient where they are not as many as for any other command."""

    name: str
    sender: str
    recipient: str
    content: bytes
    patience: float | None = None


def compose(kind: str, email: str, message_id: str, sender: MailFrom, words: Mapping[str, str], at: datetime) -> Letter:
    """The letter of `kind` (a file of the letters folder, its first line the subject) to `email`, dated `at`.

    `words` are what it may say; `site` is always among them. Raises UnwritableError.
    """
    if not all(word.isprintable() for word in words.values()):
        raise ValueError("a word of a letter holds what ends a line")
    recipient, form = recipient_of(email), _form(kind)
    subject = _subject(form.subject.substitute(words), words.get("ticket", ""))
    encoding, body = form.body(words)
    head = (
        f"{subject}{_from(sender.header)}To: {recipient}\n"
        f"Date: {format_datetime(at)}\nMessage-ID: <{message_id}@{_host(words['site'])}>\n"
        f'Auto-Submitted: auto-generated\nContent-Type: text/plain; charset="utf-8"\n'
        f"Content-Transfer-Encoding: {encoding}\nMIME-Version: 1.0\n\n"
    )
    return Letter(message_id, sender.address, recipient, (head + body).encode())


def recipient_of(stored: str) -> str:
    """Where a letter to `stored` goes. An address that was taken before, and would not be now, goes on being written to
    wherever a mail server may know what to do with it."""
    if _PLAIN.fullmatch(stored):
        return stored
    try:
        return read_mailbox(stored)
    except ValueError:
        if _WRITABLE.fullmatch(stored):
            return stored
        raise UnwritableError from None


class _Form:
    """A file of the letters folder. Of its lines, those without words are kept as each encoding has them."""

    def __init__(self, text: str) -> None:
        subject, _, body = text.partition("\n")
        self.subject = Template(subject)
        lines = body.lstrip("\n").splitlines()
        self._plain = [Template(line) if "$" in line else line for line in lines]
        self._quoted = [Template(line) if "$" in line else body_encode(line, _LONGEST_LINE) for line in lines]
        self._is_short = all(len(line) <= _LONGEST_LINE for line in self._plain if isinstance(line, str))

    def body(self, words: Mapping[str, str]) -> tuple[str, str]:
        """(content transfer encoding, the body so encoded)."""
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
def _form(kind: str) -> _Form:
    return _Form((LETTERS / f"{kind}.txt").read_text("utf-8"))


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
