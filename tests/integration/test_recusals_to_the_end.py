"""Staff who stepped aside, and the accused: to them a case stays as one that never was, however it ends."""

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from gateway.desks import ANSWERS, INTAKE, TRIAGE
from gateway.desks import DESKS as ALL_DESKS
from gateway.desks import OPD as OPD_DESK
from gateway.live import LiveFeed, Stream
from nkk.contracts.events import CaseRecused
from nkk.sop.files import UnknownFile
from nkk.sop.refusals import Refused, UnknownTicket
from nkk.trust.actor import Actor
from tests.builders import REPORT
from tests.effort import share
from tests.integration.test_conflicts import NIP, OTHER_NIP, about, accused
from tests.integration.test_pairs_of_acts import (
    ACTS,
    ANSWERED,
    FIRST,
    FORWARDED,
    INFORMED,
    LAPSED,
    OBJECTED,
    RESPONDED,
)
from tests.stages import ADMIN, OPD, OPERATOR, REPORTER, STORAGES, VAULT, House
from tests.unseen import ARGUMENTS, COLLEAGUES, DESKS, NEVER, refusal

pytestmark = pytest.mark.proof

WHY = "Terlapor kerabat saya."

ENDINGS: dict[str, tuple[str, ...]] = {
    "withdrawn before the hand-over": ("withdraw",),
    "withdrawn before the classification": ("hand over", "withdraw"),
    "withdrawn at the agency": (*FORWARDED, "withdraw"),
    "withdrawn with a response": (*RESPONDED, "withdraw"),
    "kept by the main team": (*RESPONDED, "withdraw", "keep"),
    "closed by the operator": ("operator's question", "question lapses", "operator closes"),
    "closed by the main team": ("hand over", "question", "question lapses", "close"),
    "closed by the agency": (*FORWARDED, "OPD's question", "question lapses", "OPD closes"),
    "declined": (*FORWARDED, "decline"),
    "recalled": (*FORWARDED, "recall"),
    "joined": ("hand over", "join"),
    "joined, and the other answered": ("hand over", "join", "inform the first", "answer", "confirm"),
    "parted": ("hand over", "join", "part"),
    "sent back": (*INFORMED, "reclassify"),
    "answered": ANSWERED,
    "closed": (*RESPONDED, "approve", "answer", "confirm"),
    "lapsed": (*ANSWERED, "lapse"),
    "objected to": OBJECTED,
    "answered again": (*OBJECTED, "forward", "respond", "approve", "answer", "confirm"),
    "concluded without a further agency": (*RESPONDED, "gather", "decline beside", "conclude"),
    "responded to by two": (*RESPONDED, "gather", "respond beside", "approve", "answer"),
}

FIRST_AT = {"intake": None, "triage": "hand over", "opd_response": "forward"}
"""After which act each desk has the case; None where it has it from the beginning."""


class Way:
    """A report on the way to its ending, on which colleagues of those who stepped aside act."""

    def __init__(self, stages: House, report: dict[str, Any]) -> None:
        self.stages = stages
        stages.now = stages.now.replace(year=2026, month=3, day=2)
        self.ticket: str = stages.do("intake", "submit", REPORTER, report)["ticket"]
        self.first: str = stages.do("intake", "submit", REPORTER, REPORT)["ticket"]
        stages.settle()
        stages.do("intake", "hand_over", OPERATOR, self.first)
        stages.settle()

    def step_aside(self, stage: str) -> None:
        self.stages.do(stage, "recuse", DESKS[stage], self.ticket, WHY, None)
        self.stages.settle()

    def go(self, acts: tuple[str, ...]) -> Iterator[str]:
        """Carry out `acts`, and yield the name of each."""
        for act in acts:
            self.stages.now += timedelta(minutes=1)
            stage, command, actor, args = ACTS[act]
            if actor is None:
                self.stages.now += LAPSED
                getattr(self.stages.services[stage], command)()
                self.stages.collect()
            else:
                of = self.first if act.endswith("the first") else self.ticket
                told = tuple(self.first if each == FIRST else each for each in args())
                self.stages.do(stage, command, _colleague(actor), of, *told)
            self.stages.settle()
            yield act


def _colleague(actor: Actor) -> Actor:
    """Return the colleague who acts in the place of a desk's usual actor."""
    return next((COLLEAGUES[stage] for stage, found in DESKS.items() if found == actor), actor)


def seen(stages: House, desk: str, actor: Actor, ticket: str) -> list[str]:
    """Return by what `actor` of a desk can tell the case from one that never was."""
    found = []
    for stage in (desk, "notification"):
        for method in ARGUMENTS[stage]:
            if stage == "notification" and desk != "intake" and method not in ("timeline", "questions"):
                continue
            answer = refusal(stages, stage, method, actor, ticket)
            if answer != refusal(stages, stage, method, actor, NEVER) or answer[0][0] not in (
                UnknownTicket,
                UnknownFile,
            ):
                found.append(f"{stage}.{method}: {answer[0]}")
    return found + [f"listed: {each}" for each in listed(stages, desk, actor) if ticket in each]


def listed(stages: House, desk: str, actor: Actor) -> Iterator[str]:
    """Yield the answers that name many cases."""
    for wanted in ({}, {"waits": "reporter"}, {"late": True}):
        yield str(stages.do(desk, "worklist", actor, None, 200, wanted))
    if desk == "intake":
        yield str(stages.do("notification", "worklist", actor, None, 200))
        yield str(stages.do("notification", "undelivered", actor))
    if desk != "opd_response":
        for closed in (False, True):
            yield str(stages.do("notification", "month", actor, "2026-03", closed))


def undeliverable(stages: House, ticket: str) -> None:
    """Have the letters about a case been given up."""
    messages = STORAGES["notification"].messages
    with stages.databases["notification"].writing() as connection:
        connection.execute(messages.update().where(messages.c.ticket == ticket).values(given_up_at=stages.now))


def stages_of(acts: tuple[str, ...]) -> list[str]:
    """Return the desks that have the case sooner or later."""
    return [stage for stage, first in FIRST_AT.items() if first is None or first in acts]


@pytest.mark.parametrize("ending", share(ENDINGS))
def test_who_stepped_aside_at_once_and_the_accused_see_nothing_of_its_end(stages: House, ending: str) -> None:
    acts, way = ENDINGS[ending], Way(stages, about())
    way.step_aside("intake")
    for act in way.go(acts):
        for stage, first in FIRST_AT.items():
            if act == first:
                way.step_aside(stage)
    undeliverable(stages, way.ticket)
    for stage, actor in DESKS.items():
        for who in (*([actor] if stage in stages_of(acts) else []), accused(actor)):
            assert seen(stages, stage, who, way.ticket) == [], (stage, who.id)
        if stage in stages_of(acts):
            assert seen(stages, stage, COLLEAGUES[stage], way.ticket), "a colleague sees it"


@pytest.mark.parametrize("ending", share(ENDINGS))
def test_who_steps_aside_after_its_end_sees_nothing_of_it_any_more(stages: House, ending: str) -> None:
    acts, way = ENDINGS[ending], Way(stages, REPORT)
    list(way.go(acts))
    undeliverable(stages, way.ticket)
    for stage in stages_of(acts):
        way.step_aside(stage)
        assert seen(stages, stage, DESKS[stage], way.ticket) == [], stage
        assert seen(stages, stage, COLLEAGUES[stage], way.ticket), "a colleague sees it"


@pytest.mark.parametrize("ending", share(ENDINGS))
def test_the_live_lists_of_the_accused_are_told_of_no_change_by_it(
    stages: House, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LiveFeed, "_listen", lambda _: None)
    feed = LiveFeed("amqp://nowhere", 2 * len(ALL_DESKS))
    opened = {
        (desk, barred): feed.open(desk, OPD if desk is OPD_DESK else None, str(barred), 60, barred)
        for desk in ALL_DESKS
        for barred in (VAULT.barred(NIP), VAULT.barred(OTHER_NIP))
    }
    way = Way(stages, about())
    list(way.go(ENDINGS[ending]))
    of_ticket = {event.id for _, event in stages.told if event.subject == way.ticket}
    for message in messages(stages):
        feed._hear(message)
    heard = {who: {*iter(stream._news.get_nowait, None)} & of_ticket for who, stream in closed(opened)}
    for desk in ALL_DESKS:
        assert heard[desk, VAULT.barred(NIP)] == set()
    assert any(heard[desk, VAULT.barred(OTHER_NIP)] for desk in ALL_DESKS)


def messages(stages: House) -> Iterator[Any]:
    """Yield all events, in the order in which they were told, as the broker delivers them."""
    rows = {}
    for stage, database in stages.databases.items():
        with database.reading() as connection:
            rows |= {row.event_id: row for row in connection.execute(select(STORAGES[stage].outbox))}
    for _, event in stages.told:
        row = rows[event.id]
        yield SimpleNamespace(body=row.body, delivery_info={"exchange": row.exchange, "routing_key": row.type})


def closed(opened: dict[Any, Stream]) -> Iterator[tuple[Any, Stream]]:
    """Yield the streams, with None behind their news."""
    for who, stream in opened.items():
        stream.tell(None)
        yield who, stream


STREAMS = {"intake": (INTAKE, ANSWERS), "triage": (TRIAGE,), "opd_response": (OPD_DESK,)}
"""The live lists of those who work at each stage's desk."""


@pytest.mark.parametrize("restarted", [False, True], ids=["as it happens", "after a restart"])
@pytest.mark.parametrize("barred", [None, VAULT.barred(OTHER_NIP)], ids=["without a NIP", "with another NIP"])
@pytest.mark.parametrize("ending", share(ENDINGS))
def test_the_live_lists_of_who_stepped_aside_are_told_of_no_change_by_it(
    stages: House, ending: str, barred: str | None, restarted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LiveFeed, "_listen", lambda _: None)
    feed = LiveFeed("amqp://nowhere", 4 * len(ALL_DESKS))

    def opened() -> dict[Any, Stream]:
        return {
            (desk, who.id): feed.open(
                desk,
                who.group if desk is OPD_DESK else None,
                who.id,
                60,
                barred,
                stages.command(desk.stage, "recused_from", who),
            )
            for stage, desks in STREAMS.items()
            for desk in desks
            for who in (DESKS[stage], COLLEAGUES[stage])
        }

    streams = opened()
    way = Way(stages, about())
    way.step_aside("intake")
    for act in way.go(ENDINGS[ending]):
        for stage, first in FIRST_AT.items():
            if act == first:
                way.step_aside(stage)
    if restarted:
        # A process that was not there when they stepped aside.
        streams = opened()
    for message in messages(stages):
        if not (restarted and message.delivery_info["routing_key"] == CaseRecused.TYPE):
            feed._hear(message)
    heard = {who: {*iter(stream._news.get_nowait, None)} for who, stream in closed(streams)}
    for stage in stages_of(ENDINGS[ending]):
        after = since_recusal(stages, way.ticket, DESKS[stage])
        for desk in STREAMS[stage]:
            told = {after[each] for each in heard[desk, DESKS[stage].id] & after.keys()}
            assert told == set(), (desk.key, "hears of it")
    assert any(heard[desk, COLLEAGUES["intake"].id] for desk in STREAMS["intake"]), "a colleague hears of it"


def since_recusal(stages: House, ticket: str, actor: Actor) -> dict[str, str]:
    """Return the types of a case's events since `actor` stepped aside from it, by their ids."""
    told = [event for _, event in stages.told if event.subject == ticket]
    first = next(n for n, event in enumerate(told) if getattr(event.data, "account", None) == actor.id)
    return {event.id: event.type for event in told[first:]}


SEARCHES: tuple[dict[str, Any], ...] = ({}, {"late": True}, {"waits": "reporter"}, {"waits": "nobody"})


def searched(stages: House, desk: str, actor: Actor, ticket: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the searches of a desk that find a case, in every order and with every filter."""
    wanted = [
        {"q": q, "sort": sort, **narrower}
        for q in (ticket, ticket[-4:])
        for sort in ("due", "newest", "category")
        for narrower in SEARCHES
    ]
    return [(desk, each) for each in wanted if ticket in str(stages.do(desk, "worklist", actor, None, None, each))]


def joined_with(stages: House, actor: Actor, one: str, other: str) -> Any:
    """Return the refusal of joining one report with another."""
    with pytest.raises(Refused) as refused:
        stages.do("triage", "join", actor, one, other, WHY)
    return type(refused.value), refused.value.code, refused.value.details


@pytest.mark.parametrize("ending", share(ENDINGS))
def test_no_search_and_no_other_case_leads_to_it(stages: House, ending: str) -> None:
    acts, way = ENDINGS[ending], Way(stages, about())
    other: str = stages.do("intake", "submit", REPORTER, REPORT)["ticket"]
    stages.settle()
    stages.do("intake", "hand_over", OPERATOR, other)
    stages.settle()
    found = bool(searched(stages, "intake", COLLEAGUES["intake"], way.ticket))
    assert found, "a colleague finds it"
    way.step_aside("intake")
    for act in way.go(acts):
        for stage, first in FIRST_AT.items():
            if act == first:
                way.step_aside(stage)
    for stage, actor in DESKS.items():
        for who in (*([actor] if stage in stages_of(acts) else []), accused(actor)):
            assert searched(stages, stage, who, way.ticket) == [], (stage, who.id)
            if stage == "intake":
                assert stages.do("intake", "subjects", who, [way.ticket]) == {}
            if stage == "triage":
                assert way.ticket not in str(stages.do("triage", "similar", who, other))
                assert joined_with(stages, who, other, way.ticket) == joined_with(stages, who, other, NEVER)


@pytest.mark.parametrize("ending", share(ENDINGS))
def test_an_admin_is_told_of_it_exactly_where_it_waits_and_all_stepped_aside(stages: House, ending: str) -> None:
    way = Way(stages, REPORT)
    list(way.go(ENDINGS[ending]))
    everybody = [(stage, who) for desks in (DESKS, COLLEAGUES) for stage, who in desks.items()]
    seats = [{"role": who.role, "opd": who.group, "known_as": [who.id]} for _, who in everybody]
    stages_and_colleagues = COLLEAGUES | {"notification": COLLEAGUES["intake"]}

    def unseen() -> dict[str, bool]:
        return {stage: way.ticket in stages.do(stage, "unseen", ADMIN, seats) for stage in stages_and_colleagues}

    waits = {
        stage: way.ticket in str(stages.do(stage, "worklist", who)) for stage, who in stages_and_colleagues.items()
    }
    assert not any(unseen().values())
    for stage, who in everybody:
        if stage in stages_of(ENDINGS[ending]):
            stages.do(stage, "recuse", who, way.ticket, WHY)
            stages.settle()
    assert unseen() == waits
