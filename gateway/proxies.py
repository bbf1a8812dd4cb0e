"""Whom to believe about who asks: NKK_TRUSTED_PROXIES, a list of networks.

What X-Forwarded-For, -Proto and -Host say is believed where the connection comes from one of these networks, and thrown
away otherwise: whoever reaches the port by another way is nobody but the address they come from. X-Forwarded-For is
read from its end, past every address of these networks; the first other one is who asks.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from nkk.settings.written import UNIX

_FORWARDED = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_FORWARDED_SCHEME",
    "HTTP_X_FORWARDED_SSL",
    "HTTP_X_REAL_IP",
    "HTTP_FORWARDED",
)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?")
_WITH_PORT = re.compile(r"\[(?P<six>[^\]]*)\](:\d+)?|(?P<four>[^:]*):\d+")

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Proxies:
    """The networks that are trusted."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    unix: bool = False

    def include(self, peer: str) -> bool:
        """Whether whoever connects from `peer` is one of them."""
        if peer == UNIX:
            return self.unix
        address = read_address(peer)
        return address is not None and any(address in network for network in self.networks)


def read_address(written: str) -> Address | None:
    """An address as a proxy or the system writes it: with or without port, brackets, zone, or as IPv4 within IPv6."""
    text = written.strip()
    with_port = _WITH_PORT.fullmatch(text)
    text = (with_port["six"] or with_port["four"] or "") if with_port else text
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def behind(app: Callable[..., Any], proxies: Proxies) -> Callable[..., Any]:
    """The WSGI application `app`, told what trusted proxies say and nothing of what others do."""

    def told(environ: dict[str, Any], start_response: Any) -> Any:
        said = {name: environ.pop(name, "") for name in _FORWARDED}
        if proxies.include(environ.get("REMOTE_ADDR", "")):
            environ.update(_believed(said, environ["REMOTE_ADDR"], proxies))
        return app(environ, start_response)

    return told


def _believed(said: Mapping[str, str], peer: str, proxies: Proxies) -> dict[str, str]:
    client, hops = _walk(_parts(said["HTTP_X_FORWARDED_FOR"]), peer, proxies)
    scheme = _at(_parts(said["HTTP_X_FORWARDED_PROTO"]), hops).lower()
    host = _at(_parts(said["HTTP_X_FORWARDED_HOST"]), hops)
    return (
        {"REMOTE_ADDR": client}
        | ({"wsgi.url_scheme": scheme} if scheme in ("http", "https") else {})
        | ({"HTTP_HOST": host} if _HOST.fullmatch(host) else {})
    )


def _walk(chain: list[str], peer: str, proxies: Proxies) -> tuple[str, int]:
    """(who asks, how many trusted proxies their request passed): the first from the end of `chain` that is none of
    ours. What is no address ends the walk at the proxy that wrote it."""
    client, hops = peer, 0
    for written in reversed(chain):
        address = read_address(written)
        if address is None:
            break
        client, hops = str(address), hops + 1
        if not proxies.include(client):
            break
    return client, hops


def _at(chain: list[str], hops: int) -> str:
    """What the first of our proxies said: where each adds to the list, as many entries from its end as there are."""
    return chain[-min(max(hops, 1), len(chain))] if chain else ""


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]
