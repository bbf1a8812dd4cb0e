"""The base of every stage: a unit of work with its outbox relay, the verified caller, and the common RPC methods."""

import gc
from datetime import timedelta
from typing import Any, Self

from sqlalchemy.exc import SQLAlchemyError

from nkk.clock import Clock, utc_now
from nkk.log import get_logger
from nkk.messaging import pulse
from nkk.messaging.batches import ConsumesBatches
from nkk.messaging.consumer import begin_worker_context
from nkk.messaging.host import ConfigurationError, DependencyProvider, Timer, config, look_up_anew, sleep, timer
from nkk.messaging.relay import Relay
from nkk.messaging.replay import Replayer
from nkk.messaging.rpc import rpc
from nkk.settings import DATABASE_URL, NKK_OUTBOX_DAYS, NKK_TOKEN_PUBLIC_KEY, OF, STAGE, SettingsError, check
from nkk.sop.clock import write_instant
from nkk.sop.steps import Role
from nkk.store.database import Database
from nkk.store.pruning import prune
from nkk.store.work import UnitOfWork, Work
from nkk.trust.actor import Actor, Caller, requires
from nkk.validation import instant

PRUNE_SECONDS = 600

log = get_logger()


class UnitOfWorkProvider(DependencyProvider):
    """The provider that gives each worker the stage's UnitOfWork, with `clock` for the time, and runs its relay."""

    relay_cls = Relay

    def __init__(self, work_cls: type[Work], clock: Clock = utc_now) -> None:
        self._work_cls = work_cls
        self._clock = clock

    def bind(self, container: Any, attr_name: str) -> Any:
        """Check the stage's settings before any setup. Raises ConfigurationError that names all invalid ones."""
        try:
            check(OF.get(container.service_name, STAGE))
        except SettingsError as error:
            raise ConfigurationError(str(error)) from None
        return super().bind(container, attr_name)

    def setup(self) -> None:
        look_up_anew()
        service = self.container.service_name
        pulse.begin(service)
        # One connection per worker; the relay, the replays and the timers hold others.
        self.database = Database(DATABASE_URL.get(), size=self.container.max_workers + 4)
        self.relay = self.relay_cls(self.database, self._work_cls.OUTBOX, service, config["AMQP_URI"], self._clock)
        kept = timedelta(days=NKK_OUTBOX_DAYS.get())
        self.replayer = Replayer(
            self.database, self._work_cls.OUTBOX, service, config["AMQP_URI"], self._work_cls.PRIVATE, kept, self._clock
        )
        self.uow = UnitOfWork(self.database, self._work_cls, service, self.relay.wake, self._clock)

    def start(self) -> None:
        # The objects loaded so far live as long as the process: the garbage collector need not scan them again.
        gc.collect()
        gc.freeze()
        pulse.expect("relay")
        pulse.expect("replays")
        for entrypoint in self.container.entrypoints:
            if isinstance(entrypoint, Timer):
                pulse.expect(entrypoint.method_name, 2 * entrypoint.interval + pulse.TURN_SECONDS)
        self._relaying = self.container.spawn_managed_thread(self.relay.run, identifier="relay")
        self._replaying = self.container.spawn_managed_thread(self.replayer.run, identifier="replays")
        self.container.spawn_managed_thread(self._look_at_the_servers_log, identifier="server's log")

    def _look_at_the_servers_log(self) -> None:
        try:
            telling = self.database.telling_settings()
        except SQLAlchemyError as error:
            log.warning("could not check whether the database server logs users' texts", error=type(error).__name__)
            return
        if telling:
            log.warning(
                "the database server may log users' texts: set these in postgresql.conf or by ALTER SYSTEM, and "
                "reload; see docs/operations.md",
                settings=telling,
            )

    def stop(self) -> None:
        self.replayer.stop()
        self.relay.stop()
        self._relaying.wait()
        self._replaying.wait()
        self.database.dispose()

    def get_dependency(self, worker_ctx: Any) -> UnitOfWork[Any]:
        return self.uow

    def worker_setup(self, worker_ctx: Any) -> None:
        begin_worker_context(worker_ctx.service_name, worker_ctx.context_data, worker_ctx.entrypoint.method_name)

    def worker_result(self, worker_ctx: Any, result: Any = None, exc_info: Any = None) -> None:
        if not isinstance(worker_ctx.entrypoint, Timer):
            return
        pulse.beat(worker_ctx.entrypoint.method_name)
        # A failed call is answered and a failed event retried; only a failed timer is logged nowhere else.
        if exc_info:
            log.error("timer failed", call=worker_ctx.entrypoint.method_name, exc_info=exc_info[1])


class CallerProvider(DependencyProvider):
    """The provider that gives each worker the `Caller` of its call, from the call context."""

    def setup(self) -> None:
        self._key = NKK_TOKEN_PUBLIC_KEY.get()

    def get_dependency(self, worker_ctx: Any) -> Caller:
        return Caller(worker_ctx.context_data.get("actor"), self._key)


class Stage(ConsumesBatches):
    """Base of the stages' Nameko classes; a subclass sets `name` and `uow = UnitOfWorkProvider(ItsWork)`."""

    name: str
    uow: Any
    caller: Any = CallerProvider()

    def acting_for(self, _actor: Actor) -> Self:
        """Return the object that carries out a call of `_actor`; overridden by a stage that checks more than tokens."""
        return self

    @rpc
    def ping(self) -> dict[str, str]:
        """Answer with the stage's name, which proves that its broker and its database are available."""
        with self.uow.reading() as work:
            work.connection.exec_driver_sql("SELECT 1")
        return {"service": self.name}

    @rpc
    @requires(Role.ADMIN)
    def republish(self, actor: Actor, since: str) -> dict[str, Any]:
        """Publish again the events since then, after another stage was restored to an earlier state or a broker lost.

        Returns their `count`, NKK_OUTBOX_DAYS as `days`, and `reaches`: the outbox keeps no events of complaints that
        were closed before it.
        """
        moment, days = instant(since), NKK_OUTBOX_DAYS.get()
        with self.uow.begin() as work:
            count = work.republish(moment)
        log.warning("republishing", count=count, since=since, by=actor.id)
        return {"count": count, "days": days, "reaches": write_instant(self.uow.clock() - timedelta(days=days))}

    @timer(interval=PRUNE_SECONDS)
    def prune(self) -> None:
        """Prune the outbox and inbox of complaints that were closed NKK_OUTBOX_DAYS ago, a transaction per batch."""
        kept, more = timedelta(days=NKK_OUTBOX_DAYS.get()), True
        while more:
            with self.uow.begin() as work:
                more = prune(work, work.now, kept)
            sleep(0)

    @rpc
    def outbox(self) -> dict[str, int | None]:
        """Return the number of unpublished events, and the age of the oldest in seconds."""
        with self.uow.reading() as work:
            unsent, oldest = work.unsent()
        age = None if oldest is None else int((work.now - oldest).total_seconds())
        return {"unsent": unsent, "unsent_oldest_seconds": age}
