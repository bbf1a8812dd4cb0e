"""Whom notification writes to beside the procedure's own letters: the team whose step runs out, its superior, the
reporter who waits; and the reporter who forgot a password."""

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
    """Letters about time, and codes. Those to teams leave in office hours only: the mailer sees to that."""

    uow: Any
    mailer: Any
    keyed: Any

    @handles(StepDueSoon, batched=True)
    def on_step_due_soon(self, event: Event[StepDueSoon]) -> None:
        """A step of another stage nears its end."""
        with self.uow.handling(event) as work:
            work.tell_team(event.data, event.time, event.id)
            work.afterwards(self.mailer.wake)

    @handles(StepOverdue, batched=True)
    def on_step_overdue(self, event: Event[StepOverdue]) -> None:
        """A step of another stage is late."""
        with self.uow.handling(event) as work:
            work.tell_team(event.data, event.time, event.id)
            work.afterwards(self.mailer.wake)

    @handles(PasswordResetRequested, batched=True)
    def on_password_reset_requested(self, event: Event[PasswordResetRequested]) -> None:
        """A reporter forgot their password: the code goes out, where it is still good."""
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
        """Tell reporters that the promised time has passed, or that their answer waits to be read; each once."""
        with self.uow.begin() as work:
            for ticket in work.journeys.to_apologise(work.now, BATCH):
                work.messages.add(str(uuid.uuid4()), ticket, "late", work.now)
            for answer in work.answers.to_remind(work.now, BATCH):
                work.messages.add(str(uuid.uuid4()), answer.ticket, "reminder", work.now)
                answer.remind_at = None
                work.answers.save(answer)

    @timer(interval=FORGET_SECONDS)
    def forget_postboxes(self) -> None:
        """Keep no count of letters for longer than it matters."""
        with self.uow.begin() as work:
            work.postboxes.forget((work.now - KEPT).date())

    @rpc
    @requires(Role.ADMIN)
    def teams(self, actor: Actor) -> dict[str, Any]:
        """Where the teams and their superiors are reached."""
        with self.uow.reading() as work:
            return schemas.show_teams(work.teams.all())

    @rpc
    @requires(Role.ADMIN)
    def replace_teams(self, actor: Actor, teams: dict) -> dict[str, Any]:
        """Replace all addresses of teams and superiors."""
        addresses = schemas.read_teams(load(schemas.Teams, teams))
        with self.uow.begin() as work:
            work.teams.replace(addresses)
        log.info("addresses of teams replaced", by=actor.id, count=len(addresses))
        return schemas.show_teams(addresses)
