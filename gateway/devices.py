"""Devices that logged in before, so that strangers' wrong passwords for an account do not slow down its owner.

A device carries a random token and, for each account it logged in to, a mark that only this gateway can make: a keyed
hash of token, user name and kind of account. A mark authenticates nothing; it gives the device a count of its own in
the gateway's limits and in intake. Pages keep it in a cookie, programs send it as a header. The gateway stores none.
"""

import json
import re
import secrets
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import request

from gateway.limits import hidden, source
from nkk.sop.steps import Role
from nkk.sop.text import LONGEST_CODE, user_name

HEADER = "X-NKK-Device"
KINDS = ("staff", "reporter")
MOST_ACCOUNTS = 4
"""How many accounts, those last logged in to, a device has marks for."""

_WRITTEN = re.compile(rf"[A-Za-z0-9_-]{{32}}(\.[0-9a-f]{{32}}){{0,{MOST_ACCOUNTS}}}")


@dataclass(frozen=True)
class Device:
    """A device's token and its marks, the newest first."""

    token: str
    marks: tuple[str, ...] = ()

    def known_as(self, username: str) -> list[str]:
        """Return the kinds of account that the device has logged in to with `username` before."""
        return [kind for kind in KINDS if self._mark(username, kind) in self.marks]

    def after(self, username: str, role: str) -> "Device":
        """Return the device with a mark for a log-in to this account."""
        mark = self._mark(username, "reporter" if role == Role.REPORTER else "staff")
        others = tuple(known for known in self.marks if known != mark)
        return Device(self.token, (mark, *others)[:MOST_ACCOUNTS])

    def credentials(self, form: dict[str, Any]) -> dict[str, Any]:
        """Return what intake is sent for a log-in: user name, password, source address and device."""
        username, password = form["username"], form["password"]
        return {
            "username": username,
            "password": password,
            "visitor": {"source": source(), "device": self.token, "known_as": self.known_as(username)},
        }

    def __str__(self) -> str:
        return ".".join((self.token, *self.marks))

    def _mark(self, username: str, kind: str) -> str:
        # Cut, because its length is not validated yet; no account has a longer user name.
        return hidden(f"device:{self.token}:{kind}:{user_name(username[:LONGEST_CODE])}")


def read(written: str | None) -> Device:
    """Return the device written in a cookie or header; a new one where there is none or it is malformed."""
    if written and _WRITTEN.fullmatch(written):
        token, *marks = written.split(".")
        return Device(token, tuple(marks))
    return Device(secrets.token_urlsafe(24))


def by_device(presented: Callable[[], tuple[str | None, str]], each: Collection[str] = KINDS) -> Callable[[], str]:
    """Return a limit's key function: the account where a known device asks, else the address.

    Strangers at one address thus use up none of a known device's tries. `presented` returns (device as written, user
    name). Known devices of kinds of account not in `each` share one count per address, beside that of its strangers.
    Threat: anybody can register many reporter accounts, and each would have tries of its own.
    """

    def key() -> str:
        written, username = presented()
        known = read(written).known_as(username) if written and username else []
        if not known:
            return source()
        # A staff account and a reporter's may have the same user name: each has a count of its own.
        return hidden(
            f"known:{' '.join(known)}:{user_name(username)}" if set(known) & set(each) else f"known:{source()}"
        )

    return key


def in_header() -> tuple[str | None, str]:
    """Return the device header of an API request, and the user name in its JSON."""
    written, username = request.headers.get(HEADER), ""
    if written:
        # The view reports what is wrong with the body.
        with suppress(ValueError, RecursionError, KeyError, TypeError):
            username = json.loads(request.get_data(cache=True))["username"]
    return written, username if isinstance(username, str) else ""
