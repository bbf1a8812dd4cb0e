"""Cases that ended outside of the seven steps: the reporter withdrew the report, or a desk closed it."""

from dataclasses import dataclass
from datetime import datetime

from nkk.sop.claims import Claimable
from nkk.sop.clock import write_day, write_instant
from nkk.sop.refusals import NotYourStep
from nkk.sop.steps import Stands

WITHDRAWN = "withdrawn"
"""The state of a case whose reporter withdrew the report."""

ABANDONED = "abandoned"
"""The state of a case that a desk closed as not completed, because its question to the reporter lapsed unanswered."""

ENDED = (WITHDRAWN, ABANDONED)
"""The states of cases that ended outside of the steps."""


class Withdrawn(NotYourStep):
    """The reporter withdrew the report, so that no step of it is to be done."""


class Abandoned(NotYourStep):
    """A desk closed the report as not completed, so that no step of it is to be done."""


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
        """End the case, unless it has ended before. Its clock, if it runs, stops at `at`, but not before it began.

        A withdrawal that was on its way overtakes the closing by a desk.
        """
        overtakes = how == WITHDRAWN and self.ended == ABANDONED
        if overtakes and self.ended_at is not None and self.done_at == max(self.came_at, self.ended_at):
            self.done_at = None
        if self.ended is None or overtakes:
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
        """Raise Withdrawn or Abandoned where the case has ended."""
        if self.ended == ABANDONED:
            raise Abandoned({"stands": self.stands()})
        if self.ended is not None:
            raise Withdrawn({"stands": self.stands()})

    def shown_why(self) -> str | None:
        """Return why the case ended; None where a step was done before its desk heard of that."""
        return self.ended_why if self.stands()["state"] == self.ended else None

    def stands_ended(self) -> Stands | None:
        """Return how and when the case ended, None where it has not; a withdrawal is told to the day."""
        if self.ended is None or self.ended_at is None:
            return None
        write = write_day if self.ended == WITHDRAWN else write_instant
        return {"state": self.ended, "since": write(self.ended_at)}

    def stands(self) -> Stands:
        """Return the state of the case at this desk."""
        raise NotImplementedError
