"""Parsers of the mail server and of the sender of letters."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import InvalidHeaderDefect
from email.headerregistry import Address
from email.policy import default as mail_policy
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote

from nkk.settings.urls import faults_of, split
from nkk.sop import faults
from nkk.sop.mailbox import NoMailboxError, read_mailbox

NO_SENDER = {
    faults.ADDRESS_NOT_PLAIN.code: "Before the @, use plain letters, digits and a few signs.",
    faults.NO_DOMAIN.code: "After the @, write a whole domain.",
}
"""Why an address can be no sender, for operators, where more is known than that it is not valid."""


@dataclass(frozen=True)
class MailServer:
    """An SMTP server for outgoing letters, with TLS from the first byte (`is_tls`) or by STARTTLS (`starttls`)."""

    host: str
    port: int
    is_tls: bool = False
    starttls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{'smtps' if self.is_tls else 'smtp'}://{self.host}:{self.port}"


@dataclass(frozen=True)
class MailFrom:
    """The sender of letters: the value of the From header, and the bare address for the SMTP envelope."""

    header: str
    address: str


def mail_server(written: str) -> MailServer | None:
    """Parse `smtp://user:password@host:587?starttls=1`, or `smtps://…` for TLS from the first byte; empty is None."""
    if not written:
        return None
    parts = split(written, "smtp", "smtps")
    if faults := [*faults_of(written, parts), *_faults_of_mail_server(parts)]:
        raise ValueError(" It also ".join(faults))
    is_tls = parts.scheme == "smtps"
    starttls = parse_qs(parts.query).get("starttls") == ["1"]
    return MailServer(
        parts.hostname or "",
        parts.port or (465 if is_tls else 25),
        is_tls,
        starttls,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


def _faults_of_mail_server(parts: SplitResult) -> Iterator[str]:
    asked = parse_qs(parts.query, keep_blank_values=True)
    if parts.path not in ("", "/") or parts.fragment or not set(asked) <= {"starttls"}:
        yield (
            "contains unsupported parts. Write smtp://user:password@host:587?starttls=1 or "
            "smtps://user:password@host, and percent-encode :/?#@ in the password."
        )
    said = asked.get("starttls", ["0"])
    if len(said) > 1:
        yield "has starttls more than once: write ?starttls=1."
    elif said[0] not in ("0", "1") or (parts.scheme == "smtps" and "starttls" in asked):
        yield "has a starttls that is neither 0 nor 1, or that stands with smtps, which is encrypted already."
    if bool(parts.username) != bool(parts.password):
        yield "has a user without a password, or a password without a user."
    account = unquote(parts.username or "") + unquote(parts.password or "")
    if not account.isascii() or (account and not account.isprintable()):
        yield (
            "has a user or a password with non-ASCII or control characters, which SMTP log-in does not allow: ask the "
            "mail server's operators for another one."
        )


def mail_from(written: str) -> MailFrom:
    """Parse the sender of letters: one mailbox, with or without a display name."""
    how = 'Write one address, such as pengaduan@example.id or "Pengaduan, Kota Contoh" <pengaduan@example.id>.'
    if unseen := next((sign for sign in written if not sign.isprintable()), ""):
        raise ValueError(f"contains an invisible character (U+{ord(unseen):04X}): type it again. {how}")
    if "@" not in written:
        raise ValueError(f"has no address, because it has no @. {how}")
    try:
        header: Any = mail_policy.header_factory("From", written)
        addresses, group = header.addresses, header.groups[0].display_name
    except (ValueError, IndexError):
        raise ValueError(f"cannot be read as a sender. {how}") from None
    if len(addresses) != 1 or group is not None:
        raise ValueError(
            f"is not one sender: it has several, or a name with a comma or colon but without quotes. {how}"
        )
    if any(isinstance(defect, InvalidHeaderDefect) for defect in header.defects):
        raise ValueError(f"is not a valid sender: write the name, and after it the address in < and >. {how}")
    (found,) = addresses
    try:
        address = read_mailbox(found.addr_spec)
    except NoMailboxError as error:
        why = NO_SENDER.get(error.fault["code"], "It is not a valid address.")
        raise ValueError(f"has no valid sender address. {why} {how}") from None
    return MailFrom(str(Address(found.display_name, addr_spec=address)), address)
