"""The deliveries in their database, SQLite and PostgreSQL, with a clock that is set."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from nkk.store.database import Database
from nkk.store.migrations import upgrade
from ops.stack.run import ROOT
from tests.installations import eventually
from webhooks.domain import KEPT, PATIENCE, Answer, State
from webhooks.process import Turn
from webhooks.storage import Delivery, NoWebhookError, Sealed, Store, Webhook
from webhooks.tables import deliveries

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
KEY = Fernet.generate_key().decode()
TAKEN, FAILED, GONE = Answer(204, "204"), Answer(500, "500"), Answer(410, "410")
SEALED = Sealed("https://kasus.example.id/kasus", "password", "whsec_AAAA")


class Moments:
    """A store whose time a test sets, and what it does with it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.store = Store(database, [KEY])
        self.now = NOW
        self.store.add("kasus", "https://kasus.example.id", "triage", None, [], SEALED, NOW)

    @property
    def webhook(self) -> Webhook:
        return self.store.named("kasus")

    def hear(self, id_: str, subject: str = "NKK-1", **more: Any) -> bool:
        event = {"id": id_, "type": "a.v1", "subject": subject, "time": "2026-11-02T08:00:00Z", "data": {}}
        return self.store.hear(self.webhook.id, [event | more], self.now) == 1

    def send(self, answer: Answer) -> str | None:
        """Attempt what is due, if anything is and the endpoint is open, and return its id."""
        webhook = self.webhook
        if webhook.state is not State.ON or not webhook.endpoint.is_open(self.now):
            return None
        for delivery in self.store.due(webhook.id, self.now):
            self.mark(delivery, answer)
            return delivery.event_id
        return None

    def mark(self, delivery: Delivery, answer: Answer) -> None:
        delivered, failed = ([delivery], None) if answer.is_success else ([], delivery)
        self.store.mark(self.webhook, delivered, failed, answer, self.now, 0)

    def send_all(self, answers: Callable[[str], Answer]) -> list[str]:
        """Attempt everything that is due now."""
        done = []
        while due := self.store.due(self.webhook.id, self.now):
            self.mark(due[0], answers(due[0].event_id))
            done.append(due[0].event_id)
        return done

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)

    @property
    def summary(self) -> dict[str, Any]:
        (found,) = self.store.summaries(self.now)
        return found

    def rows(self) -> list[Any]:
        with self.database.reading() as connection:
            return list(connection.execute(select(deliveries).order_by(deliveries.c.id)))


@pytest.fixture
def moments(url_of: Callable[[str], str]):
    url = url_of("webhooks")
    upgrade(ROOT / "webhooks" / "migrations", url)
    database = Database(url, size=4)
    yield Moments(database)
    database.dispose()


def test_an_event_is_stored_once_and_its_body_is_gone_once_it_is_delivered(moments):
    assert moments.hear("e1", data={"text": "rahasia"})
    assert not moments.hear("e1")
    (row,) = moments.rows()
    assert "rahasia" not in str(row)
    (delivery,) = moments.store.due(moments.webhook.id, moments.now)
    assert json.loads(delivery.body)["data"] == {"text": "rahasia"}
    assert moments.send(TAKEN) == "e1"
    (row,) = moments.rows()
    assert (row.sealed_body, row.subject, row.state) == (None, "", "delivered")
    assert not moments.hear("e1")
    assert moments.send(TAKEN) is None


def test_of_one_complaint_nothing_overtakes_what_failed_and_others_go_on(moments):
    for id_, subject in (("a1", "A"), ("a2", "A"), ("b1", "B"), ("b2", "B")):
        moments.hear(id_, subject)
    assert moments.send_all(lambda id_: FAILED if id_ == "a1" else TAKEN) == ["a1", "b1", "b2"]
    moments.later(seconds=6)
    assert moments.send_all(lambda id_: TAKEN) == ["a1", "a2"]


def test_an_endpoint_that_fails_is_left_alone_and_one_delivery_tries_it(moments):
    for number in range(20):
        moments.hear(f"e{number}", f"S{number}")
    assert [moments.send(FAILED) for _ in range(5)] == ["e0", "e1", "e2", None, None]
    assert moments.summary["failing_since"] == "2026-11-02T08:00:00.000000Z"
    moments.later(seconds=5)
    assert [moments.send(FAILED) for _ in range(3)] == ["e3", None, None]
    moments.later(seconds=10)
    assert len([None for _ in range(30) if moments.send(TAKEN)]) == 20
    assert moments.summary["failing_since"] is None
    assert (moments.summary["waiting"], moments.summary["set_aside"]) == (0, 0)


def test_after_three_days_everything_that_waited_for_a_dead_endpoint_is_set_aside_and_can_be_sent_again(moments):
    for number in range(20):
        moments.hear(f"e{number}", "S")
    while moments.now < NOW + PATIENCE:
        moments.send(FAILED)
        moments.later(minutes=10)
    moments.hear("late", "T")
    moments.later(hours=1)
    moments.send(FAILED)
    assert (moments.summary["set_aside"], moments.summary["waiting"]) == (20, 1)
    moments.store.resume("kasus", moments.now)
    assert moments.send_all(lambda _: TAKEN) == ["late"]
    assert moments.store.send_set_aside("kasus", moments.now) == 20
    assert moments.send_all(lambda _: TAKEN) == [f"e{number}" for number in range(20)]
    assert moments.summary["set_aside"] == 0


def test_an_answer_of_410_switches_off_until_it_is_resumed_and_loses_nothing(moments):
    moments.hear("e1")
    assert moments.send(GONE) == "e1"
    assert moments.summary["state"] == "gone"
    moments.hear("e2")
    assert moments.send(TAKEN) is None
    moments.store.resume("kasus", moments.now)
    assert [moments.send(TAKEN), moments.send(TAKEN)] == ["e1", "e2"]


def test_a_receiver_that_asks_for_time_gets_it_and_nothing_else_is_tried_meanwhile(moments):
    moments.hear("a1", "A")
    moments.hear("b1", "B")
    assert [moments.send(Answer(429, "429", "600")), moments.send(TAKEN)] == ["a1", None]
    moments.later(seconds=599)
    assert moments.send(TAKEN) is None
    moments.later(seconds=1)
    assert [moments.send(TAKEN), moments.send(TAKEN)] == ["b1", "a1"]


@pytest.mark.parametrize("answer", [FAILED, GONE, Answer(503, "503", "3600")])
def test_a_resumption_outlasts_an_attempt_that_began_before_it(moments, answer):
    """A receiver that hangs answers up to ten seconds later, when it has been mended meanwhile."""
    moments.hear("a1", "A")
    for _ in range(9):
        moments.send(FAILED)
        moments.later(hours=1)
    webhook, (delivery,) = moments.webhook, moments.store.due(moments.webhook.id, moments.now)
    moments.later(seconds=5)
    moments.store.resume("kasus", moments.now)
    moments.later(seconds=5)
    moments.store.mark(webhook, [], delivery, answer, moments.now, 0)
    assert (moments.summary["state"], moments.summary["failing_since"]) == ("on", None)
    assert moments.send(TAKEN) == "a1"


def test_what_was_put_off_by_a_clock_far_ahead_is_sent_once_the_clock_is_right(moments):
    moments.later(days=1000)
    for number in range(3):
        moments.hear(f"e{number}", f"S{number}")
    assert [moments.send(FAILED) for _ in range(4)] == ["e0", "e1", "e2", None]
    moments.later(days=-1000)
    moments.store.prune(moments.now)
    assert len([None for _ in range(3) if moments.send(TAKEN)]) == 3


def test_a_long_reason_is_cut(moments):
    moments.hear("e1")
    moments.send(Answer(None, "x" * 1000))
    moments.store.note_trouble(moments.webhook.id, "y" * 1000)
    assert (moments.summary["last_answer"], moments.summary["trouble"]) == ("x" * 250, "y" * 250)


def test_a_paused_webhook_collects_and_has_its_whole_patience_afterwards(moments):
    moments.store.pause("kasus")
    moments.hear("e1")
    moments.later(days=10)
    assert moments.send(TAKEN) is None
    assert moments.summary["oldest_seconds"] == 10 * 24 * 3600
    moments.store.resume("kasus", moments.now)
    assert moments.send(FAILED) == "e1"
    assert moments.summary["set_aside"] == 0


def test_a_replay_is_sent_again_with_the_same_ids_and_what_was_before_it_is_not(moments):
    moments.hear("before", "A", time="2026-11-01T22:59:59Z")
    moments.hear("after", "B", time="2026-11-02T00:00:00Z")
    moments.send_all(lambda _: TAKEN)
    since = datetime(2026, 11, 2, tzinfo=UTC)
    moments.store.request_replay("kasus", since, moments.now)
    assert moments.webhook.replay_since == "2026-11-02T00:00:00.000000Z"
    assert [moments.hear("before", "A"), moments.hear("after", "B"), moments.hear("after", "B")] == [False, True, False]
    assert moments.send_all(lambda _: TAKEN) == ["after"]
    moments.store.replayed(moments.webhook.id, "2026-11-01T00:00:00.000000Z")
    assert moments.webhook.replay_since is not None, "that was another replay"
    moments.store.replayed(moments.webhook.id, moments.webhook.replay_since)
    assert moments.webhook.replay_since is None


def test_in_a_replay_what_waits_takes_its_place_behind_what_was_before_it(moments):
    moments.hear("e2")
    moments.store.request_replay("kasus", None, moments.now)
    moments.hear("e4")
    for ids in (["e1"], ["e2", "e3"], ["e2", "e4", "e5", "e5"]):
        events = [{"id": id_, "type": "a.v1", "subject": "NKK-1", "time": "2026-11-02T08:00:00Z"} for id_ in ids]
        moments.store.hear(moments.webhook.id, events, moments.now, is_replay=True)
    assert moments.send_all(lambda _: TAKEN) == ["e1", "e3", "e2", "e4", "e5"]


def test_the_outcomes_of_several_deliveries_are_stored_together(moments):
    moments.hear("e0", "failed before")
    assert moments.send(FAILED) == "e0"
    for id_ in ("a", "b", "c", "d"):
        moments.hear(id_, id_)
    first = moments.store.due(moments.webhook.id, moments.now, 3)
    assert [each.event_id for each in first] == ["a", "b", "c"]
    moments.store.mark(moments.webhook, first[:2], first[2], FAILED, moments.now, 0)
    assert [row.state for row in moments.rows()] == ["waiting", "delivered", "delivered", "waiting", "waiting"]
    assert moments.webhook.endpoint.failures == 1, "what was delivered ended the failures before it"
    assert [each.event_id for each in moments.store.due(moments.webhook.id, moments.now, 3)] == ["d"]


def test_ids_are_known_for_thirty_days_and_what_is_not_delivered_by_then_is_dropped_and_counted(moments):
    moments.hear("delivered", "A")
    moments.send(TAKEN)
    moments.store.pause("kasus")
    moments.hear("waiting", "B")
    moments.now += KEPT
    assert moments.store.prune(moments.now) == 0
    assert not moments.hear("delivered", "A")
    moments.later(seconds=1)
    assert moments.store.prune(moments.now) == 1
    assert moments.rows() == []
    assert moments.summary["dropped"] == 1


def test_a_name_is_taken_once_and_free_again_after_removal_under_another_id(moments):
    first = moments.webhook.id
    with pytest.raises(IntegrityError):
        moments.store.add("kasus", "https://other.example.id", "triage", None, [], SEALED, NOW)
    moments.hear("e1")
    moments.store.remove("kasus")
    assert moments.rows() == []
    moments.store.add("kasus", "https://other.example.id", "triage", None, [], SEALED, NOW)
    assert moments.webhook.id > first
    for act in (moments.store.remove, moments.store.pause, moments.store.named):
        with pytest.raises(NoWebhookError, match="no webhook other"):
            act("other")


def test_nothing_of_a_url_or_a_secret_is_readable_and_a_new_key_opens_what_an_old_one_sealed(moments):
    secret = moments.store.rotate("kasus", NOW)
    newer = Store(moments.database, [Fernet.generate_key().decode(), KEY])
    assert newer.named("kasus").sealed.secrets(NOW) == [secret, "whsec_AAAA"]
    with moments.database.reading() as connection:
        rows = str(connection.exec_driver_sql("SELECT * FROM webhooks").all())
    assert not [word for word in ("/kasus'", "whsec_", "password", secret) if word in rows]
    with pytest.raises(ValueError, match="NKK_WEBHOOKS_KEYS"):
        Store(moments.database, [Fernet.generate_key().decode()]).named("kasus")


def test_ten_thousand_events_behind_one_that_fails_slow_down_nothing(moments):
    webhook_id = moments.webhook.id
    row = {
        "webhook_id": webhook_id,
        "type": "a.v1",
        "time": NOW,
        "heard_at": NOW,
        "state": "waiting",
        "tries": 0,
        "next_at": NOW,
        "sealed_body": Fernet(KEY).encrypt(b"{}").decode(),
    }
    with moments.database.writing() as connection:
        rows = [row | {"event_id": str(uuid.uuid4()), "subject": "S"} for _ in range(10_000)]
        connection.execute(deliveries.insert(), rows)
    moments.hear("other", "T")
    assert moments.send(FAILED) == rows[0]["event_id"]
    assert moments.send(TAKEN) == "other"


def test_one_process_has_the_turn_and_another_takes_it_over(moments):
    first, second = Turn(moments.database), Turn(moments.database)
    assert [first.take(), second.take(), first.take()] == [True, False, True]
    first.leave()
    # PostgreSQL frees a lock shortly after its session has ended.
    assert eventually(second.take)
    assert not first.take()
    second.leave()


def test_a_process_that_loses_its_session_has_lost_the_turn_and_can_take_it_again(on_postgres):
    first, second = Turn(on_postgres), Turn(on_postgres)
    assert first.take()
    with psycopg2.connect(on_postgres.engine.url.render_as_string(False).replace("+psycopg2", "")) as connection:
        query = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        with connection.cursor() as cursor:
            cursor.execute(f"{query} AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
            assert cursor.fetchone() == (1,)
    connection.close()
    with pytest.raises(SQLAlchemyError):
        first.take()
    assert eventually(second.take)
    assert not first.take()
    second.leave()
    assert eventually(first.take)
    first.leave()
