"""Claims: a staff member says that they are working on a case. A claim informs colleagues and is never a lock."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from nkk.sop.clock import Calendar, write_instant
from nkk.sop.refusals import Refused
from nkk.sop.steps import Step
from nkk.sop.timed import Timed


class Claim(TypedDict):
    """The id of the account that claims a case, and the instant of the claim."""

    by: str
    since: str


LASTS = timedelta(minutes=30)
"""The elapsed time after which a claim lapses, so that nobody who went home holds one."""


class ClaimedByColleague(Refused):
    """A colleague claims the case and the actor did not ask to take it over; `details["claim"]` is the claim."""


@dataclass(kw_only=True)
class Claimable(Timed):
    """A case at a desk, with the claim on it. A claim does not prevent others from acting on the case.

    A claim ends when the step is done, when it is released, or when it lapses.
    """

    claimed_by: str | None = None
    claimed_at: datetime | None = None

    def must_stand_here(self) -> None:
        """Raise the desk's own refusal where the case is not, or no longer, at this desk."""
        raise NotImplementedError

    def claim(self, by: str, now: datetime, take_over: bool = False) -> None:
        """Claim the case for `by`, or renew the claim. Raises ClaimedByColleague unless `take_over` is set."""
        self.must_stand_here()
        if not take_over:
            self.must_not_be_a_colleagues(by, now)
        self.claimed_by, self.claimed_at = by, now

    def release(self, by: str, now: datetime) -> None:
        """End the claim of `by`. Raises ClaimedByColleague where it is another's."""
        self.must_stand_here()
        self.must_not_be_a_colleagues(by, now)
        self._unclaim()

    def end_claim_of(self, account: str) -> bool:
        """End the claim of an account that steps aside; return False where it has none."""
        if self.claimed_by != account:
            return False
        self._unclaim()
        return True

    def claim_at(self, now: datetime) -> Claim | None:
        """Return the claim in force at `now`; None where there is none."""
        if self.claimed_by is None or self.claimed_at is None or now >= self.claimed_at + LASTS:
            return None
        return {"by": self.claimed_by, "since": write_instant(self.claimed_at)}

    def start_clock(self, step: Step, at: datetime, calendar: Calendar) -> None:
        """Start the clock of the next step and end the claim on the last one."""
        super().start_clock(step, at, calendar)
        self._unclaim()

    def stop_clock(self, at: datetime) -> None:
        """Stop the clock of the step and end the claim on it."""
        super().stop_clock(at)
        self._unclaim()

    def must_not_be_a_colleagues(self, by: str, now: datetime) -> None:
        """Raise ClaimedByColleague where another than `by` claims the case at `now`."""
        claim = self.claim_at(now)
        if claim is not None and claim["by"] != by:
            raise ClaimedByColleague({"claim": claim})

    def _unclaim(self) -> None:
        self.claimed_by = self.claimed_at = None
