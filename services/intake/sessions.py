"""Whoever acts at intake has an open session: asked for in the very transaction of what they do or are shown.

Threat: an access token outlives its session for minutes, in which nobody who was disabled or has logged out is to act.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nkk.sop.refusals import NotAuthenticated
from nkk.trust.actor import Actor
from services.intake.storage import IntakeWork


class Acting:
    """Intake's unit of work in a call of `actor`. Raises NotAuthenticated where their session has ended. Whoever holds
    the signing key needs no session."""

    def __init__(self, uow: Any, actor: Actor) -> None:
        self._uow = uow
        self._actor = actor
        self.clock = uow.clock

    @contextmanager
    def begin(self) -> Iterator[IntakeWork]:
        """As UnitOfWork's."""
        with self._uow.begin() as work:
            self._check(work)
            yield work

    @contextmanager
    def reading(self) -> Iterator[IntakeWork]:
        """As UnitOfWork's."""
        with self._uow.reading() as work:
            self._check(work)
            yield work

    def _check(self, work: IntakeWork) -> None:
        actor = self._actor
        if actor.session is not None and not work.accounts.session_is_open(actor.session, actor.id, work.now):
            raise NotAuthenticated(code="session-ended")
