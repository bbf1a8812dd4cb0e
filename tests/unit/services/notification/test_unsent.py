"""What is shown of unsent letters, and to whom."""

import json
from datetime import UTC, datetime, timedelta
from inspect import unwrap
from types import SimpleNamespace

import pytest
import structlog
from sqlalchemy import insert, select, update

from nkk.sop.refusals import InvalidInput
from nkk.store.database import Database
from nkk.store.work import UnitOfWork
from nkk.trust.actor import Actor
from services.notification.service import NotificationService
from services.notification.storage import NotificationWork, journeys, messages, metadata, record
from services.notification.unsent import LooksAfterLetters
from tests.builders import TICKET
from tests.stages import methods

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
ADMIN, OPERATOR = Actor("command-line", "admin"), Actor("staff-operator", "operator")


@pytest.fixture
def woken():
    return []


@pytest.fixture
def service(tmp_path, woken):
    database = Database(f"sqlite:///{tmp_path}/notification.db", size=3)
    metadata.create_all(database.engine)
    service = NotificationService()
    service.uow = UnitOfWork(database, NotificationWork, "notification")
    service.mailer = SimpleNamespace(wake=lambda: woken.append("woken"))
    row = {"ticket": TICKET, "created_at": NOW, "next_try_at": NOW, "tries": 3}
    with database.writing() as connection:
        connection.execute(
            insert(journeys).values(
                ticket=TICKET, service_due_at=NOW, author="hash-of-author", sealed_reporter="box-of-id"
            )
        )
        for id_, changed in (
            ("waits", {"kind": "received", "why": "MAIL 553 5.7.1"}),
            ("gone", {"kind": "answered", "given_up_at": NOW, "why": "RCPT 550 5.1.1"}),
            ("team", {"kind": "overdue", "team": "operator", "given_up_at": NOW}),
            (
                "code",
                {
                    "kind": "password_reset",
                    "ticket": None,
                    "reporter": "hash-of-reporter",
                    "sealed_letter": "box-with-code",
                },
            ),
            ("lost", {"kind": "password_reset", "ticket": None, "given_up_at": NOW, "why": "RCPT 550 5.1.1"}),
            ("sent", {"kind": "received", "sent_at": NOW}),
            ("leaves", {"kind": "received", "sending_until": datetime.now(UTC) + timedelta(days=1)}),
        ):
            connection.execute(insert(messages).values(**row | {"id": id_} | changed))
    yield service
    database.dispose()


def ask(service, method, actor, *args):
    """Call the method as `actor`, without the check of the token."""
    return unwrap(getattr(NotificationService, method))(service, actor, *args)


def test_lists_say_what_keeps_a_letter_and_about_which_case_it_is_and_nothing_of_whose(service):
    waiting, given_up = (ask(service, "unsent_letters", ADMIN, which) for which in (False, True))
    assert {row["id"]: row["why"] for row in waiting["items"]} == {
        "waits": "MAIL 553 5.7.1",
        "code": None,
        "leaves": None,
    }
    assert {row["id"]: row["why"] for row in given_up["items"]} == {
        "gone": "RCPT 550 5.1.1",
        "lost": "RCPT 550 5.1.1",
        "team": None,
    }
    assert given_up["items"][0] == {
        "id": "gone",
        "ticket": TICKET,
        "kind": "answered",
        "team": None,
        "tries": 3,
        "why": "RCPT 550 5.1.1",
        "written_at": "2026-03-02T01:00:00.000000Z",
        "given_up_at": "2026-03-02T01:00:00.000000Z",
        "next_try_at": None,
    }
    assert "hash-of" not in json.dumps([waiting, given_up])
    assert "box-" not in json.dumps([waiting, given_up])


def test_letters_are_tried_again_at_once_and_the_log_says_how_many(service, woken):
    with structlog.testing.capture_logs() as logged:
        assert ask(service, "retry_letters", ADMIN, ["gone", "sent", "unknown"])["done"] == ["gone"]
        assert ask(service, "retry_given_up_letters", ADMIN) == 1
    assert woken
    assert service.letters() == {"letters_waiting": 5, "letters_given_up": 1}
    assert logged[0] == {"event": "letters retried", "count": 1, "by": "command-line", "log_level": "info"}
    assert TICKET not in str(logged)


def test_dropped_letters_are_gone_and_one_that_was_sent_stays(service):
    assert sorted(ask(service, "drop_letters", ADMIN, ["gone", "waits", "sent"])["done"]) == ["gone", "waits"]
    with service.uow.database.reading() as connection:
        assert set(connection.execute(select(messages.c.id)).scalars()) == {"team", "code", "lost", "sent", "leaves"}


def test_whoever_dropped_a_letter_for_good_is_on_the_record(service):
    ask(service, "drop_letters", ADMIN, ["gone", "code", "sent"])
    with service.uow.database.reading() as connection:
        rows = connection.execute(select(record.c.actor, record.c.act, record.c.ticket, record.c.detail)).all()
    assert sorted(rows, key=lambda row: row.detail) == [
        ("command-line", "letter_dropped", None, '{"letter": "code"}'),
        ("command-line", "letter_dropped", TICKET, '{"letter": "gone"}'),
    ]


def test_of_each_letter_that_stays_as_it_is_it_is_said_why(service):
    ask(service, "drop_letters", ADMIN, ["team"])
    asked = ["gone", "lost", "sent", "leaves", "team", "unknown"]
    stay = {"sent": "sent", "leaves": "being_sent", "team": "dropped", "unknown": "unknown"}
    assert ask(service, "retry_letters", ADMIN, asked) == {"done": ["gone"], "left": stay | {"lost": "not_kept"}}
    dropped = ask(service, "drop_letters", ADMIN, asked)
    assert (sorted(dropped["done"]), dropped["left"]) == (["gone", "lost"], stay)


@pytest.mark.parametrize("ids", [[], "gone", None, [1], [{}], ["x" * 37], ["x"] * 1001])
@pytest.mark.parametrize("method", ["retry_letters", "drop_letters"])
def test_what_names_no_letters_is_refused(service, method, ids):
    with pytest.raises(InvalidInput):
        ask(service, method, ADMIN, ids)


def test_the_operator_is_told_which_letters_to_reporters_will_not_arrive(service):
    told = {"ticket": TICKET, "kind": "answered", "given_up_at": "2026-03-02T01:00:00.000000Z", "to_print": False}
    assert ask(service, "undelivered", OPERATOR) == {"items": [told], "next": None, "waiting": None}
    service.calendars = SimpleNamespace(get=None)
    assert ask(service, "answer", OPERATOR, TICKET)["undelivered"] == [told]


def test_the_operator_is_told_how_many_letters_wait_since_a_try_since_when_and_why(service):
    with service.uow.database.writing() as connection:
        for id_, minutes, why in (
            ("waits", 5, "ConnectionRefusedError"),
            ("code", 1, "ConnectionRefusedError"),
            ("leaves", 9, "RCPT 450 4.2.1"),
            ("gone", 0, "RCPT 550 5.1.1"),
        ):
            connection.execute(
                update(messages)
                .where(messages.c.id == id_)
                .values(tried_since=NOW + timedelta(minutes=minutes), why=why)
            )
    assert ask(service, "undelivered", OPERATOR)["waiting"] == {
        "count": 3,
        "since": "2026-03-02T01:01:00.000000Z",
        "why": "ConnectionRefusedError",
    }


def test_but_for_their_number_somebody_must_be_logged_in_to_learn_of_them():
    asked = methods("notification")
    mine = {name for name in vars(LooksAfterLetters) if name in asked}
    assert {name: asked[name] for name in mine} == {
        "letters": False,
        "unsent_letters": True,
        "retry_letters": True,
        "retry_given_up_letters": True,
        "drop_letters": True,
        "undelivered": True,
    }
