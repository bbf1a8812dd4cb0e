"""Who at a desk has said to be on something: a courtesy among colleagues, never a lock."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from nkk.sop.clock import Calendar, write_instant
from nkk.sop.refusals import Refused
from nkk.sop.steps import Step
from nkk.sop.timed import Timed


class Claim(TypedDict):
    """Who is on a case (an account's id), and since when."""

    by: str
    since: str


LASTS = timedelta(minutes=30)
"""Elapsed minutes after which a claim lapses: whoever went home is on nothing."""


class ClaimedByColleague(Refused):
    """A colleague is on it, and was not to be taken over from; `details["claim"]` says who and since when."""


@dataclass(kw_only=True)
class Claimable(Timed):
    """What stands at a desk, and who there is on it. Whoever acts on it acts: a claim is in nobody's way.

    A claim ends when the step is done, when it is taken back, or by itself.
    """

    claimed_by: str | None = None
    claimed_at: datetime | None = None

    def must_stand_here(self) -> None:
        """Raise the desk's own refusal where it has nothing to do with this, any more or yet."""
        raise NotImplementedError

    def claim(self, by: str, now: datetime, take_over: bool = False) -> None:
        """`by` is on it from `now` on; said again, it lasts from then. Raises ClaimedByColleague."""
        self.must_stand_here()
        if not take_over:
            self._must_not_be_a_colleagues(by, now)
        self.claimed_by, self.claimed_at = by, now

    def release(self, by: str, now: datetime) -> None:
        """`by` is not on it any more. Raises ClaimedByColleague."""
        self.must_stand_here()
        self._must_not_be_a_colleagues(by, now)
        self._unclaim()

    def claim_at(self, now: datetime) -> Claim | None:
        """Who is on it and since when; None where nobody is."""
        if self.claimed_by is None or self.claimed_at is None or now >= self.claimed_at + LASTS:
            return None
        return {"by": self.claimed_by, "since": write_instant(self.claimed_at)}

    def start_clock(self, step: Step, at: datetime, calendar: Calendar) -> None:
        """Another step begins: who was on the last is not on this one."""
        super().start_clock(step, at, calendar)
        self._unclaim()

    def stop_clock(self, at: datetime) -> None:
        """The step was done."""
        super().stop_clock(at)
        self._unclaim()

    def _must_not_be_a_colleagues(self, by: str, now: datetime) -> None:
        claim = self.claim_at(now)
        if claim is not None and claim["by"] != by:
            raise ClaimedByColleague({"claim": claim})

    def _unclaim(self) -> None:
        self.claimed_by = self.claimed_at = None
