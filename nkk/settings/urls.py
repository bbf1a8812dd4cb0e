"""Parsers of URLs: of the broker, databases, the store of rate limits, this site and other websites."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from nkk.settings.addresses import is_host

DRIVERS = ("sqlite", "postgresql", "postgresql+psycopg2")


def url(written: str, *schemes: str) -> SplitResult:
    """Parse a URL with a host and one of `schemes`, in which nothing else is wrong. Raises ValueError."""
    parts = split(written, *schemes)
    if fault := next(faults_of(written, parts), ""):
        raise ValueError(fault)
    return parts


def split(written: str, *schemes: str) -> SplitResult:
    """Return the parts of a URL with a host and one of `schemes`. Raises ValueError."""
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


def faults_of(written: str, parts: SplitResult) -> Iterator[str]:
    """Yield what else is wrong with the URL `written`, of which `parts` are the parts."""
    if not written.isascii() or re.search(r"[\s\x00-\x1f\x7f]", written):
        yield (
            "contains spaces or non-ASCII characters: write the host in punycode (xn--…), and percent-encode the rest."
        )
    elif not is_host(parts.hostname or ""):
        yield "has an invalid host: its parts are up to 63 letters, digits and hyphens, with one dot between them."
    if parts.netloc.endswith(":"):
        yield "has a colon after the host, but no port."


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


def store(written: str) -> str:
    """Parse the URL of the store that counts rate limits; it may be empty."""
    if written.startswith(("redis://", "rediss://")):
        url(written, "redis", "rediss")
    elif written and not re.fullmatch("sqlite:////.+", written):
        raise ValueError(
            "is not the URL of a store. Write sqlite:////absolute/path, redis://host:6379 or rediss://host:6379."
        )
    return written


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
