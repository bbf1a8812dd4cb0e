"""Migrations from the first release, before calendars: rows keep their clocks, and the downgrade restores them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import MetaData, create_engine, insert, inspect, select, text, update

from nkk.sop.clock import OFFICE_HOURS
from nkk.sop.steps import RECEIVE
from nkk.store.database import Database
from nkk.store.migrations import differences, downgrade, upgrade
from nkk.store.pruning import prune
from nkk.store.work import UnitOfWork
from nkk.trust.actor import Actor
from services.intake.storage import accounts
from services.notification.entries import Entry
from tests.builders import answer, complaint, opd_case, triage_case
from tests.stages import STORAGES, WORKS

ROOT = Path(__file__).parents[2] / "services"
CAME = datetime(2026, 3, 2, 1, 0, 0, 123456, tzinfo=UTC)
DUE, DONE, SENT, CLOSED, PROMISED = (CAME + timedelta(minutes=minutes) for minutes in (10, 20, 30, 40, 1_500))

REPORT = {
    "category": "kode-perilaku",
    "sub_category": "disiplin",
    "subject_line": "Loket",
    "text": "Loket ditutup.",
    "place": None,
    "happened_on": None,
    "accused_name": None,
    "accused_position": None,
    "accused_opd": None,
}
CLOCK = {"came_at": CAME, "due_at": DUE, "service_due_at": PROMISED}


class Old:
    """A stage's database at revision 0001 with `rows`, given as {table: [row]}."""

    def __init__(self, stage, url, rows):
        self.stage, self.url, self.folder = stage, url, ROOT / stage / "migrations"
        upgrade(self.folder, url, "0001")
        self.database = Database(url, size=5)
        tables = self._tables()
        with self.database.writing() as connection:
            for name, held in rows.items():
                for row in held:
                    connection.execute(tables[name].insert().values(self._written(tables[name], row)))
        self.before = self.held()

    def _tables(self):
        found = MetaData()
        engine = create_engine(self.database.engine.url)
        with engine.connect() as connection:
            found.reflect(connection)
        engine.dispose()
        return found.tables

    def _written(self, table, row):
        naive = self.database.is_sqlite
        return {
            name: value.astimezone(UTC).replace(tzinfo=None) if naive and isinstance(value, datetime) else value
            for name, value in ({column.name: None for column in table.columns} | row).items()
        }

    def held(self):
        """Return {table: rows}, without the tables of messaging and Alembic."""
        tables = self._tables()
        with self.database.reading() as connection:
            return {
                name: sorted(map(repr, connection.execute(select(table)).mappings()))
                for name, table in tables.items()
                if name not in ("inbox", "outbox", "alembic_version")
            }

    def upgraded(self):
        """Upgrade it to the newest revision; return a unit of work on it."""
        upgrade(self.folder, self.url)
        assert differences(STORAGES[self.stage].metadata, self.url) == []
        return UnitOfWork(self.database, WORKS[self.stage], self.stage)

    def taken_back(self):
        """Downgrade it to 0001; return its rows."""
        downgrade(self.folder, self.url, "0001")
        return self.held()


@pytest.fixture
def old(url_of):
    made = []

    def make(stage, **rows):
        made.append(Old(stage, url_of(stage), rows))
        return made[-1]

    yield make
    for one in made:
        one.database.dispose()


def ticket(letter):
    return f"NKK-2026-{letter * 4}-0000"


def clock_of(timed):
    return timed.came_at, timed.due_at, timed.done_at, timed.tell_at, timed.calendar


def test_reports_keep_when_they_came_and_were_handed_over_and_the_open_ones_get_an_alarm(old):
    known = {
        "reporter_id": "r",
        "reporter_kind": "public",
        "claimed_kind": "complaint",
        "confidential": False,
        **REPORT,
        "submitted_at": CAME,
        "due_at": DUE,
        "service_due_at": PROMISED,
    }
    intake = old(
        "intake",
        accounts=[
            {
                "id": "r",
                "login_index": "i",
                "password_hash": "h",
                "role": "reporter",
                "failed_attempts": 0,
                "created_at": CAME,
            }
        ],
        complaints=[
            {"ticket": ticket("A"), **known},
            {"ticket": ticket("B"), **known, "handed_over_at": DONE, "handed_over_by": "staff"},
        ],
    )
    uow = intake.upgraded()
    with uow.reading() as work:
        waiting, done = (work.complaints.get(ticket(letter)) for letter in "AB")
        assert [item.ticket for item in work.complaints.open(None, 10)[0]] == [waiting.ticket]
        assert work.calendars.newest() == 0
    assert clock_of(waiting) == (CAME, DUE, None, DUE, 0)
    assert clock_of(done) == (CAME, DUE, DONE, None, 0)
    assert (done.submitted_at, done.handed_over_at, done.handed_over_by) == (CAME, DONE, "staff")
    assert intake.taken_back() == intake.before


CASES = {
    "awaiting_classification": None,
    "awaiting_approval": None,
    "awaiting_response": DONE,
    "classified_as_information": DONE,
    "approved": DONE,
}


def test_cases_of_tim_utama_keep_their_clocks_and_those_on_its_desk_get_an_alarm(old):
    known = {
        "reporter_kind": "public",
        "claimed_kind": "complaint",
        "confidential": False,
        **REPORT,
        **CLOCK,
        "submitted_at": CAME,
        "since": DONE,
        "round": 0,
    }
    triage = old(
        "triage",
        cases=[{"ticket": ticket("ABCDE"[number]), "state": state, **known} for number, state in enumerate(CASES)],
    )
    with triage.upgraded().reading() as work:
        found = {case.state: case for case in (work.cases.get(ticket(letter)) for letter in "ABCDE")}
        assert len(work.clocked.due_alarms(DUE + timedelta(seconds=1), 10)) == 2
    assert {state: clock_of(case) for state, case in found.items()} == {
        state: (CAME, DUE, done_at, None if done_at else DUE, 0) for state, done_at in CASES.items()
    }
    assert triage.taken_back() == triage.before


def test_cases_of_the_opd_teams_keep_their_clocks_and_those_awaiting_a_response_get_an_alarm(old):
    known = {"opd": "disdukcapil", **REPORT, **CLOCK, "since": DONE, "round": 0}
    desk = old(
        "opd_response",
        cases=[
            {"ticket": ticket("A"), "state": "awaiting_response", **known},
            {"ticket": ticket("B"), "state": "responded", **known},
        ],
    )
    with desk.upgraded().reading() as work:
        waiting, done = (work.cases.get(ticket(letter), Actor("staff-1", "opd_team", "disdukcapil")) for letter in "AB")
    assert clock_of(waiting) == (CAME, DUE, None, DUE, 0)
    assert clock_of(done) == (CAME, DUE, DONE, None, 0)
    assert desk.taken_back() == desk.before


ANSWERED = {"text": "Jawaban.", "sent_at": SENT, "lapses_at": PROMISED}
ANSWERS = [
    {"ticket": ticket("A"), "state": "awaiting_answer", "since": CAME},
    {"ticket": ticket("B"), "state": "answered", "since": SENT, **ANSWERED},
    {"ticket": ticket("C"), "state": "closed", "since": CLOSED, **ANSWERED, "closed_at": CLOSED, "how": "opened"},
]
ENTRIES = {
    "A": ["complaint.submitted.v1"],
    "B": ["complaint.submitted.v1", "response.approved.v1", "answer.sent.v1"],
    "C": ["complaint.submitted.v1", "response.approved.v1", "answer.sent.v1", "complaint.closed.v1"],
}
TO_ANSWER = CAME + timedelta(minutes=30)
TIMES = {
    "complaint.submitted.v1": CAME,
    "response.approved.v1": CAME,
    "answer.sent.v1": SENT,
    "complaint.closed.v1": CLOSED,
}


@pytest.fixture
def notification(old):
    return old(
        "notification",
        answers=[{"path": "complaint", **CLOCK, "due_at": TO_ANSWER, **row} for row in ANSWERS],
        journeys=[
            {"ticket": ticket(letter), "reporter_id": "r", "submitted_at": CAME, "service_due_at": PROMISED}
            for letter in "ABC"
        ],
        entries=[
            {"event_id": f"{letter} {type_}", "ticket": ticket(letter), "type": type_, "at": TIMES[type_], "round": 0}
            for letter, types in ENTRIES.items()
            for type_ in types
        ],
        messages=[
            {"id": "m", "ticket": ticket("A"), "kind": "received", "created_at": CAME, "next_try_at": CAME, "tries": 0}
        ],
        contacts=[{"reporter_id": "r", "sealed_contact": "kotak", "changed_at": CAME}],
    )


def test_answers_keep_what_was_sent_and_closed_and_the_open_ones_get_an_alarm(notification):
    with notification.upgraded().reading() as work:
        waiting, answered, closed = (work.answers.find(ticket(letter)) for letter in "ABC")
        assert [item.ticket for item in work.answers.open(None, 10)[0]] == [waiting.ticket]
        assert work.answers.lapsing(PROMISED, 10) == [answered.ticket]
    assert clock_of(waiting) == (CAME, TO_ANSWER, None, TO_ANSWER, 0)
    assert (answered.text, answered.sent_at, answered.lapses_at, answered.since) == ("Jawaban.", SENT, PROMISED, SENT)
    assert (answered.done_at, answered.tell_at) == (None, None)
    assert (closed.closed_at, closed.how, closed.done_at, closed.tell_at) == (CLOSED, "opened", CLOSED, None)
    assert notification.taken_back() == notification.before


def test_an_answer_sent_before_calendars_has_the_clock_that_its_facts_give_it(notification):
    with notification.upgraded().reading() as work:
        for letter in "BC":
            answer, journey = work.answers.find(ticket(letter)), work.journeys.get(ticket(letter))
            *_, clock = journey.clocks(lambda _: OFFICE_HOURS)
            assert clock.step == answer.step == RECEIVE
            assert (answer.came_at, answer.due_at, answer.done_at) == (clock.came_at, clock.due_at, clock.done_at)


def test_journeys_know_when_they_were_closed_and_which_are_still_owed_an_answer(notification):
    uow = notification.upgraded()
    with uow.reading() as work:
        open_, answered, closed = (work.journeys.get(ticket(letter)) for letter in "ABC")
        assert (open_.late_at, open_.closed_at) == (PROMISED, None)
        assert (answered.late_at, answered.closed_at) == (None, None)
        assert (closed.late_at, closed.closed_at) == (None, CLOSED)
        assert {entry.calendar for journey in (open_, answered, closed) for entry in journey.entries} == {0}
        assert [row.id for row in work.messages.due(CAME, 10)] == ["m"]
    with uow.begin() as work:
        assert work.journeys.to_apologise(PROMISED + timedelta(seconds=1), 10) == [ticket("A")]


def test_journeys_know_when_they_were_answered_and_after_how_many_office_minutes(notification):
    with notification.upgraded().reading() as work:
        found = [work.journeys.get(ticket(letter)) for letter in "ABC"]
    known = [(journey.answered_at, journey.answer_minutes) for journey in found]
    assert known == [(None, None), (SENT, 30), (SENT, 30)]


@pytest.mark.parametrize("stage", STORAGES)
def test_an_empty_stage_goes_up_back_and_up_again(old, stage):
    database = old(stage)
    database.upgraded()
    assert database.taken_back() == database.before
    database.upgraded()


def acted_on(work, stage):
    """Store what an act beside the path left at a stage, and the version before acts cannot hold or show."""
    if stage == "intake":
        work.connection.execute(
            insert(accounts).values(id="x", login_index="x", password_hash="x", role="reporter", created_at=CAME)
        )
        held = complaint()
        held.reporter_id = "x"
    else:
        held = {"triage": triage_case, "opd_response": opd_case, "notification": answer}[stage]()
    held.end("withdrawn", CAME, "Sudah selesai.")
    work.clocked.add(held)
    if stage == "opd_response":
        work.clocked.add(opd_case(forwarding=2))
    if stage == "notification":
        work.journeys.note(Entry(event_id="x", ticket=held.ticket, type="complaint.withdrawn.v1", at=CAME))
    return held.ticket


@pytest.mark.parametrize("stage", STORAGES)
def test_a_stage_with_a_case_that_the_version_before_acts_cannot_hold_does_not_go_back(old, stage):
    database = old(stage)
    with database.upgraded().begin() as work:
        acted_on(work, stage)
    held = database.held()
    with pytest.raises(RuntimeError, match="version before"):
        database.taken_back()
    assert database.held() == held


def test_notification_does_not_go_back_with_a_rating_that_the_version_before_does_not_count(old):
    notification = old("notification")
    with notification.upgraded().begin() as work:
        work.clocked.add(answer(first_rating=4, first_rated_at=CAME))
    held = notification.held()
    with pytest.raises(RuntimeError, match="does not count"):
        notification.taken_back()
    assert notification.held() == held


def test_a_partial_index_follows_its_renamed_column(old):
    intake = old("intake")
    with intake.upgraded().reading() as work:
        indexes = {index["name"]: index for index in inspect(work.connection).get_indexes("complaints")}
        assert {"ix_complaints_waiting", "ix_complaints_own", "ix_complaints_alarm"} <= set(indexes)
        if intake.database.is_sqlite:
            plan = work.connection.execute(
                text("EXPLAIN QUERY PLAN SELECT * FROM complaints WHERE done_at IS NULL ORDER BY due_at, ticket")
            ).all()
            assert any("ix_complaints_waiting" in str(row) for row in plan)


def test_what_was_told_and_heard_before_is_there_is_published_to_those_who_hear_of_it_now_and_goes_in_time(old):
    told = {"exchange": "notification.events", "body": "{}", "mandatory": False, "created_at": CAME, "sent_at": CAME}
    notification = old(
        "notification",
        outbox=[
            told | {"id": 1, "event_id": "1", "type": "answer.sent.v1", "subject": ticket("A")},
            told | {"id": 2, "event_id": "2", "type": "complaint.closed.v1", "subject": ticket("A")},
            told | {"id": 3, "event_id": "3", "type": "answer.sent.v1", "subject": ticket("B")},
        ],
        inbox=[{"consumer": "notification", "event_id": "heard", "handled_at": CAME}],
    )
    uow = notification.upgraded()
    with uow.begin() as work:
        assert work.republish_closings(10) == [(ticket("A"), CAME)]
        assert work.unsent()[0] == 1
        work.close(ticket("A"), CAME)
    with uow.begin() as work:
        work.connection.execute(update(work.OUTBOX).values(sent_at=DONE))
    with uow.begin() as work:
        prune(work, CAME + timedelta(days=91), timedelta(days=90))
        assert work.connection.execute(select(work.OUTBOX.c.event_id)).scalars().all() == ["3"]
        assert work.connection.execute(select(work.INBOX.c.event_id, work.INBOX.c.ticket)).all() == [("heard", None)]
    assert notification.taken_back() == notification.before
    with notification.database.reading() as connection:
        assert connection.execute(text("SELECT event_id FROM outbox")).scalars().all() == ["3"]


def test_events_of_before_reach_the_tools_of_their_opd_where_they_give_no_exact_time(old):
    told = {
        "exchange": "triage.events",
        "mandatory": False,
        "created_at": CAME,
        "sent_at": CAME,
        "subject": ticket("A"),
    }
    types = {
        "complaint.forwarded.v1": "dinas",
        "response.returned.v1": "dinas",
        "response.approved.v1": "dinas",
        "step.overdue.v1": None,
        "complaint.classified_as_information.v1": "none named",
    }
    bodies = {type_: {"data": {} if opd == "none named" else {"opd": opd}} for type_, opd in types.items()}
    triage = old(
        "triage",
        outbox=[
            told | {"id": number + 1, "event_id": str(number), "type": type_, "body": json.dumps(body)}
            for number, (type_, body) in enumerate(bodies.items())
        ],
    )
    with triage.upgraded().reading() as work:
        outbox = work.OUTBOX
        found = {row.type: row.opd for row in work.connection.execute(select(outbox.c.type, outbox.c.opd))}
    assert found == dict.fromkeys(types) | {"response.returned.v1": "dinas"}
    assert triage.taken_back() == triage.before
