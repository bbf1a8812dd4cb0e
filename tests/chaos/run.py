"""One run: a world, its traffic and its faults, and the accountant's verdict at the end."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, sleep, time

import httpx

from nkk.sop.journey import ABANDONED
from tests.chaos import cluster, disks
from tests.chaos.accountant import Breach, Pages, broker, events, files, letters, tools
from tests.chaos.accountant.balance import Evidence
from tests.chaos.accountant.balance import breaches as breaches_of
from tests.chaos.accountant.history import history
from tests.chaos.accountant.journeys import Unfinished, explained
from tests.chaos.accountant.questions import LAPSED
from tests.chaos.listening import Listener, listening
from tests.chaos.plan import Strike, plan
from tests.chaos.posting import Posted, posting
from tests.chaos.record import Record, Struck, starved_so_far
from tests.chaos.strikes import BY_NAME, KINDS
from tests.chaos.strikes.stages import there_again
from tests.chaos.traffic import OPDS, Traffic
from tests.chaos.world import SETTINGS, World, world
from tests.installations import eventually
from tests.people import People

RATE = 1.5
"""Journeys started per second, each of about fifteen requests."""

FINISH_SECONDS = 60.0
"""The time after the last fault is healed for open journeys to end."""

READY_SECONDS = 240.0
"""The time after the last fault is healed for every stage to answer, which is long on an overloaded machine."""

SETTLE_SECONDS = 60.0
"""The time after the last request for every event and letter to arrive."""

Echo = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """The outcome of a run. `histories` are those of breaches and of journeys that did not end in time; `slowest` is in
    seconds, less the time that the request waited for a processor; `absent` is what could not be struck, and why;
    `unfinished` is which journeys did not end, and why; `lapsed` and `closed` count the questions that lapsed and the
    reports that a desk closed because of that."""

    seed: int
    seconds: float
    postgres: bool
    clustered: bool
    struck: Counter[str]
    carried: Counter[str]
    accepted: int
    requests: int
    answers: Counter[str]
    slowest: float
    letters: int
    copies: int
    breaches: list[Breach]
    histories: list[str]
    absent: list[str]
    unfinished: list[str]
    received: Counter[str]
    lapsed: int
    closed: int

    @property
    def name(self) -> str:
        """The kind of world it ran on."""
        return named(self.postgres, self.clustered)

    def command(self) -> str:
        """The command that repeats the same faults."""
        database, nodes = "postgres" if self.postgres else "sqlite", 3 if self.clustered else 1
        return f"make chaos MINUTES={self.seconds / 60:g} SEED={self.seed} ON={database} NODES={nodes}"

    def lines(self) -> Iterator[str]:
        """Return the report for people."""
        yield f"seed {self.seed} on {self.name}: {self.seconds:.0f} s of faults"
        yield f"  faults struck: {sum(self.struck.values())}  " + counted(self.struck)
        yield from (f"  not struck on this machine: {why}" for why in self.absent)
        yield f"  complaints accepted: {self.accepted}  " + counted(self.carried)
        yield from (f"  not at its end: {why}" for why in self.unfinished)
        yield f"  requests: {self.requests}, slowest {self.slowest:.1f} s  " + counted(self.answers)
        yield f"  questions that lapsed: {self.lapsed}, complaints that were closed for it: {self.closed}"
        yield f"  letters: {self.letters}, copies {self.copies}"
        yield "  events that tools received: " + counted(self.received)
        for breach in self.breaches:
            yield f"  BROKEN {breach}"
        yield f"  books: {'BROKEN' if self.breaches else 'balanced'}"


def run(
    folder: Path, seed: int, seconds: float, postgres: bool, clustered: bool, echo: Echo, rate: float = RATE
) -> Outcome:
    """Run traffic for `seconds` under the faults of `seed`, then check the books."""
    absent = [why for why in (disks.cannot(), cluster.cannot() if clustered else None) if why]
    clustered = clustered and cluster.cannot() is None
    for why in absent:
        echo(f"not struck on this machine: {why}")
    os.environ["NKK_RETRY_DELAYS"] = SETTINGS["NKK_RETRY_DELAYS"]
    record = Record(seed)
    with ExitStack() as held:
        found = held.enter_context(world(folder, postgres, clustered))
        broker.listen(found.uri)
        # Events that were published before the listener existed.
        overheard = [(event.stage, event.event_id) for event in found.books.read().told]
        hook = held.enter_context(posting(found.api, found.line, seed, folder / "webhooks"))
        listeners: list[Listener | Posted] = [
            *held.enter_context(listening(found.api, found.line, seed, OPDS[0], seconds)),
            hook,
        ]
        people = People(found.installation)
        traffic = Traffic(people, found.installation.url, record, rate, found.books.urls["notification"])
        strikes = plan(seed, seconds, KINDS, found.targets)
        echo(f"seed {seed} on {named(postgres, clustered)}: {len(strikes)} faults in {seconds:.0f} s")
        record.began = time()
        traffic.begin()
        try:
            _strike_all(found, record, strikes, seconds, echo)
            hook.calm()
            healed, starved = _finish(found, traffic)
        finally:
            traffic.stop()
            people.close()
        ended = Unfinished("", healed, time(), starved_so_far() - starved)
        unfinished = [replace(ended, ticket=ticket) for ticket in traffic.unfinished]
        settled(found, overheard, listeners)
        pages = found.books.read()
        key = found.installation.stack.keys["NKK_NOTIFICATION_PRIVATE_KEY"]
        sent = letters.found(found.postbox.letters, pages, key)
        received = [listener.received() for listener in listeners]
        keys = found.installation.stack.keys["NKK_FILES_KEYS"].split(",")
        stored = files.stored(found.installation.stack.var / "files", keys, pages)
        breaches = breaches_of(
            Evidence(pages, record, overheard, broker.read(found.uri), sent, unfinished, received, stored)
        )
        if breaches:
            keep(found, record, folder)
        return _outcome(record, seconds, traffic, found, pages, breaches, absent, unfinished, received)


def named(postgres: bool, clustered: bool) -> str:
    """Return a kind of world in words."""
    return f"{'PostgreSQL' if postgres else 'SQLite'}, {'three nodes' if clustered else 'one node'}"


def _strike_all(found: World, record: Record, strikes: list[Strike], seconds: float, echo: Echo) -> None:
    """Strike and heal as planned, each place in a thread of its own, so that a slow one does not delay the others."""
    began = monotonic()
    places = dict.fromkeys(strike.place for strike in strikes)
    done = [
        found.striker(place).submit(
            _strike_at, found, record, began, echo, [strike for strike in strikes if strike.place == place]
        )
        for place in places
    ]
    for each in done:
        each.result()
    sleep(max(0.0, began + seconds - monotonic()))


def _strike_at(found: World, record: Record, began: float, echo: Echo, strikes: list[Strike]) -> None:
    for strike in strikes:
        kind = BY_NAME[strike.kind]
        sleep(max(0.0, began + strike.at - monotonic()))
        echo(f"{strike}  at {monotonic() - began:6.1f} s")
        struck = Struck(strike.kind, strike.target, time())
        record.struck.append(struck)
        kind.strike(found, strike.target)
        # As long as planned, however long striking took.
        sleep(strike.lasts)
        kind.heal(found, strike.target)
        struck.ended = time()


def _finish(found: World, traffic: Traffic) -> tuple[float, float]:
    """Wait until open journeys have ended, or time is up. Return when all was healed, and the starved seconds then."""
    traffic.stop_beginning()
    there_again(found)
    if found.cluster is not None:
        found.cluster.mend()
    eventually(lambda: _is_ready(found), patience=READY_SECONDS)
    healed, starved = time(), starved_so_far()
    deadline = monotonic() + FINISH_SECONDS
    while traffic.under_way and monotonic() < deadline:
        sleep(0.1)
    return healed, starved


def _is_ready(found: World) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{found.installation.url}/readyz", timeout=30).status_code == 200
    return False


def settled(found: World, overheard: list[tuple[str, str]], listeners: Sequence[Listener | Posted] = ()) -> None:
    """Wait until nothing is in transit any more, or time is up. What was consumed meanwhile is added to `overheard`."""

    def nothing_moves() -> bool:
        overheard.extend(broker.overheard(found.uri))
        pages, left = found.books.read(), broker.read(found.uri)
        sent = all(row["sent_at"] or row["given_up_at"] for row in pages.tables["messages"])
        received = [listener.received() for listener in listeners]
        return sent and not [*events.breaches(pages), *broker.breaches(left), *tools.breaches(pages, received)]

    try:
        eventually(nothing_moves, patience=SETTLE_SECONDS)
    except AssertionError:
        return
    overheard.extend(broker.overheard(found.uri))


def keep(found: World, record: Record, folder: Path) -> None:
    """Store the record of the harness and the logs of every process permanently."""
    lines = sorted(
        [(asked.at, str(asked)) for asked in record.asked]
        + [(struck.began, f"** {struck}") for struck in record.struck]
    )
    (folder / "record.txt").write_text("".join(f"{at - record.began:8.2f} {line}\n" for at, line in lines))
    for name in found.installation.stack.programs:
        (folder / f"{name}.log").write_text(found.installation.log(name))


def _outcome(
    record: Record,
    seconds: float,
    traffic: Traffic,
    found: World,
    pages: Pages,
    breaches: list[Breach],
    absent: list[str],
    unfinished: list[Unfinished],
    received: list[tools.Received],
) -> Outcome:
    said = Counter(f"{asked.operation} {asked.status}" for asked in record.asked)
    taken = found.postbox.letters
    told = list(filter(None, dict.fromkeys([*(breach.about for breach in breaches), *traffic.unfinished])))[:5]
    return Outcome(
        seed=record.seed,
        seconds=seconds,
        postgres=found.server is not None,
        clustered=found.cluster is not None,
        struck=Counter(struck.kind for struck in record.struck),
        carried=traffic.carried,
        requests=len(record.asked),
        answers=said,
        accepted=len({asked.ticket for asked in record.asked if asked.operation == "submit" and asked.status == 201}),
        slowest=max((asked.took - asked.starved for asked in record.asked), default=0.0),
        letters=len(taken),
        copies=len(taken) - len({letter.id for letter in taken}),
        breaches=breaches,
        histories=[history(about, pages, record) for about in told],
        absent=absent,
        unfinished=[
            f"{each.ticket or 'no ticket'}: {explained(record, each) or 'nothing explains it'}" for each in unfinished
        ],
        received=Counter({each.name: len({*each.ids}) for each in received}),
        lapsed=sum(event.type == LAPSED for event in pages.told),
        closed=sum(event.type == ABANDONED for event in pages.told),
    )


def counted(counts: Counter[str]) -> str:
    """Return each name with its count, in brackets."""
    return "(" + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) + ")"
