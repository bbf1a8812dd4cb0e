"""The clocks derived from the recorded facts alone equal those that the stages kept, on random journeys.

Some journeys run through the real services on both databases, with events delivered in any order; more run through the
domain objects alone. `make proof` runs thousands of them.
"""

import json
import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from nkk.contracts import STAGES, Event
from nkk.contracts.events import ComplaintClassifiedAsInformation, ResponseApproved
from nkk.messaging.batches import BATCH_SIZE
from nkk.sop import steps
from nkk.sop.calendar import read_calendar, write_calendar
from nkk.sop.clock import WIB, day_after, end_of_day
from nkk.sop.gathered import MOST_GATHERED
from nkk.sop.journey import (
    ABANDONED,
    GRANTED,
    KEPT,
    RECALLED,
    WITHDRAWN,
    Fact,
    Question,
    clocks,
    in_order,
    service_due,
    services,
)
from nkk.sop.steps import Path
from nkk.trust.actor import Actor
from services.intake import domain as intake_domain
from services.intake import service as intake
from services.notification import service as notification
from services.notification.domain import OBJECTED_WITHIN_MINUTES
from services.opd_response import service as opd_response
from services.triage import service as triage
from tests.builders import REPORT, complaint_form
from tests.effort import LONG, SEED
from tests.stages import (
    ADMIN,
    EDGES,
    MAIN_TEAM,
    OPD,
    OPD_TEAM,
    OPERATOR,
    REPORTER,
    house,
    run_of,
    some_calendar,
    some_instant,
    some_pause,
)

pytestmark = pytest.mark.proof

THROUGH_SQLITE, THROUGH_POSTGRESQL, THROUGH_DOMAINS = (1_600, 400, 10_000) if LONG else (40, 16, 500)
SHARES = 4 if LONG else 1
CROWD = 100 if LONG else 40
"""The most journeys that run side by side, at most the number of alarms raised in one transaction."""


BESIDE_SQLITE = 0 if LONG else 42
"""What the seed of the journeys on PostgreSQL is higher by, so that few of them have every act in `make test`."""

EVERY_ACT = {
    "abandon",
    "answer_question",
    "approve",
    "ask",
    "classify_as_information",
    "conclude",
    "confirm_receipt",
    "decline",
    "forward",
    "gather",
    "grant_time",
    "hand_over",
    "join",
    "keep",
    "object_to",
    "part",
    "rate",
    "recall",
    "request_time",
    "respond",
    "return_response",
    "send_answer",
    "send_back",
    "submit",
    "withdraw",
}
"""The commands of which journeys through the services consist."""


def kept(timed):
    return timed.came_at, timed.due_at, timed.calendar, timed.done_at


def expected(facts, calendar_of, questions=()):
    return {
        (clock.step.number, clock.forwarding, clock.round): (
            clock.came_at,
            clock.due_at,
            clock.calendar.version,
            clock.done_at,
        )
        for clock in clocks(facts, calendar_of, questions)
    }


# -- through the services


WHY = "Alasan."
FORWARD = ("triage", "forward", MAIN_TEAM, OPD)
RESPOND, RETURN = ("opd_response", "respond", OPD_TEAM, "Tanggapan."), ("triage", "return_response", MAIN_TEAM, WHY)
ASK = ("opd_response", "request_time", OPD_TEAM, 5, WHY)
OTHER = "dinas-kesehatan"
OTHER_TEAM = Actor("staff-other", "opd_team", OTHER)
GATHER, BESIDE = ("triage", "gather", MAIN_TEAM, OTHER), ("opd_response", "respond", OTHER_TEAM, "Tanggapan kedua.")
DECLINE_BESIDE = ("opd_response", "decline", OTHER_TEAM, WHY)
APPROVE, CONCLUDE = ("triage", "approve", MAIN_TEAM), ("triage", "conclude", MAIN_TEAM)
FIRST = "the ticket of a report that nobody acts on"
JOIN, PART = ("triage", "join", MAIN_TEAM, FIRST, WHY), ("triage", "part", MAIN_TEAM, WHY)
DETOURS = [
    [JOIN, PART],
    [FORWARD, RESPOND, GATHER, DECLINE_BESIDE],
    [FORWARD, RESPOND, RETURN, RESPOND, GATHER, BESIDE, RETURN, ("triage", "recall", MAIN_TEAM, WHY)],
    [FORWARD, ASK, ("triage", "grant_time", MAIN_TEAM, 3), ("opd_response", "decline", OPD_TEAM, WHY)],
    [FORWARD, RESPOND, RETURN, ASK, ("triage", "recall", MAIN_TEAM, WHY)],
    [FORWARD, ASK, ("triage", "grant_time", MAIN_TEAM, 2), RESPOND, RETURN, ("triage", "recall", MAIN_TEAM, WHY)],
    [FORWARD, ("opd_response", "decline", OPD_TEAM, WHY)],
    [FORWARD, ("triage", "recall", MAIN_TEAM, WHY)],
    [FORWARD, RESPOND, RETURN, ("triage", "recall", MAIN_TEAM, WHY)],
    [("triage", "classify_as_information", MAIN_TEAM), ("notification", "send_back", OPERATOR, WHY)],
]
"""Acts after which a case is at step 3 again. The first is refused after an objection."""


class Walk:
    """One journey through the services; `seen` has the last state of each run of a clock, from its stage's row."""

    def __init__(self, house, returns, first):
        self.house, self.ticket, self.first = house, None, first
        self.seen, self.promised, self.done = {}, set(), {"submit"}
        self.acts = [("intake", "hand_over", OPERATOR), *self.to_the_answer(house.chance, returns)]
        if house.chance.random() < 0.9:
            self.acts.append(("notification", "confirm_receipt", REPORTER))
            if house.chance.random() < 0.2:
                self.acts.append(("notification", "rate", REPORTER, 4))
        if house.chance.random() < 0.3:
            again = house.chance.choice([None, 0, 1])
            self.acts += [
                ("notification", "object_to", REPORTER, WHY),
                *self.to_the_answer(house.chance, again, DETOURS[1:]),
            ]
        if house.chance.random() < 0.3:
            self.withdraw_before(house.chance.randrange(len(self.acts)), house.chance)
        self.ask_now_and_then(house.chance)

    def ask_now_and_then(self, chance):
        """Ask the reporter before some acts of a desk. Some questions are answered; others lapse, or are overtaken."""
        found, number, kept = [], 0, False
        for stage, command, actor, *args in self.acts:
            kept = (kept or command == "keep") and command != "object_to"
            asks = command in ("hand_over", "classify_as_information", "forward", "respond", "approve", "decline")
            if asks and not kept and chance.random() < 0.3:
                number += 1
                text = f"Pertanyaan {number}?"
                found.append((stage, "ask", actor, text))
                chosen = chance.random()
                if chosen < 0.6:
                    found.append(("notification", "answer_question", REPORTER, text))
                elif chosen < 0.75 and (stage != "opd_response" or "respond" not in {each[1] for each in found}):
                    self.acts = [*found, (stage, "abandon", actor, WHY)]
                    return
            found.append((stage, command, actor, *args))
        self.acts = found

    def withdraw_before(self, place, chance):
        """Withdraw the report before one of its acts. Where it is with Tim Utama then, it may go on."""
        stage, command, *_ = self.acts[place]
        if command in ("confirm_receipt", "rate", "object_to"):
            return
        goes_on = stage == "triage" and command not in ("recall", "grant_time", "part") and chance.random() < 0.7
        kept = [("triage", "keep", MAIN_TEAM, WHY), *self.acts[place:]] if goes_on else []
        self.acts[place:] = [("intake", "withdraw", REPORTER, WHY), *kept]

    def to_the_answer(self, chance, returns, detours=DETOURS):
        """Return the acts from step 3 to the answer; the case may come back to step 3 several times before."""
        found = []
        while chance.random() < 0.4:
            detour = chance.choice(detours)
            # One more response may be kept on the way to the answer.
            if GATHER not in detour or found.count(GATHER) < MOST_GATHERED - 1:
                found += detour
        responses = [
            ("opd_response", "respond", OPD_TEAM, "Tanggapan."),
            ("triage", "return_response", MAIN_TEAM, "Lengkapi."),
        ] * ((returns or 0) + 1)
        found += (
            [("triage", "classify_as_information", MAIN_TEAM)]
            if returns is None
            else [
                FORWARD,
                *responses[:-1],
                *chance.choice([[APPROVE]] * 7 + [[GATHER, BESIDE, APPROVE], [GATHER, DECLINE_BESIDE, CONCLUDE]]),
            ]
        )
        return [*found, ("notification", "send_answer", OPERATOR, "Jawaban.")]

    @property
    def kept_on(self):
        """The (forwarding, round) under which a case at the OPD's desk goes on after a withdrawal."""
        return {
            (event.data.forwarding, event.data.round)
            for _, event in self.house.told
            if event.type == KEPT and event.subject == self.ticket
        }

    @property
    def awaited(self):
        """Return (stage, ticket) of the next act, whose events must be delivered before it."""
        return self.acts[0][0], self.ticket

    def saw(self, timed):
        step, forwarding, round_ = run_of(timed)
        if step == 4 and (forwarding, round_) in self.kept_on:
            # A case that goes on after a withdrawal has the last clock of the case that ended with it.
            return
        self.seen[step, forwarding, round_] = kept(timed)
        self.promised.add((timed.step == steps.RESPOND, timed.service_due_at, timed.service_calendar))
        if timed.step == steps.RECEIVE:
            # A row at step 7 keeps of step 6 only when the answer was sent.
            self.seen[6, forwarding, 0] = (*self.seen[6, forwarding, 0][:3], timed.sent_at)

    def act(self):
        """Return the next act, as (command, actor, *arguments)."""
        if self.ticket is None:
            return "submit", REPORTER, REPORT
        _, command, actor, *args = self.acts.pop(0)
        self.done.add(command)
        if command == "answer_question":
            args = [self.asked(*args).number, "Jawaban pelapor."]
        return command, actor, self.ticket, *(self.first if each == FIRST else each for each in args)

    def asked(self, text):
        """Return the question with this text: the order in which questions arrive decides their numbers."""
        with self.house.services["notification"].uow.reading() as work:
            (found,) = (each for each in work.questions.of([self.ticket])[self.ticket] if each.text == text)
        return found


class Crowd:
    """Journeys side by side, so that timers, calendar changes and event batches affect several at once."""

    def __init__(self, house, size):
        self.house, self.chance = house, house.chance
        house.now = some_instant(self.chance).astimezone(UTC)
        first = house.do("intake", "submit", REPORTER, REPORT)["ticket"]
        house.do("intake", "hand_over", OPERATOR, first)
        house.settle()
        self.walks = [Walk(house, self.chance.choice([None, None, 0, 0, 0, 1, 1, 3]), first) for _ in range(size)]

    def pass_time(self):
        """Advance the time, with alarm timers running meanwhile and perhaps a change of the calendar."""
        until = self.later()
        for moment in sorted(self.chance.uniform(0, 1) for _ in range(self.chance.randrange(3))):
            self.house.raise_alarms(self.house.now + (until - self.house.now) * moment)
        if self.chance.random() < 0.25:
            self.change_calendar()
        self.house.now = until
        if self.chance.random() < 0.5:
            self.house.services["notification"].end_questions()
            self.house.collect()
        for service in self.house.services.values():
            service.calendars.forget_newest()

    def later(self):
        until = self.house.now + some_pause(self.chance)
        edge = datetime.combine(until.astimezone(WIB).date(), self.chance.choice(EDGES), WIB)
        return max(self.house.now, edge.astimezone(UTC)) if self.chance.random() < 0.3 else until

    def change_calendar(self):
        with self.house.services["intake"].uow.reading() as work:
            newest = work.calendars.newest()
        self.house.do(
            "intake",
            "replace_calendar",
            ADMIN,
            newest,
            write_calendar(some_calendar(self.chance, newest + 1)) | {"national_years": []},
        )

    def to_its_end(self):
        while going := [walk for walk in self.walks if walk.acts]:
            self.pass_time()
            self.give_up_late_objections(going)
            going = [walk for walk in going if walk.acts]
            acting = self.chance.sample(going, self.chance.randint((len(going) + 1) // 2, len(going)))
            self.house.deliver(
                some=0.5, awaited={walk.awaited for walk in acting}, together=self.chance.choice([1, *[BATCH_SIZE] * 9])
            )
            acting = self.without_open_questions(self.without_late_answers(acting))
            desks = {walk.awaited[0] for walk in acting}
            # Looked at before the act too, because an answer's row no longer shows step 6 once it is at step 7.
            # And a case of Tim Utama's that was withdrawn has another clock as soon as it goes on.
            self.look(desks & {"notification", "triage"}, acting)
            self.act(acting, self.chance.choice([1, *[CROWD] * 9]))
            self.house.collect()
            self.look(desks, acting)
        # What is consumed now may make a stage publish once more.
        self.house.deliver(together=BATCH_SIZE)
        self.house.collect()
        self.house.settle()
        self.look(STAGES, self.walks)

    def give_up_late_objections(self, going):
        """End the journeys whose reporter has waited too long to object."""
        objecting = {walk.ticket: walk for walk in going if walk.acts[0][1] == "object_to"}
        for answer in self.house.held("notification", objecting):
            calendar = self.house.services["notification"].calendars.get(answer.calendar)
            if self.house.now > calendar.due(answer.sent_at, OBJECTED_WITHIN_MINUTES):
                objecting[answer.ticket].acts.clear()

    def without_late_answers(self, acting):
        """Return the journeys that can act now; the others' reporters did not answer in time, and so do not answer."""
        late = [
            walk
            for walk in acting
            if walk.acts[0][1] == "answer_question" and self.house.now >= walk.asked(walk.acts[0][3]).lapses_at
        ]
        for walk in late:
            walk.acts.pop(0)
        return [walk for walk in acting if walk not in late]

    def without_open_questions(self, acting):
        """Return the journeys that can act now: a desk closes a report only when its question has lapsed."""
        closing = {walk.ticket: walk.acts[0][0] for walk in acting if walk.acts[0][1] == "abandon"}
        last = {}
        for stage in {*closing.values()}:
            for case in sorted(self.house.held(stage, closing), key=lambda case: case.about_forwarding):
                last[stage, case.ticket] = case
        waiting = [ticket for ticket, stage in closing.items() if not last[stage, ticket].lapsed]
        return [walk for walk in acting if walk.ticket not in waiting]

    def act(self, acting, together):
        """Carry out the next step of each journey, up to `together` of a stage in one transaction."""
        at = {stage: [walk for walk in acting if walk.awaited[0] == stage] for stage in STAGES}
        for stage, walks in at.items():
            for some in (walks[first : first + together] for first in range(0, len(walks), together)):
                for walk, given in zip(some, self.house.commands(stage, [walk.act() for walk in some]), strict=True):
                    walk.ticket = given["ticket"]

    def look(self, stages, at):
        walks = {walk.ticket: walk for walk in at if walk.ticket}
        for stage in stages:
            for timed in sorted(self.house.held(stage, walks), key=lambda timed: timed.about_forwarding):
                walks[timed.ticket].saw(timed)


def recorded(house, ticket):
    """Return (facts, calendars, questions) of a journey from the record that the admin gets, and from nothing else."""
    record = house.command("notification", "record", ADMIN, ticket)
    (journey,) = record["journeys"]
    facts = [
        Fact(
            fact["type"],
            datetime.fromisoformat(fact["at"]),
            fact["round"],
            fact["calendar"],
            fact["forwarding"],
            fact["cycle"],
            fact["days"],
        )
        for fact in journey["facts"]
    ]
    return (
        facts,
        {int(version): _read(int(version), json.dumps(content)) for version, content in record["calendars"].items()},
        [
            Question(
                asked["step"],
                asked["forwarding"],
                asked["round"],
                datetime.fromisoformat(asked["at"]),
                asked["ended_at"] and datetime.fromisoformat(asked["ended_at"]),
            )
            for asked in journey["questions"]
        ],
    )


@cache
def _read(version, content):
    return read_calendar(json.loads(content), version)


def alarms_told(house):
    """Return {ticket: Counter of its alarms}."""
    told = defaultdict(Counter)
    for _, event in house.told:
        if event.type in ("step.due_soon.v1", "step.overdue.v1"):
            told[event.subject][event.type, event.data.step, event.data.forwarding, event.data.round] += 1
    return told


@pytest.mark.parametrize("share", range(SHARES))
def test_the_clocks_counted_from_the_record_are_those_the_stages_kept(share, url_of, monkeypatch):
    is_sqlite = url_of("intake").startswith("sqlite")
    seed = SEED + share + (0 if is_sqlite else BESIDE_SQLITE)
    with house(url_of, random.Random(seed)) as stages:
        # Stages check for a newer calendar whenever time has passed, instead of at each command.
        monkeypatch.setattr("nkk.desk.calendars.FRESH_SECONDS", 3_600.0)
        monkeypatch.setenv("NKK_QUESTION_DAYS", "1")
        journeys = THROUGH_SQLITE if is_sqlite else THROUGH_POSTGRESQL
        versions, ended, done = set(), Counter(), set()
        size = min(CROWD, journeys // SHARES)
        for _ in range(journeys // SHARES // size):
            stages.told.clear()
            crowd = Crowd(stages, size)
            crowd.to_its_end()
            alarms = alarms_told(stages)
            ended.update(event.type for _, event in stages.told if event.type.startswith("question."))
            ended.update(event.type for _, event in stages.told if event.type == ABANDONED)
            done.update(*(walk.done for walk in crowd.walks))
            for walk in crowd.walks:
                facts, calendars, questions = recorded(stages, walk.ticket)
                assert expected(facts, calendars.__getitem__, questions) == walk.seen
                versions |= set(calendars)

                ordered, _ = in_order(facts)
                promised = {
                    (service_due(first.begins_at, calendars[first.calendar]), first.calendar)
                    for first, _ in services(ordered)
                }
                # The OPD's desk receives the day only, and so has an answer's case until the submission is consumed.
                to_the_day = {
                    (is_opd, end_of_day(due), calendar) for due, calendar in promised for is_opd in (True, False)
                }
                assert walk.promised - to_the_day == {(False, due, calendar) for due, calendar in promised}
                for answer in stages.held("notification", [walk.ticket]):
                    assert (answer.service_due_at, answer.service_calendar) in promised

                # In the end each late run, and no other, has one overdue alarm, by the timer or by its act. Of one that
                # another desk ended meanwhile, the alarm may have come before this was known, or not at all.
                elsewhere = {
                    (run.step.number, run.forwarding, run.round)
                    for run in clocks(facts, calendars.__getitem__, questions)
                    if run.ended_by in (WITHDRAWN, RECALLED, ABANDONED)
                }
                told = alarms[walk.ticket]
                late = {
                    (run.step.number, run.forwarding, run.round)
                    for run in clocks(facts, calendars.__getitem__, questions)
                    if run.done_at and run.late(run.done_at)
                }
                raised = {tuple(run) for type_, *run in told if type_ == "step.overdue.v1"}
                # A run that got more time has its alarms once for each of its due times, also where it turned out later
                # that the report had been withdrawn before.
                moved = {
                    (steps.RESPOND.number, fact.forwarding, fact.round)
                    for fact in facts
                    if fact.type == GRANTED and fact.days
                }
                for alarm, count in told.items():
                    assert count <= 1 + (alarm[1:] in moved), (alarm, count, moved)
                assert raised - elsewhere - moved == late - elsewhere - moved
                assert raised - elsewhere >= late - elsewhere
        assert len(versions) > 1
        assert len(ended) == 4
        assert LONG or done == EVERY_ACT


@pytest.mark.long
def test_a_seed_repeats_a_crowd_of_journeys(tmp_path):
    def told(folder):
        folder.mkdir()
        with house(lambda stage: f"sqlite:///{folder}/{stage}.db", random.Random(7)) as stages:
            Crowd(stages, 8).to_its_end()
            return [(stage, event.type, event.id, event.subject, event.time) for stage, event in stages.told]

    assert told(tmp_path / "first") == told(tmp_path / "second")


# -- through the domains alone


def event_of(data, at):
    return Event("event", data.TYPE, "source", data.subject, at, None, data)


class Facts:
    """The recorded facts of one journey, and the clocks that its domain objects kept."""

    def __init__(self, chance, calendars):
        self.chance, self.calendars = chance, calendars
        self.now = some_instant(chance)
        self.facts, self.questions, self.kept, self.promised = [], [], {}, set()

    def record(self, data, done=None, calendar=0):
        at = self.now.astimezone(UTC)
        self.facts.append(Fact(data.TYPE if hasattr(data, "TYPE") else data, at, getattr(data, "round", 0), calendar))
        self.keep(done)

    def keep(self, timed):
        if timed is not None:
            self.kept[run_of(timed)] = kept(timed)
            self.promised.add((timed.step == steps.RESPOND, timed.service_due_at))

    def later(self):
        self.now += some_pause(self.chance)
        return self.now, self.chance.choice(self.calendars)

    def ask_about(self, case):
        """Let the desk of `case` ask the reporter a few times; the last answer may begin to count after the step."""
        while self.chance.random() < 0.3:
            asked_at, _ = self.later()
            run = case.step.number, case.about_forwarding, case.about_round
            case.ask(f"question-{len(self.questions)}", asked_at)
            now, _ = self.later()
            ended_at = self.chance.choice([None, now, day_after(now)])
            self.questions.append(Question(*run, asked_at.astimezone(UTC), ended_at))
            if ended_at is None:
                return
            case.question_ended(case.question, ended_at, self.calendars[case.calendar])
            # Two questions of a desk are never asked at one instant.
            self.now += timedelta(microseconds=1)


def walked(chance, calendars, returns):
    """Return a journey through the domain objects of the four stages, each clock by a calendar of its own."""
    way = Facts(chance, calendars)
    now, calendar = way.later()
    report = intake_domain.Complaint.submit(complaint_form(), "reporter-1", "public", now, calendar)
    way.record("complaint.submitted.v2", report, calendar.version)
    way.ask_about(report)
    now, calendar = way.later()
    report.hand_over("staff", now)
    handed_over = intake._handed_over(report, calendar)
    way.record(handed_over, report, calendar.version)
    case = triage._case(event_of(handed_over, now), calendar)
    way.keep(case)
    way.ask_about(case)
    now, calendar = way.later()
    if returns is None:
        case.classify_as_information(now)
        comes = ComplaintClassifiedAsInformation(
            ticket=case.ticket, note=None, service_due_at=case.service_due_at, calendar=calendar.version, by="staff"
        )
    else:
        case.forward(OPD, now)
        forwarded = triage._forwarded(case, None, "staff", calendar)
        way.record(forwarded, case, calendar.version)
        desk = opd_response._case(event_of(forwarded, now), calendar)
        for round_ in range(1, returns + 2):
            way.keep(desk)
            way.ask_about(desk)
            now, calendar = way.later()
            desk.respond("Tanggapan.", now)
            way.facts.append(Fact("response.submitted.v1", now.astimezone(UTC), round_, calendar.version))
            way.keep(desk)
            case.receive("Tanggapan.", round_, now, calendar)
            way.keep(case)
            way.ask_about(case)
            now, calendar = way.later()
            if round_ <= returns:
                case.return_response(now)
                way.facts.append(Fact("response.returned.v1", now.astimezone(UTC), round_, calendar.version))
                way.keep(case)
                desk.returned(round_, "Lengkapi.", now, calendar)
        case.approve(now)
        comes = ResponseApproved(
            ticket=case.ticket,
            opd=OPD,
            round=returns + 1,
            text="Tanggapan.",
            note=None,
            service_due_at=case.service_due_at,
            calendar=calendar.version,
            by="staff",
        )
    way.record(comes, case, calendar.version)
    answer = notification._answer(event_of(comes, now), calendar, Path.COMPLAINT, None)
    way.keep(answer)
    now, calendar = way.later()
    answer.send("Jawaban.", now, calendar)
    way.kept[6, 1, 0] = (*way.kept[6, 1, 0][:3], answer.sent_at)
    way.record("answer.sent.v1", answer, calendar.version)
    now, calendar = way.later()
    answer.confirm(now)
    way.record("complaint.closed.v1", answer)
    return way


@pytest.mark.parametrize("returns", [None, 0, 1, 2, 3])
def test_random_journeys_have_the_clocks_that_follow_from_their_facts(returns):
    chance = random.Random(SEED + (returns or 0))
    paths = 5
    for number in range(THROUGH_DOMAINS // paths):
        if number % 100 == 0:
            calendars = [some_calendar(chance, version) for version in range(4)]
        way = walked(chance, calendars, returns)
        chance.shuffle(way.facts)
        chance.shuffle(way.questions)
        assert expected(way.facts, calendars.__getitem__, way.questions) == way.kept
        submitted = next(fact for fact in way.facts if fact.type == "complaint.submitted.v2")
        due = service_due(submitted.at, calendars[submitted.calendar])
        assert way.promised - {(True, end_of_day(due))} == {(False, due)}
