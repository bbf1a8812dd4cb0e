"""Reporters' identities (encrypted at rest, sealed in transit, looked up by keyed hashes), and password hashing.

Threats: a stolen database (identities are encrypted with keys outside it; user names and e-mail addresses are stored as
keyed hashes), a reader of the broker's messages (registrations, log-ins and identities are sealed), a stolen key (keys
rotate: the first key of the ring encrypts, all decrypt). Stored and sent identities are padded to hide their length.
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
"""The least number of bytes that an identity is padded to before encryption, so that its length reveals nothing."""


class Vault:
    """Intake's keys: the identity key ring, the key of the hashes, its private key, and notification's public key."""

    def __init__(self, identity_keys: list[str], index_key: str, private_key: str, contact_key: str) -> None:
        self._ring = MultiFernet([Fernet(key) for key in identity_keys])
        self._index_key = index_key.encode()
        self._private_key = private_key
        self._contact_key = contact_key

    def encrypt(self, identity: dict[str, Any]) -> str:
        """Encrypt `identity`, padded, with the newest key."""
        return self._ring.encrypt(padded(identity, SMALLEST_IDENTITY)).decode()

    def decrypt(self, token: str) -> dict[str, Any]:
        """Decrypt the identity in `token`. Raises cryptography's InvalidToken where no key of the ring fits."""
        return json.loads(self._ring.decrypt(token.encode()))

    def reencrypt(self, token: str) -> str:
        """Re-encrypt the identity with the newest key, padded, which identities of earlier versions are not."""
        return self.encrypt(self.decrypt(token))

    def login_index(self, username: str) -> str:
        """Return the hash by which a user name is looked up: HMAC-SHA256 with a key that is not in the database."""
        return hmac.new(self._index_key, text.user_name(username).encode(), hashlib.sha256).hexdigest()

    def address_index(self, email: str) -> str:
        """Return the hash by which an e-mail address is looked up, ignoring case."""
        return self.hidden("address", canonical(email).lower())

    def postbox_index(self, email: str) -> str:
        """Return the hash by which codes to an e-mail address are counted, the same for its different spellings."""
        return self.hidden("postbox", postbox_of(email))

    def hidden(self, *parts: str) -> str:
        """Return `parts` as the key of a row that does not reveal them: HMAC-SHA256 with the key of the hashes."""
        return hmac.new(self._index_key, "\0".join(parts).encode(), hashlib.sha256).hexdigest()

    def open(self, box: Any, method: str, now: datetime) -> Call:
        """Open the gateway's sealed call of `method`. Raises UnreadableBoxError or StaleBoxError."""
        return open_box(box, self._private_key, method, now)

    def seal_for_notification(self, content: dict[str, Any]) -> str:
        """Seal `content`, such as an e-mail address, for the notification service."""
        return seal(content, self._contact_key)

    def seal_reporter(self, ticket: str, reporter_id: str) -> str:
        """Seal a report's reporter for the notification service. The ticket inside binds it to this report."""
        return seal({"ticket": ticket, "reporter_id": reporter_id}, self._contact_key, IDS)


ARGON2: dict[str, Any] = {"time_cost": 2, "memory_cost": 19_456, "parallelism": 1}
"""The second of OWASP's recommended parameter sets: 19 MiB, 2 passes, 1 lane."""


WORKERS_A_PLACE = 2
"""The number of workers for each place: at most half of the workers hash passwords at a time."""

PLACES_A_SPARE_ONE = 4

ROUNDS = 3
"""How often a password is compared before the call is refused as busy."""

BUSY = "As many passwords are hashed and compared as are at once."


class Passwords:
    """The Argon2id hasher. It runs in threads, because tens of milliseconds a hash would block the event loop.

    Threat: a flood of log-ins, from any number of addresses, occupies all of intake's workers. Therefore at most
    `places` hashes are computed or queued at a time; beyond that, BusyError is raised before anything is compared.
    `spare` more places are reserved for staff at devices that they logged in with before (`of_known_staff`), so that a
    flood of public log-ins does not keep staff out.
    """

    argon2 = ARGON2

    def __init__(self, places: int, spare: int = 0) -> None:
        self._places = places
        self.of_known_staff = type(self)(spare) if spare else self
        self._hasher = PasswordHasher(**self.argon2)
        self._decoy = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """Return a new salted hash of `password`. Raises BusyError."""
        return self._computed(self._hasher.hash, text.password(password))

    def matches(self, password: str, password_hash: str | None) -> bool:
        """Return whether `password` fits the hash. Without a hash it returns False after the same time.

        Earlier versions hashed the password as typed, not normalised: where the two differ, both are always compared.
        Raises BusyError.
        """
        fits = [self._fits(form, password_hash) for form in dict.fromkeys((text.password(password), password))]
        return any(fits)

    def renewed(self, password: str, password_hash: str) -> str:
        """Return the hash to store for a fitting password: a new one where the old is of its form as typed."""
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
    """Return the result of `act`, which compares a password before its transaction; retry it on HashReplaced.

    A concurrent log-in can replace the hash in between. No hash is computed while a transaction is open, because on
    SQLite that would block all other writers. Raises BusyError after ROUNDS attempts.
    """
    for _ in range(ROUNDS):
        with suppress(HashReplaced):
            return act()
    raise BusyError(BUSY)


class VaultProvider(DependencyProvider):
    """The provider that gives each worker the Vault."""

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
    """The provider that gives each worker the Passwords."""

    passwords_cls = Passwords

    def setup(self) -> None:
        # Each thread's allocator keeps Argon2's 19 MiB, so there are no more threads than processors.
        limit_threads(os.cpu_count() or 2)
        places = max(1, self.container.max_workers // WORKERS_A_PLACE)
        self._passwords = self.passwords_cls(places, spare=max(1, places // PLACES_A_SPARE_ONE))

    def get_dependency(self, worker_ctx: Any) -> Passwords:
        return self._passwords


class SigningKeyProvider(DependencyProvider):
    """The provider that gives each worker the key that signs access tokens."""

    def setup(self) -> None:
        self._key = NKK_TOKEN_SIGNING_KEY.get()

    def get_dependency(self, worker_ctx: Any) -> str:
        return self._key
