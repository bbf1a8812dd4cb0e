"""Sealed calls to intake ("boxes"), for methods that nobody else may read or replay. Each box is valid once."""

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
"""How long a used box is remembered: far longer than it is valid by any instance's clock."""

F = TypeVar("F", bound=Callable[..., Any])


def boxed(schema: type[Schema], refused_for_good: bool = False) -> Callable[[F], F]:
    """Decorate a method to take its arguments from a box and return its result sealed for the caller.

    The content is validated by `schema` and passed to the method as a Call. The method carries the call out in the
    transaction of `OpensBoxes.once`. Below `@requires`, the box must be of the same caller as the access token.

    With `refused_for_good`, a refused box is not remembered, since it would be refused again. Threat: unauthenticated
    callers could otherwise fill the table of used boxes.
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
    """The part of intake that carries out sealed calls and rejects replayed boxes."""

    uow: Any
    vault: Any

    def carried_out(self, call: Call, act: Callable[[], Any], schema: type[Schema], refused_for_good: bool) -> Any:
        """Carry out `call` by `act`, and return the result. The box cannot be used again, whatever the outcome."""
        with self.uow.reading() as work:
            # An early check, since comparing passwords is expensive. `once` rejects concurrent replays.
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
            raise AssertionError("this box would remain usable")
        return given

    @contextmanager
    def once(self, call: Call) -> Iterator[IntakeWork]:
        """Open the transaction that carries out `call` and marks its box as used.

        Where a rule refuses the call, only the mark is committed. Raises UsedBoxError where any instance used the box.
        """
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
        """Delete the marks of boxes that have long expired."""
        with self.uow.begin() as work:
            work.boxes.forget(work.now - REMEMBERED)


def _used() -> UsedBoxError:
    return UsedBoxError("The call of this box was made before.")
