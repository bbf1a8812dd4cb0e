"""Which proxies may say where a request comes from: the networks of NKK_TRUSTED_PROXIES.

X-Forwarded-For, -Proto and -Host are believed where the connection comes from one of these networks, and removed
otherwise, so that a client that reaches the port directly cannot forge its address. X-Forwarded-For is read from its
end, past every address of these networks; the first other address is the client's.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from nkk.settings.addresses import UNIX

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
    """The trusted networks, and whether a Unix socket is trusted."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    unix: bool = False

    def include(self, peer: str) -> bool:
        """Return whether a connection from `peer` comes from a trusted proxy."""
        if peer == UNIX:
            return self.unix
        address = read_address(peer)
        return address is not None and any(address in network for network in self.networks)


def read_address(written: str) -> Address | None:
    """Return the address in `written`, with or without port, brackets, zone or IPv6 mapping; None where invalid."""
    text = written.strip()
    with_port = _WITH_PORT.fullmatch(text)
    text = (with_port["six"] or with_port["four"] or "") if with_port else text
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def behind(app: Callable[..., Any], proxies: Proxies) -> Callable[..., Any]:
    """Return the WSGI application `app`, which gets the forwarded headers of trusted proxies only."""

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
    """Return the client's address and how many trusted proxies the request passed.

    The client is the first address from the end of `chain` that is not a trusted proxy's. An entry that is no address
    ends the search at the proxy that wrote it.
    """
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
    """Return the entry that the outermost trusted proxy wrote, where each proxy appends one."""
    return chain[-min(max(hops, 1), len(chain))] if chain else ""


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]
