"""Random journeys of a report that is joined with others, each compared with that of a report which is alone.

After the last act, another report goes the way that the reporter of the joined one is told, at the instants that they
are told: so the procedure allows that way. Everything that its reporter can see must then be equal. `make proof` tries
many more.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from nkk.contracts import STAGES
from nkk.settings.keys import as_pem
from nkk.sop.acts import Act
from nkk.sop.clock import WIB
from nkk.sop.journey import FORWARDED, JOINED, OF_JOINING, PARTED, RECALLED, RETURNED, SHARED
from nkk.sop.refusals import Refused, UnknownTicket
from nkk.sop.steps import Role
from nkk.trust.actor import Actor
from services.notification.entries import Entry
from services.notification.storage import tables
from services.notification.unjoined import APPROVED, INFORMATION, OF_A_DAY, SENT_BACK, SUBMITTED
from tests.builders import REPORT, upload
from tests.current.documents import application
from tests.effort import LONG, SEED, TIMES
from tests.every_act import ATTEMPTS, FIRST, PEOPLE, WHY, Acting
from tests.integration.test_by_day import KEYS, AtHome
from tests.integration.test_joined_as_alone import LOOKS, WEBSITE, without
from tests.stages import MAIN_TEAM, OPD, OPD_TEAM, OPERATOR, REPORTER, House, house

pytestmark = pytest.mark.proof

WALKS = 25 * TIMES if LONG else 3
FEWEST_ACTS, MOST_ACTS = 8, 45
WEIGHTS = {
    Act.JOIN: 12,
    Act.PART: 0.4,
    Act.WITHDRAW: 0.15,
    Act.SUPPLEMENT: 0.2,
    Act.ASK: 0.5,
    Act.DECLINE: 0.3,
    Act.RECALL: 0.3,
    Act.REQUEST_TIME: 0.3,
    Act.RESPOND: 3,
    Act.APPROVE: 2,
    Act.GATHER: 0.5,
    Act.CONCLUDE: 8,
    Act.ANSWER: 3,
    Act.RECLASSIFY: 2,
    Act.ABANDON: 3,
    Act.KEEP: 3,
}
"""How often an act is done, compared with others that are possible."""

TIMERS = (("notification", "end_questions"), ("notification", "close_lapsed"), ("notification", "tell_reporters"))
UNTOLD = (Act.NOTE, Act.RECUSE)
"""Acts of staff that change nothing in any journey."""

READ = {"notification": "timeline", "opd_response": "case"}

OPENED = time(8, 30)
"""The time of day from which a report is withdrawn: a parting of which the day is known is told before, on its day."""


@dataclass(frozen=True)
class Done:
    """An act that was done; `args` follow the ticket."""

    at: datetime
    stage: str
    command: str
    actor: Actor | None = None
    args: tuple[Any, ...] = ()


@dataclass
class Walk:
    """A report that is joined, and those that it is joined with; `done` is what was done with it itself."""

    stages: House
    app: Flask
    chance: random.Random
    joined: str = ""
    others: list[str] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.acting = Acting()
        self.acting.house = self.stages
        self.others = [self._handed_over() for _ in range(2)]
        self.passes()
        self.joined = self._do(Done(self.stages.now, "intake", "submit", REPORTER, (dict(REPORT),)))["ticket"]
        self.passes()
        self._do(Done(self.stages.now, "intake", "hand_over", OPERATOR), self.joined)

    def _handed_over(self) -> str:
        ticket = str(self.stages.do("intake", "submit", REPORTER, REPORT)["ticket"])
        self.stages.settle()
        self.stages.do("intake", "hand_over", OPERATOR, ticket)
        self.stages.settle()
        return ticket

    def _do(self, act: Done, ticket: str | None = None) -> Any:
        """Do an act; one with the report that is joined is noted."""
        given = carried_out(self.stages, act, ticket)
        if ticket in (None, self.joined):
            self.done.append(act)
        return given

    def passes(self) -> None:
        minutes = self.chance.choice([3, 8, 25, 25, 60, 90, 300, 1_440, 2_000, self.chance.choice([9_000, 45_000])])
        self.stages.now += timedelta(minutes=minutes, seconds=self.chance.randrange(60), microseconds=123_456)
        for stage, timer in TIMERS:
            self._do(Done(self.stages.now, stage, timer))

    def goes_on(self) -> None:
        """Do one act that somebody may do now."""
        offered = [
            (attempt, who, ticket)
            for ticket in (self.joined, *self.others)
            for who, stage, acts in self.offered(ticket)
            if ticket == self.joined or PEOPLE[who].role != Role.REPORTER or self._rarely()
            for attempt in ATTEMPTS
            if attempt[0].act in acts and (attempt[0].stage, attempt[0].role) == (stage, PEOPLE[who].role)
            if attempt[0].act not in UNTOLD
        ]
        if not offered:
            return
        weights = [WEIGHTS.get(rule.act, 1) for (rule, _), _, _ in offered]
        ((rule, way), who, ticket) = self.chance.choices(offered, weights)[0]
        if rule.act == Act.WITHDRAW and self.stages.now.astimezone(WIB).time() < OPENED:
            return
        if rule.act == Act.JOIN and ticket != self.joined:
            return
        args = [self.chance.choice(self.others) if arg == FIRST else arg for arg in way.args]
        args = [arg(self.acting, ticket) if callable(arg) else arg for arg in args]
        if rule.act == Act.ANSWER:
            args.append([file.number for file in self.acting.case(ticket, "notification", who).offered])
        act = Done(self.stages.now, rule.stage, way.command, PEOPLE[who], tuple(args))
        try:
            self._do(act, ticket)
        except Refused:
            self.stages.settle()

    def offered(self, ticket: str) -> Iterator[tuple[str, str, list[str]]]:
        """Yield the acts that are possible now, as (who, stage, acts); each stage is asked once."""
        for stage in STAGES:
            rows = {row.team_opd: row for row in self.stages.held(stage, [ticket])}
            for who, person in PEOPLE.items():
                row = rows.get(person.group) if self.acting.is_for(stage, who) else None
                if row is not None and stage in ("triage", "opd_response"):
                    yield who, stage, row.acts()
                elif row is not None:
                    calendar = self.stages.services[stage].calendars.get(row.calendar)
                    yield who, stage, row.acts(person.role, self.stages.now, calendar)
        yield "owner", "notification", self.acting.answers(ticket)

    def _rarely(self) -> bool:
        return self.chance.random() < 0.3

    # -- the way that the reporter is told

    def told(self) -> tuple[list[Entry], list[Entry]]:
        """Return what the reporter is told, and those entries of it that tell of another report's way."""
        notification = self.stages.services["notification"]
        with notification.uow.reading() as work:
            journey = work.journeys.get(self.joined)
        told = journey.neutral(self.stages.now, notification.calendars.get).entries
        true = {entry.event_id: entry.type for entry in journey.entries}
        shared = {event.id for _, event in self.stages.told if getattr(event.data, "joined_to", None)}

        def is_instead(entry: Entry) -> bool:
            other = true[entry.event_id] in (JOINED, PARTED, SHARED) or entry.event_id in shared
            return other or (true[entry.event_id] == RETURNED and entry.type in (SENT_BACK, RECALLED))

        return told, [entry for entry in told if is_instead(entry)]

    def alone(self) -> str:
        """Lead another report the way that was told; return its ticket."""
        _, instead = self.told()
        sent_back = [entry.at for entry in instead if entry.type == SENT_BACK]
        direct = [
            act
            for act in self.done
            if act.command not in ("join", "part")
            and not (act.command == "send_back" and any(at < act.at < at + timedelta(minutes=7) for at in sent_back))
        ]
        acts = sorted([*direct, *(self._instead(entry) for entry in instead)], key=lambda act: act.at)
        ticket, now = None, self.stages.now
        for act in acts:
            self.stages.now = act.at
            given = carried_out(self.stages, act, ticket)
            ticket = given["ticket"] if act.command == "submit" else ticket
        self.stages.now = now
        assert ticket is not None
        return ticket

    def _instead(self, entry: Entry) -> Done:
        shared = next((event.data for _, event in self.stages.told if event.id == entry.event_id), None)
        responded = ("Ditegur.", [upload() for _ in getattr(shared, "files", ())])
        ways: dict[str, tuple[str, str, Actor, tuple[Any, ...]]] = {
            FORWARDED: ("triage", "forward", MAIN_TEAM, (OPD,)),
            RECALLED: ("triage", "recall", MAIN_TEAM, (WHY,)),
            SUBMITTED: ("opd_response", "respond", OPD_TEAM, responded),
            APPROVED: ("triage", "approve", MAIN_TEAM, ()),
            SENT_BACK: ("triage", "return_response", MAIN_TEAM, (WHY,)),
            INFORMATION: ("triage", "classify_as_information", MAIN_TEAM, ("Jawab.",)),
        }
        return Done(entry.at, *ways[entry.type])

    def must_be_possible(self) -> None:
        """Assert that no entry is told at the instant of another, or at one at which nobody acts."""
        told, instead = self.told()
        at = [entry.at for entry in told if entry.type not in OF_A_DAY]
        for entry in instead:
            assert min(abs(entry.at - other) for other in at if other is not entry.at) > timedelta(seconds=1)
            assert entry.at.microsecond

    def must_not_be_told_to_agencies(self) -> None:
        """Assert that no team of an agency is told of a joining, or of a report that it does not have."""
        for who, stage in product(("OPD", "other OPD"), ("notification", "opd_response")):
            for ticket in (self.joined, *self.others):
                try:
                    told = str(self.stages.do(stage, READ[stage], PEOPLE[who], ticket))
                except UnknownTicket:
                    continue
                others = {self.joined, *self.others} - {ticket}
                assert not [word for word in (*others, *OF_JOINING, "laporan lain") if word in told], who


def carried_out(stages: House, act: Done, ticket: str | None) -> Any:
    """Carry out an act, or run a timer, and let everybody hear of it."""
    if act.actor is None:
        getattr(stages.services[act.stage], act.command)()
        stages.collect()
        given = None
    else:
        about = [ticket] if ticket is not None else []
        # No file is attached twice.
        args = [
            [upload() for _ in arg] if isinstance(arg, list) and arg and "id" in arg[0] else arg for arg in act.args
        ]
        given = stages.do(act.stage, act.command, act.actor, *about, *args)
    stages.settle()
    return given


@pytest.fixture
def app() -> Flask:
    return application(TOKEN_PUBLIC_KEY=as_pem(KEYS["NKK_TOKEN_PUBLIC_KEY"]), LIMIT_DOCUMENTS="9999/minute")


def test_no_reporter_can_tell_that_a_report_was_joined_whatever_happens(tmp_path: Path, app: Flask) -> None:
    for seed in range(SEED * 10_000, SEED * 10_000 + WALKS):
        walked(tmp_path / str(seed), app, random.Random(seed), seed)


def walked(folder: Path, app: Flask, chance: random.Random, seed: int) -> None:
    folder.mkdir()
    with house(lambda stage: f"sqlite:///{folder}/{stage}.db", chance) as stages:
        app.config["CLOCK"] = lambda: stages.now
        app.extensions["nkk"] = AtHome(stages)
        walk = Walk(stages, app, random.Random(seed))
        for _ in range(chance.randrange(FEWEST_ACTS, MOST_ACTS)):
            walk.passes()
            walk.goes_on()
        walk.must_be_possible()
        alone = walk.alone()
        with stages.databases["notification"].writing() as connection:
            connection.execute(update(tables.journeys).values(website=WEBSITE.id))
        for name, look in LOOKS.items():
            one, other = (without(look(walk, ticket), ticket) for ticket in (walk.joined, alone))  # type: ignore[arg-type]
            assert one == other, (seed, name, differing(one, other), [act.command for act in walk.done if act.actor])


def differing(one: Any, other: Any) -> Any:
    """Return the parts in which two views differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {
            name: differing(one.get(name), other.get(name)) for name in one | other if one.get(name) != other.get(name)
        }
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [differing(*both) for both in zip(one, other, strict=True) if both[0] != both[1]]
    return one, other
