"""How many letters leave for one address: so many an hour, over all accounts, and the others wait.

Threat: whoever registers with a stranger's address, and reports and reports, has a postbox filled that is not theirs.

A letter takes a place as it is let go. The place is free again an hour later, or at once where the letter did not
leave: it stands first in line then. Who finds none waits, and whoever comes after them waits behind them. Not counted
are letters to teams, and codes for a new password: intake counts those before it tells of them.

Threat: the same keeps the postbox's owner from their own letters, which wait behind hundreds. So the three accounts
that have had the address longest, of those that are written to, have a letter an hour each beside the places, where
none of theirs left within it: as intake has it with codes.

Threat: who takes over an account, gives it another address and floods the old one keeps its owner from the letter that
says so. These letters are counted by themselves, with places and shares of their own: they wait for no reports.

When places were taken is kept hidden, always of one length: beside the times at which letters about complaints left it
would tell which complaints have one author. For the same reason all letters that wait, whichever the address, are
looked at again at the same moment, each whole five minutes: when theirs has a place is written beside none of them.
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
"""So long at least a postbox is kept after its last letter; only the day of that is known."""

WHY = "too many an hour to one address"
"""Why a letter is still here, for lists."""

FAREWELLS = 3
"""So many letters an hour tell one address that it was replaced, beside those of its oldest accounts."""

OLDEST = 3
"""So many accounts of one address have a letter an hour whatever the others write."""

_FORM = "2"
"""Of what is kept. What versions before kept has another one, and counts as nothing."""


@dataclass(frozen=True)
class Addressee:
    """Where a letter goes, for which account, and since when that has been reached there; None where nobody knows.
    A farewell tells the address that it was replaced."""

    email: str
    account: str | None = None
    since: datetime | None = None
    is_farewell: bool = False


@dataclass
class Share:
    """One of the oldest accounts: which, since when it has had the address, when its last letter left; and when the
    last one did that took none of the places, of it or of whose share it was before."""

    account: int = 0
    since: int = 0
    last: int = 0
    beside: int = 0

    @property
    def free_at(self) -> int:
        """When a letter of its account may leave beside the places."""
        return _in_turn(max(self.last, self.beside))

    def give_back(self) -> bool:
        """Its last letter did not leave; whether it was one beside the places."""
        was_beside = 0 < self.last == self.beside
        self.last, self.beside = 0, 0 if was_beside else self.beside
        return was_beside


@dataclass
class Postbox:
    """When the places at one address were taken, oldest first, until when its letters wait in line, and the shares of
    its oldest accounts: times in seconds since 1970."""

    taken: list[int] = field(default_factory=list)
    waits_until: int = 0
    shares: list[Share] = field(default_factory=list)

    def admit(self, now: datetime, places: int, is_first: bool = False, to: Addressee | None = None) -> bool:
        """Return whether a letter may leave `now`, and has a place or its account's share. One that `is_first` in line
        waits for a place alone."""
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
        """Letters to these did not leave."""
        for addressee in to:
            share = self._share(addressee)
            if not (share and share.give_back()) and self.taken:
                self.taken.pop()

    def written(self, places: int) -> bytes:
        """As it is kept, of one length for so many places."""
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
        """What `written` gave, for however many places."""
        until, *numbers = _form(len(kept) // 4 - 1 - OLDEST * SHARE).unpack(kept)
        shares = [Share(*numbers[each * SHARE : (each + 1) * SHARE]) for each in range(OLDEST)]
        return cls([at for at in numbers[OLDEST * SHARE :] if at], until, [share for share in shares if share.since])

    def _share(self, to: Addressee | None) -> Share | None:
        """The share of an account, if it is one of the oldest. It takes that of the youngest of them, with what was
        taken of it: accounts that come one after the other, each older than the last, have no more together."""
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
    """Return when letters that wait are looked at again."""
    return datetime.fromtimestamp((now.timestamp() // ROUND + 1) * ROUND, UTC)


def _in_turn(taken_at: int) -> int:
    """When what was taken then is free again for whoever waits."""
    return math.ceil((taken_at + HOUR) / ROUND) * ROUND


def _form(places: int) -> Struct:
    return Struct(f">{1 + OLDEST * SHARE + places}I")


class Pace:
    """So many `places` an hour at each address; 0 for no limit."""

    def __init__(self, keyed: Keyed, places: int) -> None:
        self._keyed = keyed
        self._places = places

    def waiting(
        self, connection: Connection, addressees: Mapping[str, Addressee], first: Container[str], now: datetime
    ) -> set[str]:
        """Return those letters that find no place at their address and wait; the others have taken one. `addressees`
        are those of letters by id, in the order in which these are to leave; which of them are the `first` in line."""
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
        """Letters to `addressees` did not leave that had taken a place."""
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
            # Whoever damages a row has a few letters more sent, and stops none.
            return Postbox()

    def _save(self, connection: Connection, found: Mapping[str, Postbox], now: datetime) -> None:
        Postboxes(connection).save(
            {name: self._keyed.hidden(name + _FORM, postbox.written(self._places)) for name, postbox in found.items()},
            now.date(),
        )
