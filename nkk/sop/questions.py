"""Questions to the reporter: a desk asks, and the clock of its step rests until the reporter answers or it lapses."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from nkk.sop.acts import Act
from nkk.sop.clock import WIB, Calendar
from nkk.sop.endings import ABANDONED, Endable
from nkk.sop.refusals import AlreadyDone, NotYourStep
from nkk.sop.steps import Step


class QuestionOpen(AlreadyDone):
    """The desk has asked the reporter already, and the question is neither answered nor lapsed."""


class WithoutReporter(NotYourStep):
    """The report goes on without its reporter, who is not asked any more."""


class NothingLapsed(NotYourStep):
    """The desk has not asked the reporter, or the last question at this step did not lapse unanswered."""


@dataclass(kw_only=True)
class Askable(Endable):
    """A case at a desk that can ask the reporter.

    `question` is the id of the last question of this run of the step's clock. It waits for the reporter while
    `awaits_reporter`: an act that ends the step ends the question with it. `lapsed` is the id of the one that was not
    answered in time. `kept` says that the report goes on although its reporter withdrew it.
    """

    question: str | None = None
    lapsed: str | None = None
    kept: bool = False

    @property
    def awaits_reporter(self) -> bool:
        """Whether the desk waits for the reporter."""
        return self.question is not None and self.done_at is None and self.rests_until is None

    @property
    def was_not_answered(self) -> bool:
        """Whether the last question lapsed.

        An instance of the version before, which runs beside this one in an upgrade, asks another one, and starts
        clocks, without forgetting the one that lapsed.
        """
        return self.question is not None and self.lapsed == self.question

    def must_be_askable(self) -> None:
        """Raise QuestionOpen, WithoutReporter, or the desk's own refusal where the case does not stand here."""
        self.must_stand_here()
        if self.kept:
            raise WithoutReporter({"stands": self.stands()})
        if self.awaits_reporter:
            raise QuestionOpen({"stands": self.stands()})

    def must_be_free(self, by: str, now: datetime) -> None:
        """Raise ClaimedByColleague or QuestionOpen where a colleague of `by` works on the case, or it waits for the
        reporter; or the desk's own refusal where it does not stand here."""
        self.must_stand_here()
        self.must_not_be_a_colleagues(by, now)
        if self.awaits_reporter:
            raise QuestionOpen({"stands": self.stands()})

    @property
    def with_opd(self) -> str | None:
        """The OPD whose team has the complaint; None where none has it."""
        return self.team_opd

    @property
    def asks_not_now(self) -> set[Act]:
        """The acts of asking, and of closing what was not answered, where they are not possible now."""
        asking = {Act.ASK} if self.awaits_reporter or self.kept else set()
        return asking | (set() if self.was_not_answered else {Act.ABANDON})

    def ask(self, question: str, now: datetime) -> None:
        """Let the clock rest for `question`, its id."""
        self.must_be_askable()
        self.question, self.lapsed = question, None
        self.rest(now)

    def question_ended(self, question: str, at: datetime, calendar: Calendar, lapsed: bool = False) -> None:
        """Let the clock go on from `at`, because `question` was answered or `lapsed`. Any other changes nothing."""
        if question == self.question:
            self.go_on(at, calendar)
            self.lapsed = question if lapsed else None

    def must_be_abandonable(self) -> None:
        """Raise NothingLapsed, or the desk's own refusal where the case does not stand here."""
        self.must_stand_here()
        if not self.was_not_answered:
            raise NothingLapsed({"stands": self.stands()})

    def abandon(self, why: str, now: datetime) -> None:
        """Close the report as not completed, because the reporter did not answer. Raises as `must_be_abandonable`."""
        self.must_be_abandonable()
        self.end(ABANDONED, now, why)

    def start_clock(self, step: Step, at: datetime, calendar: Calendar) -> None:
        """Start the clock of the next step, about which nothing was asked yet."""
        super().start_clock(step, at, calendar)
        self.question = self.lapsed = None


def lapses_at(asked_at: datetime, days: int, calendar: Calendar) -> datetime:
    """Return when a question lapses: at the end of the day `days` after it, or of the next working day."""
    day = asked_at.astimezone(WIB).date() + timedelta(days=days)
    while not calendar.hours(day):
        day += timedelta(days=1)
    return datetime.combine(day + timedelta(days=1), time(), WIB)
