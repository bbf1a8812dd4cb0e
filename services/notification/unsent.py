"""Letters that have not left: counted, listed, tried again and dropped by who is on duty, and shown to operators."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from nkk.messaging.actor import Actor, requires
from nkk.messaging.log import get_logger
from nkk.messaging.rpc import rpc
from nkk.messaging.validation import load
from nkk.sop.steps import Role
from services.notification import schemas
from services.notification.storage import Messages

log = get_logger()


class LooksAfterLetters:
    """What is told of letters says about which complaint they are, never to whom they go."""

    uow: Any
    mailer: Any

    @rpc
    def letters(self) -> dict[str, int]:
        """How many letters wait to be sent, and how many were given up."""
        with self.uow.reading() as work:
            waiting, given_up = work.messages.counts()
        return {"letters_waiting": waiting, "letters_given_up": given_up}

    @rpc
    @requires(Role.ADMIN)
    def unsent_letters(self, actor: Actor, given_up: bool, cursor: str | None = None) -> dict[str, Any]:
        """A page of those that were given up, or of those that wait."""
        with self.uow.reading() as work:
            rows, following = work.messages.listed(given_up is True, cursor)
        return {"items": schemas.UnsentLetter(many=True).dump(rows), "next": following}

    @rpc
    @requires(Role.ADMIN)
    def retry_letters(self, actor: Actor, ids: list) -> list[str]:
        """Send letters now, and for five days if need be; those whose turn comes."""
        wanted = load(schemas.LetterIds, {"ids": ids})["ids"]
        return self._retry(actor, lambda messages, now: messages.retry(wanted, now))

    @rpc
    @requires(Role.ADMIN)
    def retry_given_up_letters(self, actor: Actor) -> int:
        """The same with every letter that has been given up; how many."""
        began, total = datetime.now(UTC), 0
        while found := self._retry(actor, lambda messages, now: messages.retry_given_up(began, now)):
            total += len(found)
        return total

    @rpc
    @requires(Role.ADMIN)
    def drop_letters(self, actor: Actor, ids: list) -> list[str]:
        """Forget letters that were not sent, and are not being sent; those that were there."""
        wanted = load(schemas.LetterIds, {"ids": ids})["ids"]
        with self.uow.begin() as work:
            found = work.messages.drop_unsent(wanted, datetime.now(UTC))
        log.warning("letters dropped", count=len(found), by=actor.id)
        return found

    @rpc
    @requires(Role.OPERATOR)
    def undelivered(self, actor: Actor, cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
        """Letters to reporters that will not arrive, of complaints that are not closed yet, a page at a time."""
        with self.uow.reading() as work:
            rows, following = work.messages.undelivered(None, cursor, limit)
        return {"items": schemas.Undelivered(many=True).dump(rows), "next": following}

    def _retry(self, actor: Actor, choose: Callable[[Messages, datetime], list[str]]) -> list[str]:
        with self.uow.begin() as work:
            found = choose(work.messages, datetime.now(UTC))
            work.afterwards(self.mailer.wake)
        log.info("letters tried again", count=len(found), by=actor.id)
        return found
