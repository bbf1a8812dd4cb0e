"""Cases that ended outside of the seven steps: a report that its reporter withdrew."""

from dataclasses import dataclass
from datetime import datetime

from nkk.sop.claims import Claimable
from nkk.sop.refusals import NotYourStep
from nkk.sop.steps import Stands

WITHDRAWN = "withdrawn"
"""The state of a case whose reporter withdrew the report."""

ENDED = (WITHDRAWN,)
"""The states of cases that ended outside of the steps."""


class Withdrawn(NotYourStep):
    """The reporter withdrew the report, so that no step of it is to be done."""


@dataclass(kw_only=True)
class Endable(Claimable):
    """A case at a desk that can end outside of the steps.

    Its state stays what the steps made it, also by events that were on their way; `ended` says that it waits for
    nobody.
    """

    ended: str | None = None
    ended_at: datetime | None = None
    ended_why: str | None = None

    def end(self, how: str, at: datetime, why: str | None) -> None:
        """End the case, unless it has ended before. Its clock, if it runs, stops at `at`, but not before it began."""
        if self.ended is None:
            self.ended, self.ended_at, self.ended_why = how, at, why
        self.settle()

    def settle(self) -> None:
        """Stop the clock of a case that has ended: an event that was on its way may have started it."""
        if self.ended_at is not None and self.done_at is None:
            self.stop_clock(max(self.came_at, self.ended_at))

    def take_back_ending(self) -> None:
        """Take the ending back."""
        self.ended = self.ended_at = self.ended_why = None

    def must_go_on(self) -> None:
        """Raise Withdrawn where the case has ended."""
        if self.ended is not None:
            raise Withdrawn({"stands": self.stands()})

    def stands(self) -> Stands:
        """Return the state of the case at this desk."""
        raise NotImplementedError
