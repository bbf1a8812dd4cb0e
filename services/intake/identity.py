"""Who reported: encrypted at rest, sealed in transit, and found again only by what the person knows.

Threats: a stolen database (identities are encrypted with keys that are not in it; user names and addresses are looked
up by keyed hashes), a listener on the broker (registrations, log-ins and identities cross it sealed), a stolen key (the
ring rotates: the first key encrypts, all decrypt). What is stored or sent is padded: its length tells nothing.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.fernet import Fernet, MultiFernet

from nkk.messaging.boxes import Call, open_box
from nkk.messaging.calls import BusyError
from nkk.messaging.host import DependencyProvider, in_thread, limit_threads
from nkk.settings import (
    NKK_IDENTITY_KEYS,
    NKK_INTAKE_PRIVATE_KEY,
    NKK_LOGIN_INDEX_KEY,
    NKK_NOTIFICATION_PUBLIC_KEY,
    NKK_TOKEN_SIGNING_KEY,
)
from nkk.sop import text
from nkk.sop.mailbox import canonical, postbox_of
from nkk.trust.sealing import IDS, padded, seal
from services.intake.domain import HashReplaced

T = TypeVar("T")

SMALLEST_IDENTITY = 1_024
"""Bytes that every identity is encrypted as, at least: how long an encrypted name is tells nothing about it."""


class Vault:
    """The keys of intake: the identity key ring, the key of the log-in index, the key it is written to with."""

    def __init__(self, identity_keys: list[str], index_key: str, private_key: str, contact_key: str) -> None:
        self._ring = MultiFernet([Fernet(key) for key in identity_keys])
        self._index_key = index_key.encode()
        self._private_key = private_key
        self._contact_key = contact_key

    def encrypt(self, identity: dict[str, Any]) -> str:
        """`identity` under the newest key."""
        return self._ring.encrypt(padded(identity, SMALLEST_IDENTITY)).decode()

    def decrypt(self, token: str) -> dict[str, Any]:
        """The identity in `token`. Raises cryptography's InvalidToken where no key of the ring fits."""
        return json.loads(self._ring.decrypt(token.encode()))

    def reencrypt(self, token: str) -> str:
        """The same identity under the newest key, and padded: those of earlier versions were not."""
        return self.encrypt(self.decrypt(token))

    def login_index(self, username: str) -> str:
        """What a user name is stored and looked up as: HMAC-SHA256 under a key outside the database."""
        return hmac.new(self._index_key, text.user_name(username).encode(), hashlib.sha256).hexdigest()

    def address_index(self, email: str) -> str:
        """What an e-mail address is looked up as, whatever its case."""
        return self.hidden("address", canonical(email).lower())

    def postbox_index(self, email: str) -> str:
        """What codes are counted under that go to an address, however that is written."""
        return self.hidden("postbox", postbox_of(email))

    def hidden(self, *parts: str) -> str:
        """`parts` as a key of a row that tells nothing of them: HMAC-SHA256 under the same key."""
        return hmac.new(self._index_key, "\0".join(parts).encode(), hashlib.sha256).hexdigest()

    def open(self, box: Any, method: str, now: datetime) -> Call:
        """The call of `method` that the gateway sealed for intake. Raises UnreadableBoxError or StaleBoxError."""
        return open_box(box, self._private_key, method, now)

    def seal_for_notification(self, content: dict[str, Any]) -> str:
        """`content`, such as an address, for the notification service alone."""
        return seal(content, self._contact_key)

    def seal_reporter(self, ticket: str, reporter_id: str) -> str:
        """Whose report `ticket` is, for the notification service alone. Good for this ticket only."""
        return seal({"ticket": ticket, "reporter_id": reporter_id}, self._contact_key, IDS)


ARGON2: dict[str, Any] = {"time_cost": 2, "memory_cost": 19_456, "parallelism": 1}
"""OWASP's second choice of parameters: 19 MiB, 2 passes, 1 lane."""


WORKERS_A_PLACE = 2
"""Half of the workers may be busy with passwords: the other half is left for everybody else."""

PLACES_A_SPARE_ONE = 4

ROUNDS = 3
"""How often a password is compared anew."""

BUSY = "As many passwords are hashed and compared as are at once."


class Passwords:
    """Argon2id, computed in a thread: it takes tens of milliseconds, and every consumer of the process would wait.

    Threat: many log-ins at once, from however many addresses, have everybody else wait in intake's workers. So there
    are `places` for a hash that is computed or waits to be: whoever finds none is not kept, and raises BusyError before
    anything was compared. What takes one hash after the other keeps its place between them. `spare` more are for staff
    alone, at devices that they logged in with before: no flood at the public's door keeps the desks out.
    """

    argon2 = ARGON2

    def __init__(self, places: int, spare: int = 0) -> None:
        self._places = places
        self.of_known_staff = type(self)(spare) if spare else self
        self._hasher = PasswordHasher(**self.argon2)
        self._decoy = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """A new salted hash."""
        return self._computed(self._hasher.hash, text.password(password))

    def matches(self, password: str, password_hash: str | None) -> bool:
        """Whether `password` fits; takes as long where there is no account to compare with. Versions before hashed it
        as it was typed: where that is another, both are compared, whatever the first gives."""
        fits = [self._fits(form, password_hash) for form in dict.fromkeys((text.password(password), password))]
        return any(fits)

    def renewed(self, password: str, password_hash: str) -> str:
        """The hash to keep of a `password` that fits: a new one where the old was made of it as it was typed."""
        form = text.password(password)
        return password_hash if form == password or self._fits(form, password_hash) else self.hash(form)

    def _fits(self, password: str, password_hash: str | None) -> bool:
        try:
            return self._computed(self._hasher.verify, password_hash or self._decoy, password) and bool(password_hash)
        except (VerificationError, InvalidHashError):
            return False

    def _computed(self, work: Callable[..., Any], *args: str) -> Any:
        if not self._places:
            raise BusyError(BUSY)
        self._places -= 1
        try:
            return in_thread(work, *args)
        finally:
            self._places += 1


def compared_anew(act: Callable[[], T]) -> T:
    """What `act` gives, which compares a password and begins its transaction then: again where the hash was replaced in
    between, be it by a log-in beside. No hash is computed while a transaction is open: on SQLite nobody else would
    write for as long."""
    for _ in range(ROUNDS):
        with suppress(HashReplaced):
            return act()
    raise BusyError(BUSY)


class VaultProvider(DependencyProvider):
    """Gives each worker the Vault."""

    def setup(self) -> None:
        self._vault = Vault(
            identity_keys=NKK_IDENTITY_KEYS.get(),
            index_key=NKK_LOGIN_INDEX_KEY.get(),
            private_key=NKK_INTAKE_PRIVATE_KEY.get(),
            contact_key=NKK_NOTIFICATION_PUBLIC_KEY.get(),
        )

    def get_dependency(self, worker_ctx: Any) -> Vault:
        return self._vault


class PasswordsProvider(DependencyProvider):
    """Gives each worker the Passwords."""

    passwords_cls = Passwords

    def setup(self) -> None:
        # The allocator of each thread keeps Argon2's 19 MiB: no more threads than processors to use them.
        limit_threads(os.cpu_count() or 2)
        places = max(1, self.container.max_workers // WORKERS_A_PLACE)
        self._passwords = self.passwords_cls(places, spare=max(1, places // PLACES_A_SPARE_ONE))

    def get_dependency(self, worker_ctx: Any) -> Passwords:
        return self._passwords


class SigningKeyProvider(DependencyProvider):
    """Gives each worker the key that access tokens are signed with."""

    def setup(self) -> None:
        self._key = NKK_TOKEN_SIGNING_KEY.get()

    def get_dependency(self, worker_ctx: Any) -> str:
        return self._key
