"""The rate limit on letters to one address: a number of places an hour, over all accounts with the address.

Threat: somebody registers with another person's address, and floods it with letters by submitting many reports.

A letter takes a place when it is admitted. The place is free again an hour later, or at once where the letter could not
be sent; that letter is then first in line. A letter that finds no place waits, and later ones wait behind it. Letters
to teams are not counted, nor are password codes, which intake limits before it publishes them.

Threat: such a flood also delays the letters of the address's owner. Therefore each of the three accounts that have had
the address longest, among those with letters, has a letter an hour beside the places (its share), where no other letter
of it was sent within the hour. Intake does the same with codes.

Threat: somebody takes over an account, changes its address, and floods the old address, so that the letter about the
change is delayed. Therefore these letters ("farewells") have a count, places and shares of their own.

The times at which places were taken are stored encrypted, in a constant length. Together with the times of letters
about complaints, they would reveal which complaints have the same author. For the same reason all waiting letters, of
every address, are tried again at the same moment, each full five minutes: no row says when its letter gets a place.
"""

import math
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import astuple, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from struct import Struct

from sqlalchemy import Connection

from nkk.trust.sealing import CannotOpenError
from services.notification.keyed import Keyed
from services.notification.storage import Postboxes

HOUR = 3_600
ROUND = 300
KEPT = timedelta(days=1)
"""The least time that a postbox is kept after its last letter, of which only the day is stored."""

WHY = "too many an hour to one address"
"""The reason shown in lists for a letter that waits."""

FAREWELLS = 3
"""The places an hour of one address for letters about its replacement."""

OLDEST = 3
"""The number of accounts of one address that have a share."""

_FORM = "2"
"""The version of the stored format. Rows of an older format cannot be decrypted, and count as empty."""


@dataclass(frozen=True)
class Addressee:
    """The address of a letter, its account, and since when the account has had the address; None where not known.

    A farewell is a letter to an old address about its replacement.
    """

    email: str
    account: str | None = None
    since: datetime | None = None
    is_farewell: bool = False


@dataclass
class Share:
    """The share of one of the oldest accounts; times in seconds since 1970, 0 for none.

    `account` is a prefix of its hash, `since` when it got the address, and `last` when its last letter was admitted.
    `beside` is when the share last admitted a letter beside the places, also for an account that had the share before.
    """

    account: int = 0
    since: int = 0
    last: int = 0
    beside: int = 0

    @property
    def free_at(self) -> int:
        """The time from which a letter of the account may be sent beside the places."""
        return _in_turn(max(self.last, self.beside))

    def give_back(self) -> bool:
        """Take back the admission of the account's last letter; return whether it was beside the places."""
        was_beside = 0 < self.last == self.beside
        self.last, self.beside = 0, 0 if was_beside else self.beside
        return was_beside


@dataclass
class Postbox:
    """The rate limit's state at one address; times in seconds since 1970.

    `taken` is when its places were taken, oldest first; `waits_until` is until when new letters wait in line.
    """

    taken: list[int] = field(default_factory=list)
    waits_until: int = 0
    shares: list[Share] = field(default_factory=list)

    def admit(self, now: datetime, places: int, is_first: bool = False, to: Addressee | None = None) -> bool:
        """Admit a letter by a place or by its account's share, and return whether it was admitted.

        A letter that `is_first` in line does not wait for others in line.
        """
        moment, taken_at, share = math.floor(now.timestamp()), math.ceil(now.timestamp()), self._share(to)
        if is_first or moment >= self.waits_until:
            self.taken = [at for at in self.taken if at + HOUR > moment][-places:]
            if len(self.taken) < places:
                self.taken.append(taken_at)
                if share:
                    share.last = taken_at
                return True
            self.waits_until = _in_turn(self.taken[0])
        if share and moment >= share.free_at:
            share.last = share.beside = taken_at
            return True
        return False

    def give_back(self, to: Iterable[Addressee]) -> None:
        """Release the places or shares of letters that were not sent."""
        for addressee in to:
            share = self._share(addressee)
            if not (share and share.give_back()) and self.taken:
                self.taken.pop()

    def written(self, places: int) -> bytes:
        """Return the postbox as bytes, of the same length for any content with this number of places."""
        taken = self.taken[-places:]
        shares = [*self.shares, *[Share()] * (OLDEST - len(self.shares))]
        return _form(places).pack(
            self.waits_until,
            *(number for share in shares for number in astuple(share)),
            *taken,
            *[0] * (places - len(taken)),
        )

    @classmethod
    def read(cls, kept: bytes) -> "Postbox":
        """Parse the result of `written`, for any number of places."""
        until, *numbers = _form(len(kept) // 4 - 1 - OLDEST * SHARE).unpack(kept)
        shares = [Share(*numbers[each * SHARE : (each + 1) * SHARE]) for each in range(OLDEST)]
        return cls([at for at in numbers[OLDEST * SHARE :] if at], until, [share for share in shares if share.since])

    def _share(self, to: Addressee | None) -> Share | None:
        """Return the account's share where it is one of the oldest; else None.

        An account older than the youngest with a share takes over that share, including what was used of it, so that
        many accounts in succession, each older than the last, get no more letters.
        """
        if to is None or to.account is None or to.since is None:
            return None
        account, since = int(to.account[:8], 16), math.floor(to.since.timestamp())
        known = next((share for share in self.shares if share.account == account), None)
        if known is not None:
            known.since = since
            return known
        if len(self.shares) < OLDEST:
            self.shares.append(Share(account, since))
            return self.shares[-1]
        youngest = max(self.shares, key=lambda share: share.since)
        if since >= youngest.since:
            return None
        youngest.account, youngest.since, youngest.last = account, since, 0
        return youngest


SHARE = len(fields(Share))


def next_round(now: datetime) -> datetime:
    """Return the next time at which waiting letters are tried again."""
    return datetime.fromtimestamp((now.timestamp() // ROUND + 1) * ROUND, UTC)


def _in_turn(taken_at: int) -> int:
    """Return when a place taken at `taken_at` is free again, rounded up to a full five minutes."""
    return math.ceil((taken_at + HOUR) / ROUND) * ROUND


def _form(places: int) -> Struct:
    return Struct(f">{1 + OLDEST * SHARE + places}I")


class Pace:
    """The rate limit of `places` letters an hour at each address; 0 for no limit."""

    def __init__(self, keyed: Keyed, places: int) -> None:
        self._keyed = keyed
        self._places = places

    def waiting(
        self, connection: Connection, addressees: Mapping[str, Addressee], first: Container[str], now: datetime
    ) -> set[str]:
        """Admit letters by the rate limit of their addresses, and return the ids of the others, which wait.

        `addressees` are by letter id, in sending order. Letters in `first` are first in line.
        """
        if not self._places:
            return set()
        names = {letter: self._name(to) for letter, to in addressees.items()}
        found = self._locked(connection, names.values(), now)
        waiting = {
            letter
            for letter, name in names.items()
            if not found[name].admit(now, self._places_of(addressees[letter]), letter in first, addressees[letter])
        }
        self._save(connection, found, now)
        return waiting

    def give_back(self, connection: Connection, addressees: Iterable[Addressee], now: datetime) -> None:
        """Release the places of admitted letters to `addressees` that were not sent."""
        given: defaultdict[str, list[Addressee]] = defaultdict(list)
        for to in addressees if self._places else ():
            given[self._name(to)].append(to)
        if given:
            found = self._locked(connection, given, now)
            for name, theirs in given.items():
                found[name].give_back(theirs)
            self._save(connection, found, now)

    def _name(self, to: Addressee) -> str:
        return self._keyed.farewells(to.email) if to.is_farewell else self._keyed.postbox(to.email)

    def _places_of(self, to: Addressee) -> int:
        return min(FAREWELLS, self._places) if to.is_farewell else self._places

    def _locked(self, connection: Connection, names: Iterable[str], now: datetime) -> dict[str, Postbox]:
        kept = Postboxes(connection).lock(set(names), now.date())
        return {name: self._read(name, hidden) for name, hidden in kept.items()}

    def _read(self, name: str, hidden: str) -> Postbox:
        try:
            return Postbox.read(self._keyed.shown(name + _FORM, hidden)) if hidden else Postbox()
        except CannotOpenError:
            # A damaged row counts as empty: it lets a few more letters through and stops none.
            return Postbox()

    def _save(self, connection: Connection, found: Mapping[str, Postbox], now: datetime) -> None:
        Postboxes(connection).save(
            {name: self._keyed.hidden(name + _FORM, postbox.written(self._places)) for name, postbox in found.items()},
            now.date(),
        )
