"""What an e-mail address is: one that our letters can go to, in the form in which they do (RFC 5321, RFC 5891).

Before the @ stand plain letters, digits and signs: beyond those an address needs SMTPUTF8, which few servers speak. Its
domain is written in ASCII (punycode), as IDNA 2008 with the mapping of UTS 46 has it. What nobody sees is left out, but
for control signs: an address that holds one was damaged, and without it would be somebody else's.
"""

import re

import idna

from nkk.sop import text

LONGEST = 254

NO_ADDRESS = "Not a valid email address."
ONE_ADDRESS = "One address, without a name."
HIDDEN_SIGN = "A sign that nobody sees stands in this address: type it anew."
NOT_PLAIN = "Before the @ of an address our letters can go to stand plain letters (a to z), digits and signs."
NO_DOMAIN = "After the @ write a whole domain, such as example.id."

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MORE_THAN_ONE = re.compile(r"[<>,;]|@.*\s.*@", re.DOTALL)
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_NOWHERE = ("localhost", "localdomain", "invalid")


def read_mailbox(written: str) -> str:
    """The address that `written` names. Raises ValueError with a sentence that says what to do."""
    stripped = written.strip()
    if _CONTROL.search(stripped):
        raise ValueError(HIDDEN_SIGN)
    seen = text.visible(stripped).strip()
    if "@" in seen and _MORE_THAN_ONE.search(seen):
        raise ValueError(ONE_ADDRESS)
    local, at, domain = seen.rpartition("@")
    if not at or not local or not domain or len(stripped) > 4 * LONGEST:
        raise ValueError(NO_ADDRESS)
    if not local.isascii():
        raise ValueError(NOT_PLAIN)
    address = f"{local}@{ascii_domain(domain)}"
    # An encoded word (RFC 2047) is no part of an address, and who decodes it all the same finds another one.
    if not _LOCAL.fullmatch(local) or "=?" in local or len(local) > 64 or len(address) > LONGEST:
        raise ValueError(NO_ADDRESS)
    return address


def ascii_domain(domain: str) -> str:
    """`domain` in ASCII. Raises ValueError where it is none that leads to a mail server by itself."""
    if domain.startswith("["):
        raise ValueError(NO_DOMAIN)
    try:
        name = idna.encode(domain.removesuffix("."), uts46=True, std3_rules=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        raise ValueError(NO_ADDRESS) from None
    last = name.rpartition(".")[2]
    if last == name or last.isdigit() or last in _NOWHERE:
        raise ValueError(NO_DOMAIN)
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
