"""Who wrote a complaint: checked for the reporter's own calls and needed for letters, but never stored in the clear."""

import hmac
import uuid
from datetime import datetime
from typing import Any

from nkk.contracts import Event
from nkk.contracts.events import ReporterRegistered
from nkk.desk import Calendars
from nkk.messaging.consumer import handles
from nkk.messaging.host import sleep, timer
from nkk.sop.refusals import UnknownTicket
from nkk.trust.actor import Actor
from services.notification.domain import is_told_of_change
from services.notification.journeys import Journey
from services.notification.keyed import Keyed, KeyedProvider
from services.notification.storage import NotificationWork, letter_id

HIDE_SECONDS = 600
"""The interval at which ids stored in the clear are hidden. The first run comes late, because instances of an earlier
version, which read only the clear form, may run at the same time."""

BATCH = 100


class KnowsAuthors:
    """The part of notification that receives who reported, and stores only keyed hashes and sealed boxes of it."""

    uow: Any
    mailer: Any
    calendars: Calendars
    keyed: Any = KeyedProvider()

    @handles(ReporterRegistered, batched=True)
    def on_reporter_registered(self, event: Event[ReporterRegistered]) -> None:
        """Store a reporter's address; where it replaces another, write a letter about the change to the old one."""
        data = event.data
        with self.uow.handling(event) as work:
            for row in work.contacts.take_plain(data.reporter_id):
                self._keep(work, row.reporter_id, row.sealed_contact, row.changed_at)
            self._keep(work, data.reporter_id, data.sealed_contact, event.time, event.id)
            work.afterwards(self.mailer.wake)

    @timer(interval=HIDE_SECONDS)
    def hide_reporters(self) -> None:
        """Replace reporter ids in the clear by keyed hashes and sealed boxes, a transaction for each batch."""
        while self._hide_batch():
            sleep(0)

    def wrote(self, journey: Journey, actor: Actor) -> bool:
        """Return whether the complaint is the caller's own."""
        if journey.author is None:
            return journey.reporter_id == actor.id
        return hmac.compare_digest(journey.author, self.keyed.author(journey.ticket, actor.id))

    def _own(self, work: NotificationWork, ticket: str, actor: Actor) -> Journey:
        """Return the journey of the caller's own complaint, as its reporter is told of it. Raises UnknownTicket."""
        journey = work.journeys.get(ticket)
        if not self.wrote(journey, actor):
            raise UnknownTicket
        return journey.neutral(work.now, self.calendars.get)

    def _keep(
        self, work: NotificationWork, reporter_id: str, sealed_contact: str, at: datetime, event_id: str | None = None
    ) -> None:
        reporter = self.keyed.reporter(reporter_id)
        replaced = work.contacts.keep(reporter, sealed_contact, at)
        if replaced is not None and is_told_of_change(replaced[1], at):
            letter = letter_id(event_id or str(uuid.uuid4()), "contact_changed")
            work.messages.add_farewell(letter, self.keyed.seal_farewell(replaced[0], reporter, replaced[1]), at)

    def _hide_batch(self) -> int:
        with self.uow.begin() as work:
            addresses = work.contacts.take_plain(None, BATCH)
            for row in addresses:
                self._keep(work, row.reporter_id, row.sealed_contact, row.changed_at)
            journeys, codes = work.plain.journeys(BATCH), work.plain.codes(BATCH)
            _hide(work, self.keyed, journeys, codes)
        return len(addresses) + len(journeys) + len(codes)


def _hide(work: NotificationWork, keyed: Keyed, journeys: list[Any], codes: list[Any]) -> None:
    for ticket, reporter_id in journeys:
        work.plain.hide_journey(ticket, keyed.author(ticket, reporter_id), keyed.seal_reporter(ticket, reporter_id))
    for message_id, reporter_id in codes:
        work.plain.hide_code(message_id, keyed.reporter(reporter_id))
