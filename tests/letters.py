"""Letters as their readers have them."""

from email import message_from_bytes, policy
from email.message import EmailMessage

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


class Outbox(list[EmailMessage]):
    """What was sent, read."""

    def send(self, letter: Letter) -> None:
        """Takes the place of a mail server."""
        self.append(read(letter))
