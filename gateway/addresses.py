"""Where a visitor may be sent: within this site, whatever host or address a request named."""

from urllib.parse import urlsplit


def within_site(address: str | None, otherwise: str = "/") -> str:
    """`address` where it is a path of this site; a link that leads elsewhere after log-in would be believed."""
    if not address or not address.startswith("/") or address.startswith(("//", "/\\")):
        return otherwise
    parts = urlsplit(address)
    clean = not parts.scheme and not parts.netloc and "\\" not in address and address.isprintable()
    return address if clean else otherwise
