"""RPC methods for unsent letters: counted, listed, retried and dropped by the admin, and shown to operators."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from nkk.desk import LETTER_DROPPED
from nkk.log import get_logger
from nkk.messaging.rpc import rpc
from nkk.sop.steps import Role
from nkk.trust.actor import Actor, requires
from nkk.validation import load
from services.notification import schemas
from services.notification.storage import Messages

log = get_logger()


class LooksAfterLetters:
    """The part of notification that manages unsent letters. It reveals their complaints, never their recipients."""

    uow: Any
    mailer: Any

    @rpc
    def letters(self) -> dict[str, int]:
        """Return the numbers of letters that wait to be sent, and that were given up."""
        with self.uow.reading() as work:
            waiting, given_up = work.messages.counts()
        return {"letters_waiting": waiting, "letters_given_up": given_up}

    @rpc
    @requires(Role.ADMIN)
    def unsent_letters(self, actor: Actor, given_up: bool, cursor: str | None = None) -> dict[str, Any]:
        """Return a page of the letters that were given up, or else of those that wait."""
        with self.uow.reading() as work:
            rows, following = work.messages.listed(given_up is True, cursor)
        return {"items": schemas.UnsentLetter(many=True).dump(rows), "next": following}

    @rpc
    @requires(Role.ADMIN)
    def retry_letters(self, actor: Actor, ids: list) -> dict[str, Any]:
        """Retry letters now, and again for five days. Returns those (`done`), and why the others are not (`left`)."""
        wanted = load(schemas.LetterIds, {"ids": ids})["ids"]
        return self._retry(actor, lambda messages, now: _outcome(messages, wanted, messages.retry(wanted, now)))

    @rpc
    @requires(Role.ADMIN)
    def retry_given_up_letters(self, actor: Actor) -> int:
        """Retry every letter that has been given up, as `retry_letters` does, and return their number."""
        began, total = self.uow.clock(), 0
        while found := self._retry(actor, lambda messages, now: {"done": messages.retry_given_up(began, now)})["done"]:
            total += len(found)
        return total

    @rpc
    @requires(Role.ADMIN)
    def drop_letters(self, actor: Actor, ids: list) -> dict[str, Any]:
        """Drop letters that were not sent and are not being sent.

        Returns those (`done`), and why the others are not dropped (`left`).
        """
        wanted = load(schemas.LetterIds, {"ids": ids})["ids"]
        with self.uow.begin() as work:
            dropped = work.messages.drop_unsent(wanted, work.now)
            outcome = _outcome(work.messages, wanted, dropped)
            for letter, ticket in dropped.items():
                work.record(actor, LETTER_DROPPED, ticket, letter=letter)
        log.warning("letters dropped", count=len(dropped), by=actor.id)
        return outcome

    @rpc
    @requires(Role.OPERATOR)
    def undelivered(self, actor: Actor, cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
        """Return a page of the letters to reporters that were given up, of complaints that are still open.

        `waiting` holds the letters that have failed and will be retried, such as while the mail server is down.
        """
        with self.uow.reading() as work:
            rows, following = work.messages.undelivered(None, cursor, limit, actor)
            waiting = work.messages.tried_in_vain()
        return {
            "items": schemas.Undelivered(many=True).dump(rows),
            "next": following,
            "waiting": schemas.WaitingLetters().dump(waiting) if waiting else None,
        }

    def _retry(self, actor: Actor, choose: Callable[[Messages, datetime], dict[str, Any]]) -> dict[str, Any]:
        with self.uow.begin() as work:
            outcome = choose(work.messages, work.now)
            work.afterwards(self.mailer.wake)
        log.info("letters retried", count=len(outcome["done"]), by=actor.id)
        return outcome


def _outcome(messages: Messages, wanted: list[str], done: Collection[str]) -> dict[str, Any]:
    return {"done": list(done), "left": messages.why_left([id_ for id_ in wanted if id_ not in done])}
