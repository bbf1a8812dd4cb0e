"""Stages that meet with accidents on request.

A file in the folder NKK_TEST_ACCIDENTS, named after an accident, makes it happen: a death happens once, to whoever
comes first; a failure goes on until the file is gone.
"""

import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from nkk.contracts import Event, read_envelope
from nkk.contracts.events import ComplaintHandedOver
from nkk.messaging.consumer import handles
from nkk.messaging.host import sleep
from nkk.messaging.publisher import BatchPublisher, Message
from nkk.messaging.relay import Relay
from nkk.messaging.rpc import rpc
from nkk.messaging.stage import UnitOfWorkProvider
from services.intake.hashing import PasswordsProvider
from services.intake.service import IntakeService
from services.intake.storage import IntakeWork
from services.notification.service import NotificationService
from services.notification.storage import NotificationWork
from services.opd_response.service import OpdResponseService
from services.opd_response.storage import OpdResponseWork
from services.triage.service import TriageService
from services.triage.storage import TriageWork
from tests.quick import QuickPasswords

FOLDER = Path(os.environ.get("NKK_TEST_ACCIDENTS", "."))
HANDLING_SECONDS = float(os.environ.get("NKK_TEST_HANDLING_SECONDS", "0"))

BEFORE_PUBLISHING = "before-publishing"
BEFORE_MARKING = "before-marking"
UNTOLD = "untold-"
"""Followed by a ticket: the stage that has committed an event about it dies before it publishes it."""

BEFORE_REPLYING = "before-replying"
BEFORE_ACKNOWLEDGING = "before-acknowledging"
HASHING = "hashing"
"""Passwords are hashed and compared for as long as it stands, and HASHING_SECONDS at most."""
HASHING_SECONDS = 60.0

NOT_NOTED = "not-noted-"
"""Followed by a ticket: notification fails to write down its hand-over."""

NOTED = "noted-"
"""Followed by a ticket: notification dies when it has written down its hand-over, and not committed it."""


def die_if_asked(accident: str) -> None:
    """SIGKILL to this process where `accident` is asked for, which is then over."""
    try:
        (FOLDER / accident).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


class MortalPublisher:
    """A publisher whose process may die on either side of publishing."""

    def __init__(self, publisher: BatchPublisher) -> None:
        self._publisher = publisher

    def publish(self, messages: Iterable[Message]) -> set[str]:
        messages = list(messages)
        die_if_asked(BEFORE_PUBLISHING)
        for message in messages:
            die_if_asked(f"{UNTOLD}{read_envelope(message.body)['subject']}")
        confirmed = self._publisher.publish(messages)
        die_if_asked(BEFORE_MARKING)
        return confirmed


class MortalRelay(Relay):
    def relay_batch(self, publisher: Any) -> int:
        return super().relay_batch(MortalPublisher(publisher))  # type: ignore[arg-type]


class MortalUnitOfWork(UnitOfWorkProvider):
    relay_cls = MortalRelay


class SlowPasswords(QuickPasswords):
    """Passwords whose hashes may take long, in the threads in which they are computed."""

    def _computed(self, work: Callable[..., Any], *args: str) -> Any:
        def slowly(*args: str) -> Any:
            until = time.monotonic() + HASHING_SECONDS
            while (FOLDER / HASHING).exists() and time.monotonic() < until:
                time.sleep(0.02)
            return work(*args)

        return super()._computed(slowly, *args)


class SlowPasswordsProvider(PasswordsProvider):
    passwords_cls = SlowPasswords


class AccidentalIntake(IntakeService):
    """Intake, which may die around publishing, and between a command's commit and its reply, and may hash passwords for
    long."""

    uow = MortalUnitOfWork(IntakeWork)
    passwords = SlowPasswordsProvider()

    @rpc
    def submit(self, form: dict, idempotency_key: str | None = None) -> dict[str, Any]:
        receipt = super().submit(form, idempotency_key)
        die_if_asked(BEFORE_REPLYING)
        return receipt

    @rpc
    def hand_over(self, ticket: str) -> dict[str, Any]:
        standing = super().hand_over(ticket)
        die_if_asked(BEFORE_REPLYING)
        return standing


class AccidentalTriage(TriageService):
    """Triage, which may die between an event's effect and its acknowledgement, or fail to handle it at all, or die
    before it publishes."""

    uow = MortalUnitOfWork(TriageWork)

    @handles(ComplaintHandedOver)
    def on_complaint_handed_over(self, event: Event[ComplaintHandedOver]) -> None:
        sleep(HANDLING_SECONDS)
        if (FOLDER / event.subject).exists():
            raise RuntimeError(event.data.text)
        super().on_complaint_handed_over(event)
        die_if_asked(BEFORE_ACKNOWLEDGING)


class AccidentalNotification(NotificationService):
    """Notification, which may die or fail at one of several events that it hears together, or before it publishes."""

    uow = MortalUnitOfWork(NotificationWork)

    @handles(ComplaintHandedOver, batched=True)
    def on_complaint_handed_over(self, event: Event[ComplaintHandedOver]) -> None:
        if (FOLDER / (NOT_NOTED + event.subject)).exists():
            raise RuntimeError(event.data.text)
        super().on_complaint_handed_over(event)
        die_if_asked(NOTED + event.subject)


class AccidentalOpdResponse(OpdResponseService):
    """opd_response, which may die before it publishes."""

    uow = MortalUnitOfWork(OpdResponseWork)
