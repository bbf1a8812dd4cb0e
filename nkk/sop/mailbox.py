"""What an e-mail address is: one that our letters can go to, in the form in which they do (RFC 5321, RFC 5891).

Before the @ stand plain letters, digits and signs: beyond those an address needs SMTPUTF8, which few servers speak. Its
domain is written in ASCII (punycode), as IDNA 2008 with the mapping of UTS 46 has it. What nobody sees is left out, but
for control signs: an address that holds one was damaged, and without it would be somebody else's.
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
    """This is no address that our letters can go to; `fault` says why."""

    def __init__(self, kind: faults.Kind) -> None:
        super().__init__(kind.code)
        self.fault = kind()


def read_mailbox(written: str) -> str:
    """The address that `written` names. Raises NoMailboxError."""
    stripped = written.strip()
    if len(stripped) > 4 * LONGEST:
        # Before anything is looked for in it: some of that takes the square of its length.
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
    # An encoded word (RFC 2047) is no part of an address, and who decodes it all the same finds another one.
    if not _LOCAL.fullmatch(local) or "=?" in local or len(local) > 64 or len(address) > LONGEST:
        raise NoMailboxError(faults.NO_ADDRESS)
    return address


def ascii_domain(domain: str) -> str:
    """`domain` in ASCII. Raises NoMailboxError where it is none that leads to a mail server by itself."""
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
    """Whether both name one address, however each is written."""
    return canonical(one) == canonical(other)


def postbox_of(written: str) -> str:
    """Where letters to an address arrive, as far as it says so: what follows a plus (RFC 5233) most providers leave
    out, and a large one the dots as well. For counting alone: somewhere these may be two people."""
    local, at, domain = canonical(written).lower().rpartition("@")
    return f"{local.partition('+')[0].replace('.', '') or local}{at}{domain}"


def canonical(written: str) -> str:
    """What addresses are compared by, also one that was taken before and would not be now."""
    try:
        return read_mailbox(written)
    except ValueError:
        return text.code(written)
