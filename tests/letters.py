"""Letters as their readers have them."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from pathlib import Path

from nkk.settings import NKK_MAIL_FROM, NKK_SMTP_URL
from nkk.settings.written import MailFrom, MailServer
from services.notification.composing import Letter


def sender_of(written: str) -> MailFrom:
    """What NKK_MAIL_FROM means."""
    return NKK_MAIL_FROM.get({"NKK_MAIL_FROM": written})


def server_at(url: str) -> MailServer | None:
    """What NKK_SMTP_URL means."""
    return NKK_SMTP_URL.get({"NKK_SMTP_URL": url})


def read(letter: Letter) -> EmailMessage:
    """A letter as a mail program reads it."""
    return message_from_bytes(letter.content, policy=policy.default)


def posted(folder: Path) -> list[EmailMessage]:
    """The letters in a mail folder, oldest first. Each is read once, however often it is waited for the next."""
    return [_posted(path, at) for at, path in sorted((path.stat().st_mtime_ns, path) for path in folder.glob("*.eml"))]


@cache
def _posted(path: Path, _written_at: int) -> EmailMessage:
    return message_from_bytes(path.read_bytes(), policy=policy.default)


class Outbox(list[EmailMessage]):
    """What was sent, read."""

    def send(self, letter: Letter) -> None:
        """Takes the place of a mail server."""
        self.append(read(letter))
