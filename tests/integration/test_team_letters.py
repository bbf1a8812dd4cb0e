"""Letters about deadlines: to teams in office hours only, and never once they are out of date."""

import uuid
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from types import SimpleNamespace

import pytest
from sqlalchemy import func, insert, select, update

from nkk.desk import KeptCalendars
from nkk.sop.calendar import write_calendar
from nkk.sop.clock import OFFICE_HOURS, WIB, Day
from nkk.sop.ticket import new_ticket
from nkk.store.database import Database
from nkk.trust.sealing import new_key_pair, seal
from services.notification import mail
from services.notification.keyed import Keyed
from services.notification.postboxes import Pace
from services.notification.storage import Contacts, Messages, calendars, entries, journeys, messages, metadata, teams
from tests.builders import MONDAY
from tests.letters import Outbox, sender_of

KEYS = new_key_pair()
KEYED = Keyed(KEYS[0])
TEAM, SUPERIOR, REPORTER = "operator@example.org", "kabid@example.org", "pelapor@example.org"
NIGHT, MORNING = datetime(2026, 3, 2, 22, 0, tzinfo=WIB), datetime(2026, 3, 3, 7, 30, tzinfo=WIB)


@pytest.fixture
def clock() -> SimpleNamespace:
    """Return the mailer's clock, which stands still until it is set."""
    return SimpleNamespace(at=MONDAY)


@pytest.fixture
def database(url_of) -> Iterator[Database]:
    found = Database(url_of("notification"), size=5)
    metadata.create_all(found.engine)
    with found.writing() as connection:
        connection.execute(insert(teams).values(team="operator", email=TEAM, superior_email=SUPERIOR))
        Contacts(connection).keep(KEYED.reporter("r"), seal({"email": REPORTER}, KEYS[1]), MONDAY)
    yield found
    found.dispose()


@pytest.fixture
def sent() -> Outbox:
    """Return the letters that were sent."""
    return Outbox()


@pytest.fixture
def mailer(sent: Outbox, clock: SimpleNamespace) -> mail.Mailer:
    sending = mail.Mailer(lambda: clock.at)
    sending._key, sending._keyed, sending._pace = KEYS[0], KEYED, Pace(KEYED, 12)
    sending._site, sending._from = "https://nkk.example.id", sender_of("nkk@example.id")
    sending._sender = partial(nullcontext, sent.send)
    return sending


def put(database, *kinds, ticket=None, at=MONDAY, stands=("complaint.submitted.v2",)):
    """Write letters of `kinds` about a new complaint with the events `stands`; return its ticket."""
    ticket = ticket or new_ticket(2026)
    with database.writing() as connection:
        connection.execute(
            insert(journeys).values(
                ticket=ticket,
                sealed_reporter=KEYED.seal_reporter(ticket, "r"),
                submitted_at=MONDAY,
                service_due_at=MONDAY + timedelta(days=2),
            )
        )
        for type_ in stands:
            hear(connection, ticket, type_)
        for kind in kinds:
            about = (
                {"team": "operator", "step": 2, "round": 0, "due_at": MONDAY}
                if kind.startswith(("due", "overdue"))
                else {}
            )
            connection.execute(
                insert(messages).values(
                    id=str(uuid.uuid4()), ticket=ticket, kind=kind, created_at=at, next_try_at=at, tries=0, **about
                )
            )
    return ticket


def hear(connection, ticket, type_):
    connection.execute(
        insert(entries).values(event_id=str(uuid.uuid4()), ticket=ticket, type=type_, at=MONDAY, round=0)
    )


def keep(database, calendar):
    with database.writing() as connection:
        kept = KeptCalendars(connection, calendars)
        kept.keep(kept.newest() + 1, write_calendar(calendar), MONDAY, "admin")


def to(letters):
    return sorted(letter["To"] for letter in letters)


def rows(database):
    with database.reading() as connection:
        return connection.execute(select(messages)).all()


def test_a_late_step_is_written_of_to_its_team_and_the_teams_superior(database, mailer, sent):
    put(database, "overdue", "overdue_superior")
    assert [mailer.send_batch(database) for _ in range(2)] == [2, 0]
    assert to(sent) == [SUPERIOR, TEAM]
    for letter in sent:
        assert "2 (Menerima input pengaduan" in letter["Subject"]
        assert "Senin, 2 Maret 2026 pukul 08.00 WIB" in letter.get_content()


def test_a_letter_to_a_team_waits_for_the_offices_to_open_and_a_reporters_does_not(database, mailer, sent, clock):
    put(database, "overdue", "overdue_superior", "received", at=NIGHT)
    clock.at = NIGHT
    mailer.send_batch(database)
    assert to(sent) == [REPORTER]
    waiting = [row for row in rows(database) if row.sent_at is None]
    assert {(row.next_try_at, row.tries) for row in waiting} == {(MORNING, 0)}
    clock.at = MORNING - timedelta(microseconds=1)
    assert mailer.send_batch(database) == 0
    clock.at = MORNING
    mailer.send_batch(database)
    assert to(sent) == [SUPERIOR, TEAM, REPORTER]


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-03-02T12:00", "2026-03-02T13:00"),
        ("2026-03-02T16:00", "2026-03-03T07:30"),
        ("2026-03-06T16:30", "2026-03-09T07:30"),
        ("2026-03-18T23:59", "2026-03-23T07:30"),
        ("2026-03-19T10:00", "2026-03-23T07:30"),
    ],
)
def test_a_letter_to_a_team_leaves_in_no_break_night_weekend_or_holiday(database, mailer, sent, clock, at, opens):
    holidays = replace(OFFICE_HOURS, days={date(2026, 3, 19): Day("Nyepi"), date(2026, 3, 20): Day("Cuti bersama")})
    put(database, "due_soon")
    keep(database, holidays)
    clock.at = datetime.fromisoformat(at).replace(tzinfo=WIB)
    mailer.send_batch(database)
    assert [row.next_try_at for row in rows(database)] == [datetime.fromisoformat(opens).replace(tzinfo=WIB)]
    assert sent == []


def test_a_letter_to_a_team_goes_by_the_calendar_of_this_moment(database, mailer, sent):
    put(database, "due_soon")
    mailer.send_batch(database)
    keep(database, replace(OFFICE_HOURS, days={MONDAY.date(): Day("Ditutup mendadak")}))
    put(database, "overdue")
    mailer.send_batch(database)
    assert len(sent) == 1
    assert [row.kind for row in rows(database) if row.sent_at is None] == ["overdue"]


@pytest.mark.parametrize("kind", ["due_soon", "overdue", "overdue_superior"])
def test_a_letter_about_a_step_that_was_done_meanwhile_is_dropped(database, mailer, sent, kind):
    put(database, kind, stands=["complaint.submitted.v2", "complaint.handed_over.v1"])
    mailer.send_batch(database)
    assert (sent, rows(database)) == ([], [])


def test_a_letter_that_waited_for_the_morning_is_dropped_where_the_step_was_done_in_the_night(
    database, mailer, sent, clock
):
    ticket = put(database, "overdue")
    clock.at = NIGHT
    mailer.send_batch(database)
    with database.writing() as connection:
        hear(connection, ticket, "complaint.handed_over.v1")
    clock.at = MORNING
    mailer.send_batch(database)
    assert (sent, rows(database)) == ([], [])


@pytest.mark.parametrize(("kind", "heard"), [("late", "answer.sent.v1"), ("reminder", "complaint.closed.v1")])
def test_a_letter_to_a_reporter_that_came_too_late_is_dropped(database, mailer, sent, kind, heard):
    put(database, kind, stands=[heard])
    mailer.send_batch(database)
    assert (sent, rows(database)) == ([], [])


@pytest.mark.parametrize(
    ("kind", "heard"),
    [
        ("late", "complaint.forwarded.v1"),
        ("reminder", "answer.sent.v1"),
        ("received", "complaint.closed.v1"),
        ("answered", "complaint.closed.v1"),
    ],
)
def test_a_letter_to_a_reporter_that_is_still_true_leaves_at_any_hour(database, mailer, sent, clock, kind, heard):
    put(database, kind, stands=[heard])
    clock.at = NIGHT
    mailer.send_batch(database)
    assert to(sent) == [REPORTER]


def test_a_letter_to_a_team_whose_address_was_taken_away_is_given_up_and_stops_no_other(database, mailer, sent):
    put(database, "overdue_superior", "overdue")
    with database.writing() as connection:
        connection.execute(update(teams).values(superior_email=None))
    mailer.send_batch(database)
    assert to(sent) == [TEAM]
    with database.reading() as connection:
        assert Messages(connection).counts() == (0, 1)


def test_letters_that_wait_for_the_morning_do_not_hold_up_those_behind_them(database, mailer, sent, clock):
    for _ in range(mail.BATCH + 2):
        put(database, "overdue")
    put(database, "received", at=MONDAY + timedelta(seconds=1))
    clock.at = NIGHT
    # The mailer goes on without a pause as long as it finds letters.
    while mailer.send_batch(database):
        pass
    assert to(sent) == [REPORTER]


def test_a_letter_that_waited_out_a_long_holiday_is_tried_for_days_like_any_other(database, mailer, sent, clock):
    holidays = replace(
        OFFICE_HOURS, days={date(2026, 3, 3) + timedelta(days=number): Day("Idul Fitri") for number in range(9)}
    )
    put(database, "overdue", at=NIGHT)
    keep(database, holidays)
    clock.at = NIGHT
    mailer.send_batch(database)
    clock.at = datetime(2026, 3, 12, 7, 30, tzinfo=WIB)

    def away(_message):
        raise ConnectionRefusedError

    mailer._sender = partial(nullcontext, away)
    mailer.send_batch(database)
    (row,) = rows(database)
    assert (row.tries, row.given_up_at) == (1, None)
    clock.at += timedelta(hours=1)
    mailer._sender = partial(nullcontext, sent.send)
    mailer.send_batch(database)
    assert to(sent) == [TEAM]


@pytest.mark.parametrize(("days_off", "given_up"), [(0, "2026-03-09T09:00"), (9, "2026-03-18T09:00")])
def test_a_letter_that_was_tried_in_vain_is_given_up_after_five_working_days(
    database, mailer, clock, days_off, given_up
):
    def away(_message):
        raise ConnectionRefusedError

    mailer._sender = partial(nullcontext, away)
    put(database, "overdue")
    off = {date(2026, 3, 3) + timedelta(days=number): Day("Idul Fitri") for number in range(days_off)}
    keep(database, replace(OFFICE_HOURS, days=off))
    clock.at = MONDAY + timedelta(hours=1)
    mailer.send_batch(database)
    # The mailer does not touch a letter before the time of its next try.
    while not rows(database)[0].given_up_at and clock.at < MONDAY + timedelta(days=30):
        due = rows(database)[0].next_try_at
        clock.at, before = due + timedelta(minutes=1), clock.at
        assert clock.at > before
        mailer.send_batch(database)
    (row,) = rows(database)
    assert timedelta() <= row.given_up_at - datetime.fromisoformat(given_up).replace(tzinfo=WIB) < timedelta(hours=2)


def test_what_waits_is_counted_until_it_is_sent_or_dropped(database, mailer, clock):
    put(database, "overdue", "due_soon")
    clock.at = NIGHT
    mailer.send_batch(database)
    with database.reading() as connection:
        assert Messages(connection).counts() == (2, 0)
        assert connection.execute(select(func.count()).select_from(messages)).scalar_one() == 2
