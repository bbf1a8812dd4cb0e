"""Parsers of settings: each returns the parsed value, or raises ValueError with what is wrong and what to write.

No message repeats the value, which may hold a password; the caller knows whether it does.
"""

import os
import re
import ssl
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.errors import InvalidHeaderDefect
from email.headerregistry import Address
from email.policy import default as mail_policy
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from nkk.sop import faults
from nkk.sop.mailbox import NoMailboxError, read_mailbox

UNIX = "unix"
"""The word in a list of networks that means peers connected by a Unix domain socket."""

DRIVERS = ("sqlite", "postgresql", "postgresql+psycopg2")

WIDEST_4, WIDEST_6 = 8, 7
"""The shortest prefix lengths, IPv4 and IPv6, of networks of trusted proxies (RFC 1918, RFC 4193)."""

NO_SENDER = {
    faults.ADDRESS_NOT_PLAIN.code: "Before the @, use plain letters, digits and a few signs.",
    faults.NO_DOMAIN.code: "After the @, write a whole domain.",
}
"""Why an address can be no sender, for operators, where more is known than that it is not valid."""

MOST_DELAYS = 20
"""The largest number of retry delays, each of which is a queue at every stage."""

LONGEST_WINDOW = 366 * 24 * 3600
"""The longest window of a rate limit, in seconds."""

IPV6 = 6

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


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


Networks = tuple[tuple[IPv4Network | IPv6Network, ...], bool]
"""Networks, and whether peers connected by a Unix domain socket are included."""


def number(least: int, most: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from `least` to `most`."""

    def read(written: str) -> int:
        if not re.fullmatch(r"\s*\d{1,9}\s*", written) or not least <= int(written) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}.")
        return int(written)

    return read


def url(written: str, *schemes: str) -> SplitResult:
    """Parse a URL with a host and one of `schemes`. Raises ValueError."""
    parts = _split(written, *schemes)
    if fault := next(_faults_of_url(written, parts), ""):
        raise ValueError(fault)
    return parts


def _split(written: str, *schemes: str) -> SplitResult:
    try:
        parts = urlsplit(written)
        port = parts.port
    except ValueError:
        raise ValueError("is not a URL: the port after the host must be a number up to 65535.") from None
    usual = " or ".join(f"{scheme}://host" for scheme in schemes)
    if parts.scheme not in schemes and parts.hostname:
        raise ValueError(f"does not begin with the scheme {' or '.join(schemes)}. Write it like {usual}.")
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        raise ValueError(f"is not a URL with a host. Write it like {usual}.")
    return parts


def _faults_of_url(written: str, parts: SplitResult) -> Iterator[str]:
    if not written.isascii() or re.search(r"[\s\x00-\x1f\x7f]", written):
        yield (
            "contains spaces or non-ASCII characters: write the host in punycode (xn--…), and percent-encode the rest."
        )
    elif not is_host(parts.hostname or ""):
        yield "has an invalid host: its parts are up to 63 letters, digits and hyphens, with one dot between them."
    if parts.netloc.endswith(":"):
        yield "has a colon after the host, but no port."


def is_host(written: str) -> bool:
    """Return whether `written` is an IP address or a host name (RFC 1123, plus the underscores of container names)."""
    try:
        # Only an IPv6 address may have a zone behind a percent sign.
        return ip_address(written.partition("%")[0]).version == IPV6 or "%" not in written
    except ValueError:
        labels = written.removesuffix(".").split(".")
        return len(written) <= 253 and all(map(_LABEL.fullmatch, labels))


def amqp_uri(written: str) -> str:
    """Parse the broker's AMQP URL."""
    url(written, "amqp", "amqps")
    return written


def broker_api(written: str) -> str:
    """Parse the URL of the broker's management API, with a user and a password."""
    parts = url(written, "http", "https")
    if not parts.username or not parts.password or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(
            "is not the address of RabbitMQ's management API with a user of the tag administrator. Write it like "
            "http://user:password@host:15672; what a password holds of :/?#@ is percent-encoded."
        )
    return written.rstrip("/")


def database_url(written: str) -> str:
    """Parse a database's SQLAlchemy URL."""
    # Imported here, because most commands use no database.
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(written)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.drivername not in DRIVERS or not parsed.database:
        raise ValueError("names no database. Write postgresql://user:password@host/name or sqlite:////absolute/path.")
    if parsed.database == ":memory:":
        raise ValueError(
            "is an in-memory database: each thread would have its own, and all data would be lost at the end. "
            "Write sqlite:////absolute/path."
        )
    port = 5432 if parsed.port is None else parsed.port
    if not 1 <= port <= 65535 or not (parsed.host is None or is_host(parsed.host)):
        raise ValueError(
            "has an invalid host or port. Write postgresql://user:password@host:5432/name, and percent-encode :/?#@ in "
            "the password."
        )
    if unknown := [name for name in parsed.query if not _is_option(name, parsed.get_backend_name())]:
        raise ValueError(
            f"has options that the database does not know: {', '.join(unknown)}. Remove them, or use libpq's "
            "names, such as sslmode."
        )
    return written


def _is_option(name: str, backend: str) -> bool:
    if backend == "sqlite":
        return name == "timeout"
    from psycopg2 import ProgrammingError  # imported here: most commands use no database
    from psycopg2.extensions import make_dsn

    try:
        return bool(make_dsn(**{name: "x"}))
    except ProgrammingError:
        return False


def site_url(written: str) -> str:
    """Parse the site's public URL and return it without a trailing slash."""
    parts = url(written, "https", "http")
    if "@" in parts.netloc or "?" in written or "#" in written:
        raise ValueError("contains more than the address of a site. Write it like https://pengaduan.example.id.")
    return written.rstrip("/")


def origins(written: str) -> frozenset[str]:
    """Parse the origins of websites, separated by commas."""
    words = [word.strip() for word in written.split(",") if word.strip()]
    if len(set(words)) < len(words):
        raise ValueError("names the same origin twice. Write each once.")
    return frozenset(map(_origin, words))


def _origin(word: str) -> str:
    if "*" in word or word == "null":
        raise ValueError(
            "would admit websites that nobody has named. Write each origin in full, such as https://kota.example.id."
        )
    parts = url(word, "https", "http")
    if "@" in parts.netloc or "?" in word or "#" in word or parts.path:
        raise ValueError(
            "contains more than an origin, which is the scheme, the host and, if it is not the usual one, the port. "
            "Write it like https://kota.example.id."
        )
    host = parts.hostname or ""
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError("has an origin without TLS, which is for this machine only (http://localhost:8000).")
    port = "" if parts.port in (None, {"https": 443, "http": 80}[parts.scheme]) else f":{parts.port}"
    sent = f"{parts.scheme}://{f'[{ip_address(host)}]' if ':' in host else host}{port}"
    if word != sent:
        raise ValueError(f"has an origin that no browser sends in this form. Write {sent}.")
    return word


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def mail_server(written: str) -> MailServer | None:
    """Parse `smtp://user:password@host:587?starttls=1`, or `smtps://…` for TLS from the first byte; empty is None."""
    if not written:
        return None
    parts = _split(written, "smtp", "smtps")
    if faults := [*_faults_of_url(written, parts), *_faults_of_mail_server(parts)]:
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


@dataclass(frozen=True)
class Bucket:
    """A bucket of an S3-compatible store. Its `secret` is shown nowhere."""

    endpoint: str
    name: str
    prefix: str
    key: str
    secret: str = field(repr=False)
    region: str


def files(written: str) -> Path | Bucket:
    """Parse where files lie: a folder, or `s3://key:secret@host:port/bucket/prefix?region=…&tls=0`."""
    if "://" not in written:
        return Path(written)
    how = "Write a folder, or s3://key:secret@host/bucket/prefix, with ?region=… and ?tls=0 where they are needed."
    parts = url(written, "s3")
    asked = parse_qs(parts.query, keep_blank_values=True)
    if not set(asked) <= {"region", "tls"} or any(len(values) > 1 for values in asked.values()) or parts.fragment:
        raise ValueError(f"has parts that mean nothing here. {how}")
    if asked.get("tls", ["1"])[0] not in ("0", "1") or "" in asked.get("region", ["x"]):
        raise ValueError(f"has a tls that is neither 0 nor 1, or an empty region. {how}")
    key, secret = unquote(parts.username or ""), unquote(parts.password or "")
    name, _, prefix = parts.path.removeprefix("/").partition("/")
    if not key or not secret or not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
        raise ValueError(f"has no key with its secret, or names no bucket. {how}")
    if not re.fullmatch(r"([A-Za-z0-9_.-]+/?)*", prefix):
        raise ValueError(f"has a prefix with other signs than letters, digits, - . _ and /. {how}")
    scheme = "http" if asked.get("tls") == ["0"] else "https"
    endpoint = f"{scheme}://{parts.netloc.rpartition('@')[2]}"
    return Bucket(endpoint, name, prefix.strip("/"), key, secret, asked.get("region", ["us-east-1"])[0])


Clamd = str | tuple[str, int]
"""Where a clamd listens: the path of its socket, or a host and a port."""


def clamd(written: str) -> Clamd | None:
    """Parse where a clamd listens: `host:port`, or the path of a socket; empty where there is none."""
    if not written or written.startswith("/"):
        return written or None
    how = "Write host:port, such as clamd:3310, or the path of its socket."
    try:
        parts = urlsplit(f"//{written}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"names no port from 1 to 65535. {how}") from None
    if not host or not port or not is_host(host) or parts.path or parts.query or parts.fragment or parts.username:
        raise ValueError(f"names no clamd. {how}")
    return host, port


def delays(written: str) -> tuple[int, ...]:
    """Parse seconds separated by commas, and return them as milliseconds."""
    try:
        delays = tuple(int(float(part) * 1000) for part in written.split(","))
    except (ValueError, OverflowError):
        delays = ()
    if not delays or min(delays) < 0 or max(delays) > 86_400_000:
        raise ValueError("must be seconds separated by commas, each a day at most, such as 1,5,30,120,600.")
    if len(delays) > MOST_DELAYS:
        raise ValueError(f"has {len(delays)} delays, each of which is a queue: write at most {MOST_DELAYS}.")
    return delays


def limit(written: str) -> str:
    """Parse a rate limit in the notation of the library `limits`, such as 20/hour."""
    from limits import parse_many  # imported here: only the gateway uses it

    try:
        limits = parse_many(written)
    except ValueError:
        raise ValueError("is not a rate limit. Write it like 20/hour or 5/minute.") from None
    if any(each.amount < 1 or not 1 <= each.get_expiry() <= LONGEST_WINDOW for each in limits):
        raise ValueError("admits no request, or counts over more than a year. Write it like 20/hour or 5/minute.")
    return written


def store(written: str) -> str:
    """Parse the URL of the store that counts rate limits; it may be empty."""
    if written.startswith(("redis://", "rediss://")):
        url(written, "redis", "rediss")
    elif written and not re.fullmatch("sqlite:////.+", written):
        raise ValueError(
            "is not the URL of a store. Write sqlite:////absolute/path, redis://host:6379 or rediss://host:6379."
        )
    return written


def networks(written: str) -> Networks:
    """Parse networks separated by commas, among which may be the word for Unix domain sockets."""
    words = [word.strip() for word in written.split(",") if word.strip()]
    named = tuple(_network(word) for word in words if word != UNIX)
    # Collapsed first: two adjacent halves would pass as the wide network that they form.
    four = collapse_addresses(network for network in named if isinstance(network, IPv4Network))
    six = collapse_addresses(network for network in named if isinstance(network, IPv6Network))
    if any(each.prefixlen < WIDEST_4 for each in four) or any(each.prefixlen < WIDEST_6 for each in six):
        raise ValueError(
            "would trust everybody, or much of the Internet. Write the networks that your proxies connect from."
        )
    return named, UNIX in words


def _network(word: str) -> IPv4Network | IPv6Network:
    if word.isdigit():
        raise ValueError(
            "is a number of proxies, which is no longer accepted: any client that reaches the port could pose as one. "
            "Write the networks that they connect from, such as 127.0.0.1/32 or 10.0.0.0/8,::1/128; leave it empty if "
            "there is no proxy."
        )
    try:
        return ip_network(word)
    except ValueError as error:
        raise ValueError(
            f"contains an invalid network: {error}. Write networks, such as 10.0.0.0/8, ::1/128, separated by commas."
        ) from None


Hosts = frozenset[tuple[str, int | None]]
"""Hosts, each with a port, or with None for every port."""


def hosts(written: str) -> Hosts:
    """Parse hosts separated by commas, each with or without a port."""
    return frozenset(_host(word.strip()) for word in written.split(",") if word.strip())


def _host(word: str) -> tuple[str, int | None]:
    found = re.fullmatch(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^:\[\]/@]+))(?::(?P<port>[0-9]{1,5}))?", word)
    host = found and (found["six"] or found["host"])
    port = int(found["port"]) if found and found["port"] else None
    if not host or not is_host(host) or not (port is None or 1 <= port <= 65535):
        raise ValueError("names no host. Write hosts, such as kasus.example.id, 10.1.2.3:8443 or [fd00::1]:8443.")
    return host.lower().removesuffix("."), port


def folder(written: str) -> str:
    """Parse the path of an existing folder; it may be empty."""
    if written and not Path(written).is_dir():
        raise ValueError("is not a folder that this process can read.")
    return written


def certificates(written: str) -> str:
    """Parse the path of a file of certificates in PEM; it may be empty."""
    if written:
        try:
            ssl.create_default_context(cafile=written)
        except OSError:  # which SSLError is too
            raise ValueError("is no file of certificates in PEM that can be read here.") from None
    return written


def file(written: str) -> str:
    """Parse the path of an existing file that can be read; it may be empty."""
    if written and not (Path(written).is_file() and os.access(written, os.R_OK)):
        raise ValueError("is no file that can be read here.")
    return written


def address(written: str) -> str:
    """Parse the IP address of a network card of this machine."""
    try:
        return str(ip_address(written))
    except ValueError:
        raise ValueError("is no IP address. Write 127.0.0.1 for this machine alone, or 0.0.0.0 for all.") from None


def host(written: str) -> str:
    """Parse the name of a host, or its IP address; it may be empty."""
    if written and not is_host(written):
        raise ValueError("is no name of a host. Write it like amqp.example.id.")
    return written


def bind(written: str) -> str:
    """Parse the address that gunicorn listens at."""
    how = "Write 127.0.0.1:8080, [::1]:8080 or unix:/absolute/path."
    if written.startswith("fd://"):
        if not _is_socket(written.removeprefix("fd://")):
            raise ValueError(f"is not an open socket inherited from the parent process. {how}")
    elif written.startswith("unix:"):
        if not written.startswith("unix:/"):
            raise ValueError(f"is not an absolute path. {how}")
    else:
        named = re.fullmatch(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^:\[\]]*)):(?P<port>[0-9]{1,5})", written)
        host = named and (named["six"] or named["host"])
        if not named or int(named["port"]) > 65535 or (host and not is_host(host)):
            raise ValueError(f"is not an address to listen on. {how}")
    return written


def _is_socket(descriptor: str) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(int(descriptor)).st_mode)
    except (OSError, ValueError, OverflowError):
        return False
