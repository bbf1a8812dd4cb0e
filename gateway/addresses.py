"""Where a visitor may be sent: within this site, whatever host or address a request named."""


def within_site(address: str | None, otherwise: str = "/") -> str:
    """`address` where it is a path of this site; a link that leads elsewhere after log-in would be believed."""
    if not address or not address.startswith("/") or address.startswith("//"):
        return otherwise
    # Browsers leave out signs that nobody sees, and take a backslash for a slash: what is left could name a host.
    return address if address.isprintable() and "\\" not in address else otherwise
