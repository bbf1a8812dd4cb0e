"""How settings are written: each function gives what is meant, or raises ValueError with what is wrong and what to
write. None repeats what was written: it may hold a password, and who calls knows whether it does.
"""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from email.errors import InvalidHeaderDefect
from email.headerregistry import Address
from email.policy import default as mail_policy
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from nkk.sop.mailbox import read_mailbox

UNIX = "unix"
"""Written among networks for whoever connects by a socket in the file system."""

DRIVERS = ("sqlite", "postgresql", "postgresql+psycopg2")

KEYS_HINT = "`nkk keys` prints a fresh set; see docs/operations.md."


def as_pem(text: str) -> str:
    """A PEM text as an environment file holds it, its line ends written as `\\n`, in its own form."""
    return text.replace("\\n", "\n")


@dataclass(frozen=True)
class MailServer:
    """Where letters leave by SMTP; `is_tls` from the first byte on, or once `starttls` was said."""

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
    """Who letters are from: as their header says it, and the address alone, which the mail server is told."""

    header: str
    address: str


Networks = tuple[tuple[IPv4Network | IPv6Network, ...], bool]
"""Networks, and whether whoever connects by a socket in the file system counts as well."""


def number(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number."""
    def read(written: str) -> int:
        if not re.fullmatch(r"\s*\d{1,9}\s*", written) or not least <= int(written) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}.")
        return int(written)

    return read


def url(written: str, *schemes: str) -> SplitResult:
    """A URL with a host. Raises ValueError."""
    try:
        parts = urlsplit(written)
        port = parts.port
    except ValueError:
        raise ValueError("is no URL: after the host stands a port, a number up to 65535.") from None
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        usual = " or ".join(f"{scheme}://host" for scheme in schemes)
        raise ValueError(f"is no URL with a host. Write it like {usual}.")
    if not written.isascii() or re.search(r"[\s\x00-\x1f\x7f]", written):
        raise ValueError("holds spaces or letters beyond ASCII: write the host in punycode (xn--…), and all else "
                         "percent-encoded.")
    return parts


def text(written: str) -> str:
    """Anything."""
    return written


def amqp_uri(written: str) -> str:
    """Where the broker is."""
    url(written, "amqp", "amqps")
    return written


def database_url(written: str) -> str:
    """Where a database is, as SQLAlchemy takes it."""
    try:
        parsed = make_url(written)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.drivername not in DRIVERS or not parsed.database:
        raise ValueError("names no database. Write postgresql://user:password@host/name or sqlite:////absolute/path.")
    return written


def site_url(written: str) -> str:
    """How people reach the site."""
    parts = url(written, "https", "http")
    if parts.username or parts.query or parts.fragment:
        raise ValueError("is more than an address of a site. Write it like https://pengaduan.example.id.")
    return written


def mail_server(written: str) -> MailServer | None:
    """`smtp://user:password@host:587?starttls=1`, or `smtps://…` for TLS from the first byte; None for none."""
    if not written:
        return None
    parts = url(written, "smtp", "smtps")
    asked = parse_qs(parts.query, keep_blank_values=True)
    is_tls = parts.scheme == "smtps"
    if parts.path not in ("", "/") or parts.fragment or not set(asked) <= {"starttls"}:
        raise ValueError("holds more than we know what to do with. Write smtp://user:password@host:587?starttls=1 or "
                         "smtps://user:password@host; what a password holds of :/?#@ is percent-encoded.")
    if asked.get("starttls", ["0"])[-1] not in ("0", "1") or (is_tls and "starttls" in asked):
        raise ValueError("has a starttls that is neither 0 nor 1, or beside smtps, which is encrypted already.")
    if bool(parts.username) != bool(parts.password):
        raise ValueError("has a user without a password, or a password without a user.")
    return MailServer(parts.hostname or "", parts.port or (465 if is_tls else 25), is_tls,
                      asked.get("starttls") == ["1"], unquote(parts.username or ""), unquote(parts.password or ""))


def mail_from(written: str) -> MailFrom:
    """One mailbox, with or without a name."""
    how = 'Write one address, such as pengaduan@example.id or "Pengaduan, Kota Contoh" <pengaduan@example.id>.'
    try:
        header: Any = mail_policy.header_factory("From", written)
        (found,) = header.addresses
        if any(isinstance(defect, InvalidHeaderDefect) for defect in header.defects) or not written.isprintable():
            raise ValueError(written)
    except (ValueError, IndexError):
        raise ValueError(f"is not one sender: a name with a comma stands in quotes. {how}") from None
    try:
        address = read_mailbox(found.addr_spec)
    except ValueError as fault:
        raise ValueError(f"has no address that mail can come from. {fault} {how}") from None
    return MailFrom(str(Address(found.display_name, addr_spec=address)), address)


def delays(written: str) -> tuple[int, ...]:
    """Seconds separated by commas, as milliseconds."""
    try:
        delays = tuple(int(float(part) * 1000) for part in written.split(","))
    except (ValueError, OverflowError):
        delays = ()
    if not delays or min(delays) < 0 or max(delays) > 86_400_000:
        raise ValueError("must be seconds separated by commas, each a day at most, such as 1,5,30,120,600.")
    return delays


def limit(written: str) -> str:
    """So many in so long, as the library `limits` reads it."""
    from limits import parse_many  # the gateway's alone

    try:
        parse_many(written)
    except ValueError:
        raise ValueError("is no limit. Write it like 20/hour or 5/minute.") from None
    return written


def store(written: str) -> str:
    """Where limits are counted; nothing where none is named."""
    if written.startswith(("redis://", "rediss://")):
        url(written, "redis", "rediss")
    elif written and not re.fullmatch("sqlite:////.+", written):
        raise ValueError("is no store. Write sqlite:////absolute/path, redis://host:6379 or rediss://host:6379.")
    return written


def networks(written: str) -> Networks:
    """Networks separated by commas, and the word for sockets in the file system."""
    words = [word.strip() for word in written.split(",") if word.strip()]
    return tuple(_network(word) for word in words if word != UNIX), UNIX in words


def _network(word: str) -> IPv4Network | IPv6Network:
    if word.isdigit():
        raise ValueError(
            "counts proxies, which is not taken any more: whoever reaches the port could pass for one. Write the "
            "networks that they connect from, such as 127.0.0.1/32 or 10.0.0.0/8,::1/128; leave it empty where there "
            "is no proxy.")
    try:
        network = ip_network(word)
    except ValueError as error:
        raise ValueError(f"names no network: {error}. Write networks, such as 10.0.0.0/8, ::1/128, separated by "
                         "commas.") from None
    if network.prefixlen == 0:
        raise ValueError(f"would believe everybody ({word}). Write the networks that your proxies connect from.")
    return network


def folder(written: str) -> str:
    """A folder that is there, or nothing."""
    if written and not Path(written).is_dir():
        raise ValueError("is no folder that can be read here.")
    return written


def bind(written: str) -> str:
    """What gunicorn listens at."""
    if not re.fullmatch(r"fd://\d+|unix:.+|(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]*):\d{1,5}", written):
        raise ValueError("is no address to listen at. Write 127.0.0.1:8080, [::1]:8080 or unix:/absolute/path.")
    return written


def box_key(written: str) -> str:
    """A key of a sealed box."""
    try:
        key = base64.b64decode(written, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ValueError(f"is no key: 32 bytes in base 64. {KEYS_HINT}")
    return written


def identity_keys(written: str) -> list[str]:
    """Fernet keys, the newest first."""
    keys = written.split(",")
    try:
        for key in keys:
            Fernet(key)
    except ValueError:
        raise ValueError(f"is no list of keys, the newest first, separated by commas. {KEYS_HINT}") from None
    return keys


def public_pem(written: str) -> str:
    """A public key in PEM."""
    return _pem(load_pem_public_key, written)


def private_pem(written: str) -> str:
    """A private key in PEM, without a password of its own."""
    return _pem(lambda key: load_pem_private_key(key, None), written)


def _pem(load: Callable[[bytes], Any], written: str) -> str:
    try:
        load(as_pem(written).encode())
    except (ValueError, TypeError):
        raise ValueError(f"is no key in PEM, its line ends written as \\n. {KEYS_HINT}") from None
    return as_pem(written)
