"""How intake is asked for what nobody else may read, or carry out again: in boxes, each of them good once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar

from marshmallow import Schema

from nkk.messaging.boxes import Call, UsedBoxError
from nkk.messaging.host import timer
from nkk.sop.refusals import Refused
from nkk.trust.actor import Actor
from nkk.validation import load
from services.intake.storage import IntakeWork

FORGET_SECONDS = 60
REMEMBERED = timedelta(days=1)
"""So long a used box is known as such: far longer than it is good, by whichever instance's clock."""

F = TypeVar("F", bound=Callable[..., Any])


def boxed(schema: type[Schema], refused_for_good: bool = False) -> Callable[[F], F]:
    """Method decorator, under `@requires` where somebody must be logged in: what is asked comes in a box, checked by
    `schema`, and the method is given it as a Call; what it returns goes back sealed for whoever asked.

    The method carries it out in the transaction of `OpensBoxes.once`. `refused_for_good`: what it refuses once it
    refuses for ever, and a box that was refused needs not be remembered. Threat: anybody at all has rows written.
    """

    def decorate(method: F) -> F:
        @wraps(method)
        def opened(self: Any, *args: Any) -> str:
            caller = [actor for actor in args[:1] if isinstance(actor, Actor)]
            call = self.vault.open(next(iter(args[len(caller) :]), None), method.__name__, self.uow.clock())
            for actor in caller:
                call.check_caller(actor)
            return call.answered(self.carried_out(call, lambda: method(self, *caller, call), schema, refused_for_good))

        return opened  # type: ignore[return-value]

    return decorate


class OpensBoxes:
    """The part of intake that sees to it that no box is good twice."""

    uow: Any
    vault: Any

    def carried_out(self, call: Call, act: Callable[[], Any], schema: type[Schema], refused_for_good: bool) -> Any:
        """What `act` gives, which is asked by `call`. Whatever becomes of it, the box does nothing thereafter."""
        with self.uow.reading() as work:
            # Before passwords are compared, which costs; who asks at the same time meets the same in `once`.
            if work.boxes.is_used(call.nonce):
                raise _used()
        try:
            call.content = load(schema, call.content)
            given = act()
        except Refused:
            if not (call.used or refused_for_good):
                with suppress(UsedBoxError), self.once(call):
                    pass
            raise
        if not call.used:
            raise AssertionError("this box would be good again")
        return given

    @contextmanager
    def once(self, call: Call) -> Iterator[IntakeWork]:
        """The transaction that carries `call` out, and uses it up: also where a rule refuses it, and nothing else is
        changed. Raises UsedBoxError where that has been done, by whichever instance."""
        refused = None
        with self.uow.begin() as work:
            if not work.boxes.use(call.nonce, call.sealed_at):
                raise _used()
            try:
                with work.part():
                    yield work
            except Refused as refusal:
                refused = refusal
        call.used = True
        if refused:
            raise refused

    @timer(interval=FORGET_SECONDS)
    def forget_boxes(self) -> None:
        """Forget the boxes that are too old to be good."""
        with self.uow.begin() as work:
            work.boxes.forget(work.now - REMEMBERED)


def _used() -> UsedBoxError:
    return UsedBoxError("The call of this box was made before.")
