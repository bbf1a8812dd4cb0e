"""Parsers of hosts, networks and addresses: whom a process listens to, and whom it calls."""

import os
import re
import stat
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_address, ip_network
from urllib.parse import urlsplit

UNIX = "unix"
"""The word in a list of networks that means peers connected by a Unix domain socket."""

WIDEST_4, WIDEST_6 = 8, 7
"""The shortest prefix lengths, IPv4 and IPv6, of networks of trusted proxies (RFC 1918, RFC 4193)."""

IPV6 = 6

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


def is_host(written: str) -> bool:
    """Return whether `written` is an IP address or a host name (RFC 1123, plus the underscores of container names)."""
    try:
        # Only an IPv6 address may have a zone behind a percent sign.
        return ip_address(written.partition("%")[0]).version == IPV6 or "%" not in written
    except ValueError:
        labels = written.removesuffix(".").split(".")
        return len(written) <= 253 and all(map(_LABEL.fullmatch, labels))


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


Networks = tuple[tuple[IPv4Network | IPv6Network, ...], bool]
"""Networks, and whether peers connected by a Unix domain socket are included."""


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
