"""Password hashing: Argon2id in threads, with a limit on how many hashes are computed at a time."""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from nkk.messaging.calls import BusyError
from nkk.messaging.host import DependencyProvider, in_thread, limit_threads
from nkk.sop import text
from services.intake.domain import HashReplaced

T = TypeVar("T")

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
