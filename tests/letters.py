"""Letters as their readers see them."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from pathlib import Path

from nkk.settings import NKK_MAIL_FROM, NKK_SMTP_URL
from nkk.settings.mail import MailFrom, MailServer
from services.notification.composing import Letter


def sender_of(written: str) -> MailFrom:
    """Return the parsed value of NKK_MAIL_FROM."""
    return NKK_MAIL_FROM.get({"NKK_MAIL_FROM": written})


def server_at(url: str) -> MailServer | None:
    """Return the parsed value of NKK_SMTP_URL."""
    return NKK_SMTP_URL.get({"NKK_SMTP_URL": url})


def read(letter: Letter) -> EmailMessage:
    """Return a letter as a mail program parses it."""
    return message_from_bytes(letter.content, policy=policy.default)


def posted(folder: Path) -> list[EmailMessage]:
    """Return the letters in a mail folder, oldest first. Each file is parsed once, however often a test polls."""
    return [_posted(path, at) for at, path in sorted((path.stat().st_mtime_ns, path) for path in folder.glob("*.eml"))]


@cache
def _posted(path: Path, _written_at: int) -> EmailMessage:
    return message_from_bytes(path.read_bytes(), policy=policy.default)


class Outbox(list[EmailMessage]):
    """A fake mail server that keeps the letters sent, parsed."""

    def send(self, letter: Letter) -> None:
        """Send a letter, as the mail server's client does."""
        self.append(read(letter))
