"""Messages to people: written from letters, sent by SMTP where one is set, else kept as files.

A message is sent at least once; its Message-ID is a keyed hash of its own id, so that a second copy, sent because the
process died between the server's word and the mark, is the same message to any mail program, and a mail server's log
leads nowhere. Those being sent are marked so, for a while that is prolonged as they are: no transaction stays open
while a mail server is waited for, and nobody else sends, retries or drops them. A letter names the ticket and where to
read on, and never what a complaint is about; a code for a new password is opened only as its letter leaves. Codes,
other letters, and those that were tried before stand in lines of their own, and wait for none of another. What does not
leave is tried for five days (working days, to a team), counted from the first try, unless the server knows no such
recipient (`leaving.py`).
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, partial
from time import monotonic, process_time
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from nkk.clock import Clock, utc_now
from nkk.desk import KeptCalendars
from nkk.log import get_logger
from nkk.messaging import pulse
from nkk.messaging.host import DependencyProvider, Killed, Signal, Timeout, sleep, spawn
from nkk.messaging.stage import UnitOfWorkProvider
from nkk.settings import (
    NKK_LETTERS_AN_HOUR,
    NKK_MAIL_DIR,
    NKK_MAIL_FROM,
    NKK_NOTIFICATION_PRIVATE_KEY,
    NKK_SITE_URL,
    NKK_SMTP_URL,
)
from nkk.sop.clock import Calendar, read_instant
from nkk.sop.steps import MINUTES_PER_DAY
from nkk.trust.sealing import CannotOpenError, unseal
from services.notification import conversing, patience
from services.notification.composing import UnwritableError, compose
from services.notification.domain import Journey, still_true
from services.notification.keyed import Keyed
from services.notification.leaving import LONGEST_SECONDS, RejectedError, Send, must_take_files, said, sender
from services.notification.patience import Slow
from services.notification.postboxes import WHY, Addressee, Pace, next_round
from services.notification.storage import LINES, Contact, Contacts, Journeys, Messages, calendars
from services.notification.words import words_of, words_of_account, words_of_code

BATCH = 20
BATCH_SECONDS = 3
"""How many letters are marked together, and how long it takes at most until another is begun: those sent before a death
and not yet marked go out a second time."""

REST = 2
"""How long the mailer rests after a batch, in times the processor time that this process used meanwhile: in a burst,
letters wait for events and calls, and not the other way round."""

RESCAN_SECONDS = 2.0
GIVE_UP_AFTER = timedelta(days=5)  # RFC 5321, 4.5.4.1
LONGEST_PAUSE = timedelta(hours=1)
LONGEST_WAIT = timedelta(minutes=1)
"""For a reporter's address, which is told before their first report and may be heard after it."""

DAMAGED = Contact("")
"""In the place of a box that cannot be opened, or whose owner cannot be told."""

HELD = timedelta(seconds=15)
"""How soon a letter comes up again whose sending was begun and neither marked nor prolonged: its process died, or its
database."""

STOP_SECONDS = 25
"""How long a stage that stops waits for the server's word on the letter that is with it: less than whoever stops stages
waits for them. One that takes longer is sent again by the next."""

MARK_SECONDS = 5

log = get_logger()


@dataclass(frozen=True)
class Failure:
    """Why a letter is still here, and whether no further try will change that."""

    why: str
    final: bool = False


class NoAddressError(Exception):
    """The team's address was taken away since this message was written."""


class ExpiredError(Exception):
    """The code in this message is good no more."""


class Mailer(DependencyProvider):
    """Sends what `messages` holds; woken by each message, and looking again every two seconds.

    `clock` is the stage's, from its start on.
    """

    _stopping = False

    def __init__(self, clock: Clock = utc_now) -> None:
        super().__init__()
        self._clock = clock
        self._woken = {line: Signal() for line in LINES}
        # At their letters' first tries, and at later ones, which have longer.
        self._slow = (Slow(patience.FIRST_SECONDS), Slow(conversing.COMMAND_SECONDS))

    def setup(self) -> None:
        self._key = NKK_NOTIFICATION_PRIVATE_KEY.get()
        self._keyed = Keyed(self._key)
        server, folder = NKK_SMTP_URL.get(), NKK_MAIL_DIR.get()
        if server is None:
            must_take_files(folder)
        self._site, self._from = NKK_SITE_URL.get(), NKK_MAIL_FROM.get()
        self._sender = partial(sender, server, folder)
        self._pace = Pace(self._keyed, NKK_LETTERS_AN_HOUR.get())

    def start(self) -> None:
        uow = next(provider.uow for provider in self.container.dependencies if isinstance(provider, UnitOfWorkProvider))
        self._database, self._clock = uow.database, uow.clock
        self._sending = [
            self.container.spawn_managed_thread(partial(self._run, line), identifier=f"mailer {line}") for line in LINES
        ]

    def stop(self) -> None:
        self._stopping = True
        self.wake()
        with Timeout(STOP_SECONDS, False):
            for sending in self._sending:
                sending.wait()
            return
        for sending in self._sending:
            sending.kill()
        with Timeout(MARK_SECONDS, False):
            for sending in self._sending:
                with suppress(Killed):
                    sending.wait()

    def wake(self) -> None:
        """There is a message to send."""
        for woken in self._woken.values():
            woken.set()

    def get_dependency(self, worker_ctx: Any) -> "Mailer":
        return self

    def _run(self, line: str) -> None:
        pulse.expect(f"mailer-{line}", LONGEST_SECONDS)
        while not self._stopping:
            began = process_time()
            pulse.beat(f"mailer-{line}")
            try:
                if self._may_send(line) and self.send_batch(self._database, line):
                    sleep(REST * (process_time() - began))
                    continue
            except SQLAlchemyError as error:
                log.warning("mailer interrupted", error=type(error).__name__)
            except Exception:
                log.exception("mailer failed")
            self._woken[line].wait(RESCAN_SECONDS)

    def _may_send(self, line: str) -> bool:
        """Whether something of `line` is due: it was just written, is of another instance, was put off, or is to be
        tried again. Looking for that takes no place from whoever writes."""
        self._woken[line].clear()
        with self._database.reading() as connection:
            return Messages(connection).is_due(self._clock(), line)

    def send_batch(self, database: Any, line: str | None = None) -> int:
        """Send the messages that are due, of `line` or of all, those to teams while the offices are open; how many were
        looked at."""
        with database.writing() as connection:
            now = self._clock()
            rows = Messages(connection).due(now, BATCH, line)
            boxes = self._contacts(connection, rows)
            to_send = self._still_to_send(connection, rows, boxes, now)
            counted = self._counted(to_send, boxes)
            to_send = self._at_their_pace(connection, to_send, counted, now)
            # Where nothing can be written, nothing is sent: it could not be marked, and would be sent for ever.
            Messages(connection).begin([row.id for row in to_send], now + HELD)
        if to_send:
            self._send_begun(database, to_send, boxes, counted, line)
        return len(rows)

    def _at_their_pace(
        self, connection: Connection, rows: list[Any], counted: dict[str, Addressee], now: datetime
    ) -> list[Any]:
        """Those of `rows` that find a place at their address; the others wait."""
        tried = {row.id for row in rows if row.tries}
        waiting = self._pace.waiting(connection, counted, tried, now)
        if waiting:
            Messages(connection).hold_back(waiting, next_round(now), WHY)
            log.warning("letters wait", count=len(waiting), why=WHY)
        return [row for row in rows if row.id not in waiting]

    def _counted(self, rows: list[Any], boxes: dict[str, Contact | None]) -> dict[str, Addressee]:
        """Whom those letters go to that are counted, by letter; not of those whose box cannot be opened."""
        found = {}
        for row in rows:
            if row.team is None and row.kind != "password_reset":
                contact = Contact(row.sealed_letter) if row.sealed_letter else boxes.get(row.id) or DAMAGED
                with suppress(CannotOpenError, KeyError):
                    box = unseal(contact.sealed_contact, self._key)
                    if row.kind == "contact_changed":
                        since = read_instant(box["since"]) if "since" in box else None
                        found[row.id] = Addressee(str(box["email"]), box.get("account"), since, is_farewell=True)
                    else:
                        found[row.id] = Addressee(str(box["email"]), contact.reporter, contact.since)
        return found

    def _send_begun(
        self,
        database: Any,
        rows: list[Any],
        boxes: dict[str, Contact | None],
        counted: dict[str, Addressee],
        line: str | None,
    ) -> None:
        """One after another, until it is time to mark what went, or to stop. What did not come up is put back; what is
        with the server when the mailer is killed is neither, and comes up again."""
        begun: list[str] = []
        until, tried = monotonic() + BATCH_SECONDS, []
        with self._sender() as send:
            holding = spawn(self._hold, database, begun, rows, counted)
            try:
                while rows and not self._stopping and monotonic() < until:
                    pulse.beat(f"mailer-{line}")
                    row = rows.pop(0)
                    begun.append(row.id)
                    tried.append((row, self._try(row, boxes.get(row.id), send, counted.get(row.id))))
            finally:
                holding.kill()
                with database.writing() as connection:
                    self._mark(connection, tried)
                    self._put_back(connection, rows, counted, [row for row, failure in tried if failure])

    def _hold(self, database: Any, begun: list[str], rows: list[Any], counted: dict[str, Addressee]) -> None:
        """Have those that were `begun` known as being sent for as long as they are. The others are put back: one takes
        long, and they need not wait for it."""
        while True:
            sleep(HELD.total_seconds() / 3)
            waiting = rows.copy()
            rows.clear()
            try:
                with database.writing() as connection:
                    self._put_back(connection, waiting, counted)
                    Messages(connection).hold(begun, self._clock() + HELD)
            except SQLAlchemyError as error:
                log.warning("letters not held", error=type(error).__name__)

    def _put_back(
        self, connection: Connection, rows: list[Any], counted: dict[str, Addressee], failed: Iterable[Any] = ()
    ) -> None:
        """Nobody sends `rows` now; they and those that `failed` give their places back."""
        Messages(connection).put_back(rows)
        addressees = [counted[row.id] for row in (*rows, *failed) if row.id in counted]
        self._pace.give_back(connection, addressees, self._clock())

    def _contacts(self, connection: Connection, rows: list[Any]) -> dict[str, Contact | None]:
        """For each letter of `rows` to who wrote a complaint, how they are reached; None where that has not been heard
        yet."""
        whose = {row.id: self._reporter(row) for row in rows if row.team is None and row.sealed_letter is None}
        known = Contacts(connection).of({id_: self._keyed.reporter(id_) for id_ in set(whose.values()) if id_})
        return {letter: known.get(id_) if id_ else DAMAGED for letter, id_ in whose.items()}

    def _reporter(self, row: Any) -> str | None:
        try:
            return row.plain_reporter or self._keyed.open_reporter(row.sealed_reporter, row.ticket)
        except CannotOpenError:
            return None

    def _still_to_send(
        self, connection: Connection, rows: list[Any], boxes: dict[str, Contact | None], now: datetime
    ) -> list[Any]:
        """Those of `rows` to be sent now; the others are put off or taken out."""
        tickets = sorted({row.ticket for row in rows if row.ticket is not None})
        journeys = {journey.ticket: journey for journey in Journeys(connection).of(tickets)} if tickets else {}
        current = cache(KeptCalendars(connection, calendars).current)
        return [
            row
            for row in rows
            if not self._put_off(connection, row, journeys.get(row.ticket), current, now)
            and not self._waits(connection, row, boxes, now)
        ]

    def _waits(self, connection: Connection, row: Any, boxes: dict[str, Contact | None], now: datetime) -> bool:
        """Whether nobody has told yet where it goes: it comes up again soon, and later and later."""
        if boxes.get(row.id, DAMAGED) is not None:
            return False
        Messages(connection).wait(row.id, row.tries + 1, now + _pause(row.tries, LONGEST_WAIT))
        return True

    def _put_off(
        self, connection: Connection, row: Any, journey: Journey | None, current: Callable[[], Calendar], now: datetime
    ) -> bool:
        """Whether it is not to be sent now: the offices are closed to its team, or what it says is not so any more."""
        if journey is not None and not still_true(row.kind, row.step, row.round, journey):
            log.info("message not needed any more", message_id=row.id, kind=row.kind)
            Messages(connection).drop(row.id)
            return True
        if row.team is not None and not current().is_open(now):
            Messages(connection).postpone(row.id, current().due(now, 0))
            return True
        return False

    def _try(self, row: Any, contact: Contact | None, send: Send, addressee: Addressee | None = None) -> Failure | None:
        """None where it was sent; `addressee` is of its box, where that was opened."""
        try:
            to, words = self._read(row, contact, addressee.email if addressee else None)
            letter = compose(row.kind, to, self._keyed.message_id(row.id), self._from, words, self._clock())
            with self._slow[bool(row.tries)].asked_about(self._keyed.postbox(letter.recipient)) as seconds:
                send(replace(letter, patience=seconds))
        except (ExpiredError, NoAddressError, RejectedError, UnwritableError) as error:
            failure = Failure(str(error) or type(error).__name__, final=True)
            log.error("message cannot be sent", message_id=row.id, kind=row.kind, why=failure.why)
            return failure
        except (OSError, CannotOpenError) as error:
            # A box too: with another key in the settings, which is our own fault, it may open.
            failure = Failure(said(error))
            log.warning("message not sent", message_id=row.id, kind=row.kind, why=failure.why)
            return failure
        except Exception as error:
            # A box that holds no address, say: this message must not hold up the others.
            log.exception("message failed", message_id=row.id)
            return Failure(said(error))
        log.info("message sent", message_id=row.id, kind=row.kind)
        return None

    def _read(self, row: Any, contact: Contact | None, email: str | None) -> tuple[str, dict[str, str]]:
        """Where the letter of a row goes, and what it says."""
        if row.sealed_letter is None:
            return email or self._address(row, contact), words_of(row, self._site)
        if row.kind == "contact_changed":
            return email or unseal(row.sealed_letter, self._key)["email"], words_of_account(self._site)
        # Asked here, as it leaves: those before it may have taken long.
        if row.expires_at <= self._clock():
            raise ExpiredError
        letter = unseal(row.sealed_letter, self._key)
        return letter["email"], words_of_code(letter["code"], letter.get("username"), row.expires_at, self._site)

    def _address(self, row: Any, contact: Contact | None) -> str:
        if row.team is None:
            return unseal((contact or DAMAGED).sealed_contact, self._key)["email"]
        address = row.superior_email if row.kind == "overdue_superior" else row.email
        if address is None:
            raise NoAddressError
        return address

    def _mark(self, connection: Connection, tried: list[tuple[Any, Failure | None]]) -> None:
        messages, now = Messages(connection), self._clock()
        if delivered := [row.id for row, failure in tried if failure is None]:
            messages.sent(delivered, now)
        for row, failure in tried:
            if failure is None:
                continue
            since = row.tried_since or now
            never = failure.final or _is_over(connection, row, since, now)
            messages.failed(
                row.id,
                row.tries + 1,
                since,
                failure.why,
                now,
                None if never else now + _pause(row.tries, LONGEST_PAUSE),
            )


def _is_over(connection: Connection, row: Any, since: datetime, now: datetime) -> bool:
    """Return whether a letter was tried for its days. To a team it leaves in office hours alone: there they are working
    days, so that a holiday leaves it as many tries as any other."""
    if row.team is None:
        return now - since > GIVE_UP_AFTER
    calendar = KeptCalendars(connection, calendars).current()
    return calendar.minutes_between(since, now) > GIVE_UP_AFTER.days * MINUTES_PER_DAY


def _pause(tries: int, longest: timedelta) -> timedelta:
    return min(timedelta(seconds=5 * 2 ** min(tries, 10)), longest)
