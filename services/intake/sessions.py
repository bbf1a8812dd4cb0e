"""The check that a caller's session is still open, made in the same transaction as the call itself.

Threat: an access token stays valid for minutes after its session ended by log-out or by disabling the account.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nkk.sop.refusals import NotAuthenticated
from nkk.trust.actor import Actor
from services.intake.storage import IntakeWork


class Acting:
    """Intake's unit of work for a call of `actor`. Raises NotAuthenticated where the actor's session has ended.

    An actor without a session was granted directly with the signing key, and needs none.
    """

    def __init__(self, uow: Any, actor: Actor) -> None:
        self._uow = uow
        self._actor = actor
        self.clock = uow.clock

    @contextmanager
    def begin(self) -> Iterator[IntakeWork]:
        """Begin a transaction, as UnitOfWork does, after the check of the session."""
        with self._uow.begin() as work:
            self._check(work)
            yield work

    @contextmanager
    def reading(self) -> Iterator[IntakeWork]:
        """Open the repositories for reading only, as UnitOfWork does, after the check of the session."""
        with self._uow.reading() as work:
            self._check(work)
            yield work

    def _check(self, work: IntakeWork) -> None:
        actor = self._actor
        if actor.session is not None and not work.accounts.session_is_open(actor.session, actor.id, work.now):
            raise NotAuthenticated(code="session-ended")
