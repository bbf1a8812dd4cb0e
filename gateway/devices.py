"""Devices that logged in before: strangers who give wrong passwords for somebody's user name do not slow those down.

A device carries a random token, and for each account it logged in with a mark that only this gateway can make: a keyed
hash of token, user name and kind of account. It opens nothing; it gives its device a count of its own, at the door and
in intake. Pages keep it in a cookie, programs send it as a header. Nothing of it is stored here.
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
"""So many accounts that logged in with it last are known at a device."""

_WRITTEN = re.compile(rf"[A-Za-z0-9_-]{{32}}(\.[0-9a-f]{{32}}){{0,{MOST_ACCOUNTS}}}")


@dataclass(frozen=True)
class Device:
    """A device's token and its marks, the newest first."""

    token: str
    marks: tuple[str, ...] = ()

    def known_as(self, username: str) -> list[str]:
        """As which kinds of account it has logged in with `username` before."""
        return [kind for kind in KINDS if self._mark(username, kind) in self.marks]

    def after(self, username: str, role: str) -> "Device":
        """The same once it has logged in."""
        mark = self._mark(username, "reporter" if role == Role.REPORTER else "staff")
        others = tuple(known for known in self.marks if known != mark)
        return Device(self.token, (mark, *others)[:MOST_ACCOUNTS])

    def credentials(self, form: dict[str, Any]) -> dict[str, Any]:
        """What intake is told of an attempt to log in."""
        username, password = form["username"], form["password"]
        return {
            "username": username,
            "password": password,
            "visitor": {"source": source(), "device": self.token, "known_as": self.known_as(username)},
        }

    def __str__(self) -> str:
        return ".".join((self.token, *self.marks))

    def _mark(self, username: str, kind: str) -> str:
        # Nobody has measured it yet, and no account has a longer one.
        return hidden(f"device:{self.token}:{kind}:{user_name(username[:LONGEST_CODE])}")


def read(written: str | None) -> Device:
    """The device as it tells of itself; a new one where it tells nothing, or nothing of ours."""
    if written and _WRITTEN.fullmatch(written):
        token, *marks = written.split(".")
        return Device(token, tuple(marks))
    return Device(secrets.token_urlsafe(24))


def by_device(presented: Callable[[], tuple[str | None, str]], each: Collection[str] = KINDS) -> Callable[[], str]:
    """The key of a limit: the account, where a device asks that logged in with it before, else the address. Whoever
    shares an address with it uses up none of its tries. `presented` gives (device as written, user name).

    Known devices of other kinds of account than `each` share one count at an address, beside that of its strangers.
    Threat: reporters' accounts can be had by anybody, and as many would be as many tries."""

    def key() -> str:
        written, username = presented()
        known = read(written).known_as(username) if written and username else []
        if not known:
            return source()
        # Staff and reporters may have one name: neither uses up the other's tries.
        return hidden(
            f"known:{' '.join(known)}:{user_name(username)}" if set(known) & set(each) else f"known:{source()}"
        )

    return key


def in_header() -> tuple[str | None, str]:
    """What a program presents: the header, and the user name in its JSON."""
    written, username = request.headers.get(HEADER), ""
    if written:
        # What is wrong with it the view says.
        with suppress(ValueError, RecursionError, KeyError, TypeError):
            username = json.loads(request.get_data(cache=True))["username"]
    return written, username if isinstance(username, str) else ""
