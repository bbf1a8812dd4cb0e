"""The mailer: sends letters to people, by SMTP where a server is set, else into a folder.

A letter is sent at least once. It can be sent twice, where the process dies between the server's answer and the mark in
the database. Its Message-ID is a keyed hash of its id, so that mail programs recognise a second copy, and a mail
server's log reveals nothing. Letters in sending are leased, and the lease is renewed meanwhile: no transaction is open
while the mailer waits for a server, and no other instance sends, retries or drops them.

A letter contains the ticket and a link, never what the complaint is about. A password code is decrypted only when its
letter is sent. Codes, other letters, and letters that failed before have separate queues (`LINES`), so that none delays
another. A letter is retried for five days (working days for one to a team) from its first try, unless the server knows
no such recipient (`leaving.py`).
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
from services.notification.journeys import Journey, still_true
from services.notification.keyed import Keyed
from services.notification.leaving import LONGEST_SECONDS, RejectedError, Send, must_take_files, said, sender
from services.notification.patience import Slow
from services.notification.postboxes import WHY, Addressee, Pace, next_round
from services.notification.storage import LINES, TO_PRINT, Contact, Contacts, Journeys, Messages, calendars
from services.notification.words import words_of, words_of_account, words_of_code

BATCH = 20
BATCH_SECONDS = 3
"""The largest number of letters in a batch, and the time after which no further letter of it is begun. A batch is
marked as sent at its end; if the process dies before, its letters are sent a second time."""

REST = 2
"""The mailer's pause after a batch, as a multiple of the processor time that the process used during the batch. So in a
burst, letters wait for events and calls, and not the other way round."""

RESCAN_SECONDS = 2.0
GIVE_UP_AFTER = timedelta(days=5)  # RFC 5321, 4.5.4.1
LONGEST_PAUSE = timedelta(hours=1)
LONGEST_WAIT = timedelta(minutes=1)
"""The longest pause while a reporter's address is not known: it is published before their first report, but may be
consumed after it."""

DAMAGED = Contact("")
"""The placeholder for the contact of a reporter whose box cannot be opened."""

HELD = timedelta(seconds=15)
"""The length of the lease on letters in sending. Where the process or its database died, the letters are due again
when it expires."""

STOP_SECONDS = 25
"""How long a stopping stage waits for the server's answer to a letter in sending: less than the supervisor waits for
the stage. A letter that takes longer is sent again by the next instance."""

MARK_SECONDS = 5

PRINTED = (
    "answered",
    "late",
    "reminder",
    "withdrawn",
    "objected",
    "withdrawn_late",
    "question",
    "question_lapsed",
    "abandoned",
    "goes_on",
)
"""The letters that are kept to be printed for a reporter without an e-mail address, whose receipt is on paper."""

log = get_logger()


@dataclass(frozen=True)
class Failure:
    """Why a letter was not sent, and whether a retry is useless (`final`)."""

    why: str
    final: bool = False


class NoAddressError(Exception):
    """The team's address was removed after the letter was written."""


class NoMailboxError(Exception):
    """The reporter has no e-mail address, so that the letter is kept to be printed."""


class ExpiredError(Exception):
    """The code in the letter has expired."""


class Mailer(DependencyProvider):
    """The provider that sends the letters in `messages`, when woken after a new one and every RESCAN_SECONDS.

    `clock` is replaced by the stage's clock at its start.
    """

    _stopping = False

    def __init__(self, clock: Clock = utc_now) -> None:
        super().__init__()
        self._clock = clock
        self._woken = {line: Signal() for line in LINES}
        # The first for letters' first tries, the second for later tries, which have a longer timeout.
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
        """Wake the mailer, because there is a letter to send."""
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
        """Return whether a letter of `line` is due. The check only reads, so that it does not block writers."""
        self._woken[line].clear()
        with self._database.reading() as connection:
            return Messages(connection).is_due(self._clock(), line)

    def send_batch(self, database: Any, line: str | None = None) -> int:
        """Send a batch of the due letters, of `line` or of all lines, and return the number of letters considered.

        Letters to teams are sent only while the offices are open.
        """
        with database.writing() as connection:
            now = self._clock()
            rows = Messages(connection).due(now, BATCH, line)
            boxes = self._contacts(connection, rows)
            to_send = self._still_to_send(connection, rows, boxes, now)
            counted = self._counted(to_send, boxes)
            to_send = self._at_their_pace(connection, to_send, counted, now)
            # Nothing is sent unless this can be written: else letters could not be marked, and be sent again endlessly.
            Messages(connection).begin([row.id for row in to_send], now + HELD)
        if to_send:
            self._send_begun(database, to_send, boxes, counted, line)
        return len(rows)

    def _at_their_pace(
        self, connection: Connection, rows: list[Any], counted: dict[str, Addressee], now: datetime
    ) -> list[Any]:
        """Return those of `rows` that the rate limit of their address admits, and hold back the others."""
        tried = {row.id for row in rows if row.tries}
        waiting = self._pace.waiting(connection, counted, tried, now)
        if waiting:
            Messages(connection).hold_back(waiting, next_round(now), WHY)
            log.warning("letters wait", count=len(waiting), why=WHY)
        return [row for row in rows if row.id not in waiting]

    def _counted(self, rows: list[Any], boxes: dict[str, Contact | None]) -> dict[str, Addressee]:
        """Return the addressees of the letters under the rate limit, by letter id.

        Letters whose box cannot be opened are left out.
        """
        found = {}
        for row in rows:
            if row.team is None and row.kind != "password_reset":
                contact = Contact(row.sealed_letter) if row.sealed_letter else boxes.get(row.id) or DAMAGED
                with suppress(CannotOpenError, KeyError):
                    box = unseal(contact.sealed_contact, self._key)
                    if box["email"] is None:
                        continue
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
        """Send the leased letters one after another, until BATCH_SECONDS are over or the mailer stops, and mark them.

        Letters not begun are put back. One in sending when the mailer is killed is due again when its lease expires.
        """
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
        """Renew the lease on the letters `begun` while they are being sent.

        Where one takes long, the letters not begun are put back, so that they need not wait for it.
        """
        while True:
            sleep(HELD.total_seconds() / 3)
            waiting = rows.copy()
            rows.clear()
            try:
                with database.writing() as connection:
                    self._put_back(connection, waiting, counted)
                    Messages(connection).hold(begun, self._clock() + HELD)
            except SQLAlchemyError as error:
                log.warning("leases of letters not renewed", error=type(error).__name__)

    def _put_back(
        self, connection: Connection, rows: list[Any], counted: dict[str, Addressee], failed: Iterable[Any] = ()
    ) -> None:
        """End the lease on `rows`, which are not sent now, and release the rate-limit places of these and `failed`."""
        Messages(connection).put_back(rows)
        addressees = [counted[row.id] for row in (*rows, *failed) if row.id in counted]
        self._pace.give_back(connection, addressees, self._clock())

    def _contacts(self, connection: Connection, rows: list[Any]) -> dict[str, Contact | None]:
        """Return the contacts of the letters to reporters among `rows`, by letter id; None where not known yet."""
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
        """Return those of `rows` to be sent now, and postpone or drop the others."""
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
        """Postpone a letter whose address is not known yet, longer each time; return whether it was postponed."""
        if boxes.get(row.id, DAMAGED) is not None:
            return False
        Messages(connection).wait(row.id, row.tries + 1, now + _pause(row.tries, LONGEST_WAIT))
        return True

    def _put_off(
        self, connection: Connection, row: Any, journey: Journey | None, current: Callable[[], Calendar], now: datetime
    ) -> bool:
        """Drop a letter whose content is no longer true, or postpone one to a team until the offices open.

        Returns whether it was dropped or postponed.
        """
        if journey is not None and not still_true(row.kind, row.step, row.round, journey, row.forwarding):
            log.info("message no longer needed", message_id=row.id, kind=row.kind)
            Messages(connection).drop(row.id)
            return True
        if row.team is not None and not current().is_open(now):
            Messages(connection).postpone(row.id, current().due(now, 0))
            return True
        return False

    def _try(self, row: Any, contact: Contact | None, send: Send, addressee: Addressee | None = None) -> Failure | None:
        """Send one letter; return why it failed, or None. `addressee` holds its address where its box was opened."""
        try:
            to, words = self._read(row, contact, addressee.email if addressee else None)
            letter = compose(row.kind, to, self._keyed.message_id(row.id), self._from, words, self._clock())
            with self._slow[bool(row.tries)].asked_about(self._keyed.postbox(letter.recipient)) as seconds:
                send(replace(letter, patience=seconds))
        except NoMailboxError:
            log.info("message to be printed", message_id=row.id, kind=row.kind)
            return Failure(TO_PRINT, final=True)
        except (ExpiredError, NoAddressError, RejectedError, UnwritableError) as error:
            failure = Failure(str(error) or type(error).__name__, final=True)
            log.error("message cannot be sent", message_id=row.id, kind=row.kind, why=failure.why)
            return failure
        except (OSError, CannotOpenError) as error:
            # A box that cannot be opened is retried too: the key in the settings may be wrong.
            failure = Failure(said(error))
            log.warning("message not sent", message_id=row.id, kind=row.kind, why=failure.why)
            return failure
        except Exception as error:
            # An unexpected error, such as a box without an address, must not hold up the other letters.
            log.exception("message failed", message_id=row.id)
            return Failure(said(error))
        log.info("message sent", message_id=row.id, kind=row.kind)
        return None

    def _read(self, row: Any, contact: Contact | None, email: str | None) -> tuple[str, dict[str, str]]:
        """Return the address of a row's letter, and its words."""
        if row.sealed_letter is None:
            return email or self._address(row, contact), words_of(row, self._site)
        if row.kind == "contact_changed":
            return email or _mailbox(unseal(row.sealed_letter, self._key)), words_of_account(self._site)
        # Checked only now, since the letters before this one may have taken long.
        if row.expires_at <= self._clock():
            raise ExpiredError
        letter = unseal(row.sealed_letter, self._key)
        return letter["email"], words_of_code(letter["code"], letter.get("username"), row.expires_at, self._site)

    def _address(self, row: Any, contact: Contact | None) -> str:
        if row.team is None:
            return _mailbox(unseal((contact or DAMAGED).sealed_contact, self._key))
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
            if failure.why == TO_PRINT and row.kind not in PRINTED:
                messages.drop(row.id)
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


def _mailbox(contact: dict[str, Any]) -> str:
    """Return the address of an opened contact. Raises NoMailboxError where the reporter has none."""
    if contact["email"] is None:
        raise NoMailboxError
    return str(contact["email"])


def _is_over(connection: Connection, row: Any, since: datetime, now: datetime) -> bool:
    """Return whether a letter was tried for GIVE_UP_AFTER.

    For a letter to a team, which is sent in office hours only, these are working days, so that holidays do not reduce
    its tries.
    """
    if row.team is None:
        return now - since > GIVE_UP_AFTER
    calendar = KeptCalendars(connection, calendars).current()
    return calendar.minutes_between(since, now) > GIVE_UP_AFTER.days * MINUTES_PER_DAY


def _pause(tries: int, longest: timedelta) -> timedelta:
    return min(timedelta(seconds=5 * 2 ** min(tries, 10)), longest)
