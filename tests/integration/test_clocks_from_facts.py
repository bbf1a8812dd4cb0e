"""The clocks that follow from the recorded facts alone are those that the stages kept: on thousands of random journeys.

Hundreds go through the real services and their databases, events carried by hand in any order; thousands more through
the same domain objects without them.
"""

import random
from collections import Counter
from datetime import UTC, datetime

import pytest

from nkk.contracts import Event
from nkk.contracts.events import ComplaintClassifiedAsInformation, ResponseApproved
from nkk.sop import steps
from nkk.sop.calendar import read_calendar, write_calendar
from nkk.sop.journey import Fact, clocks, service_due
from nkk.sop.steps import Path
from services.intake import domain as intake_domain
from services.intake import service as intake
from services.notification import service as notification
from services.opd_response import service as opd_response
from services.triage import service as triage
from tests.builders import REPORT, complaint_form
from tests.stages import (
    ADMIN,
    MAIN_TEAM,
    OPD,
    OPD_TEAM,
    OPERATOR,
    REPORTER,
    house,
    some_calendar,
    some_instant,
    some_pause,
)

THROUGH_SERVICES = 240
THROUGH_DOMAINS = 10_000
SHARES = 4


def run_of(timed):
    """Which run of which step's clock it is that a stage keeps of something, as (step, round)."""
    if timed.step == steps.RESPOND:
        return 4, timed.round if timed.done_at else timed.round + 1
    return timed.step.number, timed.about_round


def kept(timed):
    return timed.came_at, timed.due_at, timed.calendar, timed.done_at


def expected(facts, calendar_of):
    return {(clock.step.number, clock.round): (clock.came_at, clock.due_at, clock.calendar.version, clock.done_at)
            for clock in clocks(facts, calendar_of)}


# -- through the services


class Walk:
    """One journey through the house; `seen` is every run of a clock as its stage kept it last."""

    def __init__(self, house, chance):
        self.house, self.chance = house, chance
        self.seen = {}
        house.now = some_instant(chance).astimezone(UTC)
        self.ticket = house.do("intake", "submit", REPORTER, REPORT)["ticket"]
        self.look()

    def look(self):
        for stage, timed in self.house.stored(self.ticket).items():
            self.seen[run_of(timed)] = kept(timed)
            self.seen[stage] = timed.service_due_at
            if timed.step == steps.RECEIVE:
                # The same row goes on with step 7: of step 6 it remembers when the answer was sent.
                self.seen[6, 0] = (*self.seen[6, 0][:3], timed.sent_at)

    def pass_time(self):
        """Somebody takes their time; meanwhile timers look, and an admin may change the calendar."""
        until = self.house.now + some_pause(self.chance)
        for moment in sorted(self.chance.uniform(0, 1) for _ in range(self.chance.randrange(3))):
            self.house.tell_alarms(self.house.now + (until - self.house.now) * moment)
        if self.chance.random() < 0.1:
            self.change_calendar()
        self.house.now = until

    def change_calendar(self):
        with self.house.services["intake"].uow.reading() as work:
            newest = work.calendars.newest()
        self.house.do("intake", "replace_calendar", ADMIN, newest,
                      write_calendar(some_calendar(self.chance, newest + 1)) | {"national_years": []})

    def act(self, stage, command, actor, *args):
        self.pass_time()
        # What the desk works on has been heard there; the others hear of it when they do.
        self.house.deliver(stage, some=0.5)
        self.look()
        self.house.do(stage, command, actor, self.ticket, *args)
        self.look()

    def to_its_end(self, returns):
        self.act("intake", "hand_over", OPERATOR)
        if returns is None:
            self.act("triage", "classify_as_information", MAIN_TEAM)
        else:
            self.act("triage", "forward", MAIN_TEAM, OPD)
            for _ in range(returns):
                self.act("opd_response", "respond", OPD_TEAM, "Tanggapan.")
                self.act("triage", "return_response", MAIN_TEAM, "Lengkapi.")
            self.act("opd_response", "respond", OPD_TEAM, "Tanggapan.")
            self.act("triage", "approve", MAIN_TEAM)
        self.act("notification", "send_answer", OPERATOR, "Jawaban.")
        if self.chance.random() < 0.9:
            self.act("notification", "confirm_receipt", REPORTER)
        self.house.deliver()
        self.look()


def recorded(house, ticket):
    """(facts, calendars) of a journey's record as the admin is given it: nothing else is looked at."""
    record = house.do("notification", "record", ADMIN, ticket)
    (journey,) = record["journeys"]
    facts = [Fact(fact["type"], datetime.fromisoformat(fact["at"]), fact["round"], fact["calendar"])
             for fact in journey["facts"]]
    return facts, {int(version): read_calendar(content, int(version)) for version, content in
                   record["calendars"].items()}


def alarms_told(house, ticket):
    return Counter((event.type, event.data.step, event.data.round) for _, event in house.told
                   if event.subject == ticket and event.type in ("step.due_soon.v1", "step.overdue.v1"))


@pytest.mark.parametrize("share", range(SHARES))
def test_the_clocks_counted_from_the_record_are_those_the_stages_kept(share, tmp_path):
    chance = random.Random(share)
    with house(lambda stage: f"sqlite:///{tmp_path}/{stage}.db", chance) as stages:
        for number in range(THROUGH_SERVICES // SHARES):
            walk = Walk(stages, chance)
            walk.to_its_end([None, 0, 1, 2, 3][number % 5])
            facts, calendars = recorded(stages, walk.ticket)
            runs = {run: clock for run, clock in walk.seen.items() if isinstance(run, tuple)}
            assert expected(facts, calendars.__getitem__) == runs

            submitted = min(facts, key=lambda fact: fact.place)
            promised = service_due(submitted.at, calendars[submitted.calendar])
            assert {due for stage, due in walk.seen.items() if isinstance(stage, str)} == {promised}

            # By the end every run that ended late was told of once, by the timer or by who ended it; no other was.
            told = alarms_told(stages, walk.ticket)
            late = {run for run, (_, due_at, _, done_at) in runs.items() if done_at and done_at > due_at and run[0] < 7}
            assert set(told.values()) <= {1}
            assert {tuple(run) for type_, *run in told if type_ == "step.overdue.v1"} == late
        assert len(calendars) > 1


# -- through the domains alone


def event_of(data, at):
    return Event("event", data.TYPE, "source", data.subject, at, None, data)


class Facts:
    """What is recorded of one journey, and what its domain objects kept."""

    def __init__(self, chance, calendars):
        self.chance, self.calendars = chance, calendars
        self.now = some_instant(chance)
        self.facts, self.kept, self.promised = [], {}, set()

    def record(self, data, done=None, calendar=0):
        at = self.now.astimezone(UTC)
        self.facts.append(Fact(data.TYPE if hasattr(data, "TYPE") else data, at, getattr(data, "round", 0), calendar))
        self.keep(done)

    def keep(self, timed):
        if timed is not None:
            self.kept[run_of(timed)] = kept(timed)
            self.promised.add(timed.service_due_at)

    def later(self):
        self.now += some_pause(self.chance)
        return self.now, self.chance.choice(self.calendars)


def walked(chance, calendars, returns):
    """A journey through the domain objects of the four stages, each clock by a calendar of its own."""
    way = Facts(chance, calendars)
    now, calendar = way.later()
    report = intake_domain.Complaint.submit(complaint_form(), "reporter-1", "public", now, calendar)
    way.record("complaint.submitted.v1", report, calendar.version)
    now, calendar = way.later()
    report.hand_over("staff", now)
    handed_over = intake._handed_over(report, calendar)
    way.record(handed_over, report, calendar.version)
    case = triage._case(event_of(handed_over, now), calendar)
    way.keep(case)
    now, calendar = way.later()
    if returns is None:
        case.classify_as_information(now)
        comes = ComplaintClassifiedAsInformation(ticket=case.ticket, note=None, service_due_at=case.service_due_at,
                                                 calendar=calendar.version, by="staff")
    else:
        case.forward(OPD, now)
        forwarded = triage._forwarded(case, None, "staff", calendar)
        way.record(forwarded, case, calendar.version)
        desk = opd_response._case(event_of(forwarded, now), calendar)
        for round_ in range(1, returns + 2):
            way.keep(desk)
            now, calendar = way.later()
            desk.respond("Tanggapan.", now)
            way.facts.append(Fact("response.submitted.v1", now.astimezone(UTC), round_, calendar.version))
            way.keep(desk)
            case.receive("Tanggapan.", round_, now, calendar)
            way.keep(case)
            now, calendar = way.later()
            if round_ <= returns:
                case.return_response(now)
                way.facts.append(Fact("response.returned.v1", now.astimezone(UTC), round_, calendar.version))
                way.keep(case)
                desk.take_back(round_, "Lengkapi.", now, calendar)
        case.approve(now)
        comes = ResponseApproved(ticket=case.ticket, opd=OPD, round=returns + 1, text="Tanggapan.", note=None,
                                 service_due_at=case.service_due_at, calendar=calendar.version, by="staff")
    way.record(comes, case, calendar.version)
    answer = notification._answer(event_of(comes, now), calendar, Path.COMPLAINT, None)
    way.keep(answer)
    now, calendar = way.later()
    answer.send("Jawaban.", now, calendar)
    way.kept[6, 0] = (*way.kept[6, 0][:3], answer.sent_at)
    way.record("answer.sent.v1", answer, calendar.version)
    now, calendar = way.later()
    answer.confirm(now)
    way.record("complaint.closed.v1", answer)
    return way


@pytest.mark.parametrize("returns", [None, 0, 1, 2, 3])
def test_thousands_of_random_journeys_have_the_clocks_that_follow_from_their_facts(returns):
    chance = random.Random(returns)
    paths = 5
    for number in range(THROUGH_DOMAINS // paths):
        if number % 100 == 0:
            calendars = [some_calendar(chance, version) for version in range(4)]
        way = walked(chance, calendars, returns)
        chance.shuffle(way.facts)
        assert expected(way.facts, calendars.__getitem__) == way.kept
        submitted = next(fact for fact in way.facts if fact.type == "complaint.submitted.v1")
        assert way.promised == {service_due(submitted.at, calendars[submitted.calendar])}
