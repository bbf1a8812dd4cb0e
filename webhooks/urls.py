"""The URLs that webhooks may have, and the addresses that they may reach.

Threat: who adds a webhook, or controls a name of one, could make this process post into the agency's own network. So
only public addresses are reached, unless the admin allows a host by name, and they are checked when a connection is
made: a name that was checked before can resolve to something else by then.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult

from nkk.settings.addresses import Hosts
from nkk.settings.urls import url

LONGEST = 2000

_GLOBAL_6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


class RefusedAddressError(OSError):
    """A host has an address that webhooks may not reach."""


def read_url(written: str, allowed: Hosts) -> SplitResult:
    """Parse the URL of a webhook. Raises ValueError with what is wrong and what to write."""
    if len(written) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} signs.")
    parts = url(written, "https", "http")
    if "@" in parts.netloc:
        raise ValueError("holds a user or a password: leave them out. The receiver knows by the signature who posts.")
    if "?" in written or "#" in written:
        raise ValueError(
            "has a query or a fragment, which would end up in logs: leave it out. The receiver knows by the signature "
            "who posts."
        )
    host, port = parts.hostname or "", parts.port
    if not is_allowed(host, port or PORTS[parts.scheme], allowed):
        if parts.scheme == "http":
            raise ValueError(
                "is not encrypted. Write https://…, or name the host in NKK_WEBHOOKS_ALLOWED (docs/tools.md)."
            )
        if (address := _as_address(host)) and not is_public(address):
            raise ValueError(
                "is a private address. If it is meant, name the host in NKK_WEBHOOKS_ALLOWED (docs/tools.md)."
            )
    return parts


PORTS = {"https": 443, "http": 80}


def is_allowed(host: str, port: int, allowed: Hosts) -> bool:
    """Return whether `allowed` names this host, with this port or with none."""
    host = host.lower().removesuffix(".")
    return (host, None) in allowed or (host, port) in allowed


def check_addresses(host: str, port: int, addresses: list[str], allowed: Hosts) -> None:
    """Raise RefusedAddressError where one of the `addresses` of a host may not be reached."""
    if not is_allowed(host, port, allowed) and not all(is_public(ip_address(each)) for each in addresses):
        raise RefusedAddressError("private address")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is that of one host on the public Internet.

    IPv4 addresses inside IPv6 addresses (mapped, NAT64, 6to4) are judged by themselves; Teredo is refused.
    """
    if isinstance(address, IPv6Address):
        if (inner := _inside(address)) is not None:
            return is_public(inner)
        return address in _GLOBAL_6 and address.is_global and not address.teredo
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inside(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _as_address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
