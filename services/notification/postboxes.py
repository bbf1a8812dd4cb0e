"""How many letters leave for one address: so many an hour, over all accounts, and the others wait.

Threat: whoever registers with a stranger's address, and reports and reports, has a postbox filled that is not theirs.

A letter takes a place as it is let go. The place is free again an hour later, or at once where the letter did not
leave: it stands first in line then. Who finds none waits, and whoever comes after them waits behind them. Not counted
are letters to teams, and codes for a new password: intake counts those before it tells of them.

When places were taken is kept hidden, always of one length: beside the times at which letters about complaints left it
would tell which complaints have one author. For the same reason letters wait until a whole five minutes.
"""

import math
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
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


@dataclass
class Postbox:
    """When the places at one address were taken, oldest first, and until when its letters wait in line: in seconds
    since 1970."""

    taken: list[int] = field(default_factory=list)
    waits_until: int = 0

    def admit(self, now: datetime, places: int, is_first: bool = False) -> datetime | None:
        """None where a letter may leave `now`, and has a place; else until when it waits. One that `is_first` in line
        waits for a place alone."""
        moment = math.floor(now.timestamp())
        if is_first or moment >= self.waits_until:
            self.taken = [at for at in self.taken if at + HOUR > moment][-places:]
            if len(self.taken) < places:
                self.taken.append(math.ceil(now.timestamp()))
                return None
            self.waits_until = math.ceil((self.taken[0] + HOUR) / ROUND) * ROUND
        return datetime.fromtimestamp(self.waits_until, UTC)

    def give_back(self, count: int) -> None:
        """So many letters did not leave."""
        del self.taken[max(0, len(self.taken) - count) :]

    def written(self, places: int) -> bytes:
        """As it is kept, of one length for so many places."""
        taken = self.taken[-places:]
        return _form(places).pack(self.waits_until, *taken, *[0] * (places - len(taken)))

    @classmethod
    def read(cls, kept: bytes) -> "Postbox":
        """What `written` gave, for however many places."""
        until, *taken = _form(len(kept) // 4 - 1).unpack(kept)
        return cls([at for at in taken if at], until)


def _form(places: int) -> Struct:
    return Struct(f">{places + 1}I")


class Pace:
    """So many `places` an hour at each address; 0 for no limit."""

    def __init__(self, keyed: Keyed, places: int) -> None:
        self._keyed = keyed
        self._places = places

    def waiting(
        self, connection: Connection, addresses: Mapping[str, str], first: Container[str]
    ) -> dict[str, datetime]:
        """Until when those letters wait that find no place at their address; the others have taken one. `addresses` are
        those of letters by id, in the order in which these are to leave; which of them are the `first` in line."""
        if not self._places:
            return {}
        now = datetime.now(UTC)
        names = {letter: self._keyed.postbox(address) for letter, address in addresses.items()}
        found = self._locked(connection, names.values(), now)
        until = {letter: found[name].admit(now, self._places, letter in first) for letter, name in names.items()}
        self._save(connection, found, now)
        return {letter: then for letter, then in until.items() if then is not None}

    def give_back(self, connection: Connection, addresses: Iterable[str]) -> None:
        """For each of `addresses` a letter did not leave that had taken a place."""
        counts = Counter(map(self._keyed.postbox, addresses)) if self._places else {}
        if counts:
            now = datetime.now(UTC)
            found = self._locked(connection, counts, now)
            for name, count in counts.items():
                found[name].give_back(count)
            self._save(connection, found, now)

    def _locked(self, connection: Connection, names: Iterable[str], now: datetime) -> dict[str, Postbox]:
        kept = Postboxes(connection).lock(set(names), now.date())
        return {name: self._read(name, hidden) for name, hidden in kept.items()}

    def _read(self, name: str, hidden: str) -> Postbox:
        try:
            return Postbox.read(self._keyed.shown(name, hidden)) if hidden else Postbox()
        except CannotOpenError:
            # Whoever damages a row has a few letters more sent, and stops none.
            return Postbox()

    def _save(self, connection: Connection, found: Mapping[str, Postbox], now: datetime) -> None:
        Postboxes(connection).save(
            {name: self._keyed.hidden(name, postbox.written(self._places)) for name, postbox in found.items()},
            now.date(),
        )
