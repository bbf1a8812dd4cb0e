"""Letters beside those of the procedure: about due and overdue steps, delayed or unread answers, and password codes."""

import uuid
from typing import Any

from nkk.contracts import Event
from nkk.contracts.events import PasswordResetRequested, StepDueSoon, StepOverdue
from nkk.desk.stage import BATCH, TELL_SECONDS
from nkk.log import get_logger
from nkk.messaging.consumer import handles
from nkk.messaging.host import timer
from nkk.messaging.rpc import rpc
from nkk.sop.steps import Role
from nkk.trust.actor import Actor, requires
from nkk.validation import load
from services.notification import schemas
from services.notification.postboxes import KEPT
from services.notification.storage import letter_id

FORGET_SECONDS = 3_600

log = get_logger()


class NotifiesPeople:
    """The part of notification that writes letters about time, and with codes.

    The mailer sends letters to teams in office hours only.
    """

    uow: Any
    mailer: Any
    keyed: Any

    @handles(StepDueSoon, batched=True)
    def on_step_due_soon(self, event: Event[StepDueSoon]) -> None:
        """Write to the team whose step is due soon."""
        with self.uow.handling(event) as work:
            work.tell_team(event.data, event.time, event.id)
            work.afterwards(self.mailer.wake)

    @handles(StepOverdue, batched=True)
    def on_step_overdue(self, event: Event[StepOverdue]) -> None:
        """Write to the team whose step is overdue, and to its superior."""
        with self.uow.handling(event) as work:
            work.tell_team(event.data, event.time, event.id)
            work.afterwards(self.mailer.wake)

    @handles(PasswordResetRequested, batched=True)
    def on_password_reset_requested(self, event: Event[PasswordResetRequested]) -> None:
        """Send a reporter their password code, where it is still valid."""
        data = event.data
        with self.uow.handling(event) as work:
            if work.now < data.expires_at:
                work.messages.add_code(
                    letter_id(event.id, "password_reset"),
                    self.keyed.reporter(data.reporter_id),
                    data.sealed_letter,
                    data.expires_at,
                    work.now,
                )
            work.afterwards(self.mailer.wake)

    @timer(interval=TELL_SECONDS)
    def tell_reporters(self) -> None:
        """Write to reporters that the promised time has passed, or that their answer is unread; once for each."""
        with self.uow.begin() as work:
            for ticket in work.journeys.to_apologise(work.now, BATCH):
                work.messages.add(str(uuid.uuid4()), ticket, "late", work.now)
            for answer in work.answers.to_remind(work.now, BATCH):
                work.messages.add(str(uuid.uuid4()), answer.ticket, "reminder", work.now)
                answer.remind_at = None
                work.answers.save(answer)

    @timer(interval=FORGET_SECONDS)
    def forget_postboxes(self) -> None:
        """Delete counts of letters that no longer matter."""
        with self.uow.begin() as work:
            work.postboxes.forget((work.now - KEPT).date())

    @rpc
    @requires(Role.ADMIN)
    def teams(self, actor: Actor) -> dict[str, Any]:
        """Return the addresses of the teams and their superiors."""
        with self.uow.reading() as work:
            return schemas.show_teams(work.teams.all())

    @rpc
    @requires(Role.ADMIN)
    def replace_teams(self, actor: Actor, teams: dict) -> dict[str, Any]:
        """Replace all addresses of the teams and their superiors."""
        addresses = schemas.read_teams(load(schemas.Teams, teams))
        with self.uow.begin() as work:
            work.teams.replace(addresses)
        log.info("addresses of teams replaced", by=actor.id, count=len(addresses))
        return schemas.show_teams(addresses)
