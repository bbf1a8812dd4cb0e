"""The four stages without a broker: real services and databases, settable clocks, events delivered by the test."""

import inspect
import random
import re
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from copy import copy
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID

from cryptography.fernet import Fernet
from sqlalchemy import delete, insert, select
from sqlalchemy import event as engine_event

from nkk.contracts import EVENTS, STAGES, Event
from nkk.desk import Calendars
from nkk.desk.calendars import CalendarNotReceivedError
from nkk.messaging.batches import Delivery
from nkk.messaging.consumer import Handles
from nkk.messaging.rpc import StageRpc
from nkk.sop import steps
from nkk.sop.clock import OFFICE_WEEK, WIB, Calendar, Day, Season
from nkk.sop.refusals import NotYourStep, UnknownTicket
from nkk.sop.ticket import new_ticket
from nkk.sop.timed import Timed
from nkk.store.database import Database
from nkk.store.work import AlreadyHandledError, UnitOfWork
from nkk.trust.actor import Actor
from nkk.trust.sealing import new_key_pair
from services.intake import service as intake
from services.intake import storage as intake_storage
from services.intake.domain import Complaint
from services.intake.identity import Vault
from services.notification import service as notification
from services.notification import storage as notification_storage
from services.notification.keyed import Keyed
from services.opd_response import service as opd_response
from services.opd_response import storage as opd_storage
from services.triage import service as triage
from services.triage import storage as triage_storage

SERVICES = {
    "intake": intake.IntakeService,
    "triage": triage.TriageService,
    "opd_response": opd_response.OpdResponseService,
    "notification": notification.NotificationService,
}
STORAGES = {
    "intake": intake_storage,
    "triage": triage_storage,
    "opd_response": opd_storage,
    "notification": notification_storage,
}
WORKS = {
    "intake": intake_storage.IntakeWork,
    "triage": triage_storage.TriageWork,
    "opd_response": opd_storage.OpdResponseWork,
    "notification": notification_storage.NotificationWork,
}
HELD = {
    "intake": (intake_storage.complaints, Complaint),
    "triage": (triage_storage.cases, triage.Case),
    "opd_response": (opd_storage.cases, opd_response.Case),
    "notification": (notification_storage.answers, notification.Answer),
}
BY_TYPE = {event.TYPE: event for event in EVENTS}

REPORTER = Actor("reporter-1", "reporter")
OPERATOR = Actor("staff-operator", "operator")
MAIN_TEAM = Actor("staff-main", "main_team")
OPD = "disdukcapil"
OPD_TEAM = Actor("staff-opd", "opd_team", OPD)
ADMIN = Actor("staff-admin", "admin")

_PRIVATE_KEY, PUBLIC_KEY = new_key_pair()
VAULT = Vault([Fernet.generate_key().decode()], "index", _PRIVATE_KEY, PUBLIC_KEY)
KEYED = Keyed(_PRIVATE_KEY)

NOT_YET = (CalendarNotReceivedError, UnknownTicket, NotYourStep)
"""What a handler raises where an event must be retried, because one before it has not been handled."""

FIRST_MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


INSERTED = re.compile(r'\binsert\b[^(]*?\binto\s+"?(\w+)', re.IGNORECASE)


class Watch:
    """Knows into which tables of a database rows may have been inserted, which is faster than to look for them."""

    def __init__(self, database: Database, tables: Iterable[str]) -> None:
        # What was there before is not known, and so looked at.
        self._filled, self._new = set(tables), set(tables)
        engine_event.listen(database.engine, "before_cursor_execute", self._see)
        engine_event.listen(database.engine, "commit", self._commit)

    def _see(self, connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        # Most statements are long questions, in which the expression would take longer to find nothing.
        if "INSERT" in statement.upper() and (tables := INSERTED.findall(statement)):
            self._filled.update(tables)
            self._new.update(tables)
            connection.info.setdefault("inserted", set()).update(tables)

    def _commit(self, connection: Any) -> None:
        # Others see them only from now on.
        self._new |= connection.info.pop("inserted", set())

    def has_new(self, table: str) -> bool:
        """Return whether there may be rows that were not there when this was last asked."""
        found = table in self._new
        self._new.discard(table)
        return found

    def filled(self) -> set[str]:
        """Return the tables that may have rows which were not there when this was last asked."""
        found, self._filled = self._filled, set()
        return found


class House:
    """All four stages. `now` is every clock's time; `waiting` holds events not yet consumed, by consumer."""

    def __init__(self, url_of: Callable[[str], str], chance: random.Random) -> None:
        self.now = FIRST_MORNING
        self.chance = chance
        self.waiting: list[tuple[str, Event[Any]]] = []
        self.told: list[tuple[str, Event[Any]]] = []
        self.databases = {stage: _database(url_of(stage), STORAGES[stage].metadata) for stage in STAGES}
        self._watches = {
            stage: Watch(database, STORAGES[stage].metadata.tables) for stage, database in self.databases.items()
        }
        self.services = {stage: self.instance(stage) for stage in STAGES}
        self._read = dict.fromkeys(STAGES, 0)
        with self.databases["intake"].writing() as connection:
            connection.execute(
                insert(intake_storage.accounts).values(
                    id=REPORTER.id,
                    login_index="x",
                    password_hash="x",
                    role="reporter",
                    failed_attempts=0,
                    created_at=self.now,
                )
            )
            connection.execute(insert(intake_storage.reporters).values(id=REPORTER.id, kind="public", identity="x"))

    def instance(self, stage: str) -> Any:
        """Return one more instance of `stage`, on the same database."""
        service = SERVICES[stage]()
        service.uow = UnitOfWork(self.databases[stage], WORKS[stage], stage, clock=lambda: self.now)
        service.calendars = Calendars(service.uow)
        service.mailer = SimpleNamespace(wake=lambda: None)
        service.vault, service.keyed = VAULT, KEYED
        return service

    def do(self, stage: str, command: str, actor: Actor, *args: Any) -> Any:
        """Carry out a command as its RPC does for a known caller, and collect the events it publishes."""
        given = self.command(stage, command, actor, *args)
        self.collect()
        return given

    def command(self, stage: str, command: str, actor: Actor, *args: Any) -> Any:
        """Carry out a command, and leave its events in the outbox."""
        return _carry_out(self.services[stage], command, actor, args)

    def commands(self, stage: str, commands: Iterable[tuple[Any, ...]]) -> list[Any]:
        """Carry out commands about different complaints in one transaction, which is faster."""
        with self.services[stage].uow.begin() as work:
            service = copy(self.services[stage])
            service.uow = copy(service.uow)
            service.uow.begin = lambda: nullcontext(work)
            return [_carry_out(service, command, actor, args) for command, actor, *args in commands]

    def raise_alarms(self, now: datetime) -> None:
        """Run every stage's alarm timer for the time `now`."""
        for service in self.services.values():
            service._raise_some(now)
        self.collect()

    def collect(self, *stages: str) -> None:
        """Collect the new events from the outboxes of `stages`, or of all."""
        for stage in stages or STAGES:
            outbox = STORAGES[stage].outbox
            if not self._watches[stage].has_new(outbox.name):
                continue
            with self.databases[stage].reading() as connection:
                rows = connection.execute(
                    select(outbox).where(outbox.c.id > self._read[stage]).order_by(outbox.c.id)
                ).all()
            for row in rows:
                self._read[stage] = row.id
                event = BY_TYPE[row.type].read(row.body)
                assert row.exchange == f"{stage}.events"
                self.told.append((stage, event))
                self.waiting += [(ear, event) for ear in BY_TYPE[row.type].CONSUMERS if ear != stage]

    def deliver(
        self, *ears: str, some: float = 1.0, awaited: Container[tuple[str, str]] = (), together: int = 1
    ) -> None:
        """Deliver waiting events: all to the consumers in `ears`, and those that a consumer awaits about a subject.

        Each other one is delivered with probability `some`. The order is random, some are delivered twice, and up to
        `together` are handled in one transaction. An event that cannot be handled yet is retried.
        """

        def sure(ear: str, event: Event[Any]) -> bool:
            return some == 1 or ear in ears or (ear, event.subject) in awaited

        for _ in range(20):
            waiting, self.waiting = self.waiting, []
            self.chance.shuffle(waiting)
            heard: dict[Any, list[Event[Any]]] = {}
            for number, (ear, event) in enumerate(waiting):
                if sure(ear, event) or self.chance.random() < some:
                    heard.setdefault((ear, None if together > 1 else number), []).append(event)
                else:
                    self.waiting.append((ear, event))
            for (ear, _), events in heard.items():
                for first in range(0, len(events), together):
                    self._hear(ear, events[first : first + together])
            if not any(sure(ear, event) for ear, event in self.waiting):
                return
        raise AssertionError(f"never handled: {[(ear, event.type) for ear, event in self.waiting]}")

    def settle(self) -> None:
        """Deliver all events, and those that a stage publishes because of what it consumed."""
        while self.waiting:
            self.deliver()
            self.collect()

    def _hear(self, ear: str, events: list[Event[Any]]) -> None:
        joint = [event for event in events if len(events) > 1 and _handler(ear, event.type)[1]]
        alone = [event for event in events if len(events) == 1 or not _handler(ear, event.type)[1]]
        if joint and not self._hear_together(ear, joint):
            alone = events
        for event in alone:
            self.deliver_one(ear, event)

    def _hear_together(self, ear: str, events: list[Event[Any]]) -> bool:
        """Deliver a batch as a stage's consumer does; return False where it was rolled back."""
        batch = [Delivery(_handler(ear, event.type)[0], event, None) for event in events]
        again = [delivery for delivery in batch if self.chance.random() < 0.05]
        try:
            # A copy, as each worker has, because the batch replaces its unit of work.
            known = copy(self.services[ear]).consume_batch(batch + again)
        except NOT_YET:
            return False
        assert len(known) == len(again)
        return True

    def deliver_one(self, ear: str, event: Event[Any]) -> None:
        """Deliver an event to one consumer. It goes on waiting where it cannot be handled yet."""
        handler = getattr(self.services[ear], _handler(ear, event.type)[0])
        try:
            handler(event)
        except NOT_YET:
            self.waiting.append((ear, event))
            return
        if self.chance.random() < 0.05:
            try:
                handler(event)
            except AlreadyHandledError:
                return
            raise AssertionError("handled twice")

    def stored(self, ticket: str) -> dict[str, Timed]:
        """Return what each stage stores of `ticket`, by stage."""
        return {stage: timed for stage in STAGES for timed in self.held(stage, [ticket])}

    def held(self, stage: str, tickets: Iterable[str]) -> list[Timed]:
        """Return what `stage` stores of `tickets`."""
        table, of = HELD[stage]
        with self.databases[stage].reading() as connection:
            rows = connection.execute(select(table).where(table.c.ticket.in_(list(tickets)))).all()
        return [of(**row._mapping) for row in rows]

    def empty(self) -> None:
        """Delete everything except people and calendars, and set the clock back to the first morning."""
        self.now = FIRST_MORNING
        self.waiting, self.told, self._read = [], [], dict.fromkeys(STAGES, 0)
        for stage, database in self.databases.items():
            filled = self._watches[stage].filled() - {"accounts", "reporters", "calendars"}
            with database.writing() as connection:
                for table in reversed(STORAGES[stage].metadata.sorted_tables):
                    if table.name in filled:
                        connection.execute(delete(table))

    def close(self) -> None:
        for database in self.databases.values():
            database.dispose()


@contextmanager
def house(url_of: Callable[[str], str], chance: random.Random | None = None) -> Iterator[House]:
    """Yield a House whose clocks all show its `now`, and whose stages check for a newer calendar at each command.

    Tickets and event ids are drawn from `chance` too, because rows of one instant are read in their order: a seed
    repeats a run.
    """
    chance = chance or random.Random(0)
    ids = random.Random(chance.getrandbits(64))
    drawn = SimpleNamespace(uuid4=lambda: UUID(int=ids.getrandbits(128), version=4))
    with ExitStack() as stack:
        built = House(url_of, chance)
        stack.callback(built.close)
        stack.enter_context(patch("nkk.store.work.uuid", drawn))
        stack.enter_context(patch("services.intake.domain.new_ticket", lambda year: new_ticket(year, ids.randrange)))
        stack.enter_context(patch("nkk.desk.calendars.FRESH_SECONDS", -1.0))
        yield built


def _carry_out(service: Any, command: str, actor: Actor, args: Iterable[Any]) -> Any:
    return inspect.unwrap(getattr(type(service), command))(service, actor, *args)


def _database(url: str, metadata: Any) -> Database:
    database = Database(url, size=10)

    # Test data need not survive a power failure, so commits do not wait for the disk.
    @engine_event.listens_for(database.engine, "connect")
    def _hurry(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous=OFF" if database.is_sqlite else "SET synchronous_commit TO off")
        connection.commit()

    metadata.create_all(database.engine)
    return database


def run_of(timed: Any) -> tuple[int, int, int]:
    """Return the run of a clock that a stage's row shows, as (step, forwarding, round)."""
    round_ = timed.about_round
    if timed.step is steps.RESPOND:
        gave_none = timed.declined_why is not None or timed.ended_why is not None
        overtaken = timed.state == "recalled" and timed.overtaken and not gave_none
        round_ -= timed.state == "responded" or overtaken
    return timed.step.number, timed.about_forwarding, round_


def methods(stage: str) -> dict[str, bool]:
    """Return the RPC methods of `stage` by name, and whether each needs a log-in."""
    return {
        name: hasattr(method, "requires")
        for name, method in inspect.getmembers(SERVICES[stage])
        if any(isinstance(entrypoint, StageRpc) for entrypoint in getattr(method, "nameko_entrypoints", ()))
    }


@cache
def _handler(stage: str, type_: str) -> tuple[str, bool]:
    """Return the name of a stage's handler, and whether its events are handled in batches."""
    for name, method in inspect.getmembers(SERVICES[stage]):
        for entrypoint in getattr(method, "nameko_entrypoints", ()):
            if isinstance(entrypoint, Handles) and type_ == entrypoint.event_cls.TYPE:
                return name, entrypoint.batched
    raise AssertionError(f"{stage} does not hear {type_}")


# -- random journeys through the procedure


EDGES = (time(7, 30), time(11, 30), time(12), time(12, 59, 59), time(16), time(16, 30), time(23, 59))
"""Times of day at which an office opens or closes, and some close to those."""


def some_calendar(chance: random.Random, version: int, year: int = 2026) -> Calendar:
    """Return a plausible calendar of `year`: holidays, half days, working Saturdays, a season."""
    first = date(year, 1, 1)
    days = {}
    for _ in range(chance.randrange(60)):
        day = first + timedelta(days=chance.randrange(400))
        spans = chance.choice([(), (), ((time(8), time(12)),), ((time(9, 15), time(10)), (time(13), time(20, 30)))])
        days[day] = Day(f"Hari {day}", spans)
    eve = first + timedelta(days=chance.randrange(360))
    days |= {eve + timedelta(days=number): Day("Libur panjang") for number in range(chance.randrange(12))}
    begins = first + timedelta(days=chance.randrange(300))
    fasting = ((time(8), time(12)), (time(12, 30), time(15)))
    season = Season("Ramadan", begins, begins + timedelta(days=30), (*[fasting] * 5, (), ()))
    six_days = (*OFFICE_WEEK[:4], ((time(7), time(11)),), ((time(8), time(11)),), ())
    week = chance.choice([OFFICE_WEEK, OFFICE_WEEK, six_days])
    return Calendar(version, week, (season,) if chance.random() < 0.5 else (), days)


def some_instant(chance: random.Random, year: int = 2026) -> datetime:
    """Return an instant of `year`: by day, by night, or at the very edge of a working day."""
    day = date(year, 1, 1) + timedelta(days=chance.randrange(360))
    edge = chance.choice([None, None, *EDGES])
    if edge is None:
        return datetime.combine(day, time(), WIB) + timedelta(microseconds=chance.randrange(86_400_000_000))
    return datetime.combine(day, edge, WIB)


def some_pause(chance: random.Random) -> timedelta:
    """Return how long a person takes: nothing, seconds, minutes, hours or days."""
    return chance.choice(
        [
            timedelta(),
            timedelta(seconds=chance.randrange(60)),
            timedelta(minutes=chance.randrange(30)),
            timedelta(seconds=chance.randrange(36_000)),
            timedelta(hours=chance.randrange(60)),
            timedelta(days=chance.randrange(12), microseconds=chance.randrange(86_400_000_000)),
        ]
    )
