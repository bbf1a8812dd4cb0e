"""Parsing of e-mail addresses, into the form in which letters are sent to them (RFC 5321, RFC 5891).

The local part must be ASCII: others need SMTPUTF8, which few servers support. The domain is converted to ASCII
(punycode) by IDNA 2008 with the mapping of UTS 46. Invisible characters are removed, but an address with a control
character is refused: it was damaged, and without that character could be somebody else's.
"""

import re

import idna

from nkk.sop import faults, text

LONGEST = 254

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MORE_THAN_ONE = re.compile(r"[<>,;]|@.*\s.*@", re.DOTALL)
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_NOWHERE = ("localhost", "localdomain", "invalid")


class NoMailboxError(ValueError):
    """The text is not an address that letters can be sent to; `fault` says why."""

    def __init__(self, kind: faults.Kind) -> None:
        super().__init__(kind.code)
        self.fault = kind()


def read_mailbox(written: str) -> str:
    """Parse an e-mail address. Raises NoMailboxError."""
    stripped = written.strip()
    if len(stripped) > 4 * LONGEST:
        # Checked first: some of the searches below take quadratic time.
        raise NoMailboxError(faults.NO_ADDRESS)
    if _CONTROL.search(stripped):
        raise NoMailboxError(faults.HIDDEN_SIGN)
    seen = text.visible(stripped).strip()
    if "@" in seen and _MORE_THAN_ONE.search(seen):
        raise NoMailboxError(faults.ONE_ADDRESS)
    local, at, domain = seen.rpartition("@")
    if not at or not local or not domain:
        raise NoMailboxError(faults.NO_ADDRESS)
    if not local.isascii():
        raise NoMailboxError(faults.ADDRESS_NOT_PLAIN)
    address = f"{local}@{ascii_domain(domain)}"
    # An encoded word (RFC 2047) is not allowed in an address; software that decodes it would find another one.
    if not _LOCAL.fullmatch(local) or "=?" in local or len(local) > 64 or len(address) > LONGEST:
        raise NoMailboxError(faults.NO_ADDRESS)
    return address


def ascii_domain(domain: str) -> str:
    """Return `domain` in ASCII. Raises NoMailboxError where it is not a public domain name."""
    if domain.startswith("["):
        raise NoMailboxError(faults.NO_DOMAIN)
    try:
        name = idna.encode(domain.removesuffix("."), uts46=True, std3_rules=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        raise NoMailboxError(faults.NO_ADDRESS) from None
    last = name.rpartition(".")[2]
    if last == name or last.isdigit() or last in _NOWHERE:
        raise NoMailboxError(faults.NO_DOMAIN)
    return name


def is_same(one: str, other: str) -> bool:
    """Return whether both texts name the same address."""
    return canonical(one) == canonical(other)


def postbox_of(written: str) -> str:
    """Return the mailbox that an address probably leads to: the address without its subaddress and dots.

    Most providers ignore what follows a plus (RFC 5233), and a large one ignores dots. Only for rate limits: at other
    providers two such addresses may be two people's.
    """
    local, at, domain = canonical(written).lower().rpartition("@")
    return f"{local.partition('+')[0].replace('.', '') or local}{at}{domain}"


def canonical(written: str) -> str:
    """Return the form by which addresses are compared, also for stored ones that would be refused today."""
    try:
        return read_mailbox(written)
    except ValueError:
        return text.code(written)
