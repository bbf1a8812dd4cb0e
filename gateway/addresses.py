"""Safe redirect targets: addresses within this site only, whatever host or address a request names."""


def within_site(address: str | None, otherwise: str = "/") -> str:
    """Return `address` where it is a path of this site, else `otherwise`, because visitors trust links after log-in."""
    if not address or not address.startswith("/") or address.startswith("//"):
        return otherwise
    # Browsers drop invisible characters and read a backslash as a slash, after which the address could name a host.
    return address if address.isprintable() and "\\" not in address else otherwise
