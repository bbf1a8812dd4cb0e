"""Any message in a stage's queue is handled, or quarantined with a reason; the stage goes on with the next."""

import bz2
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle

import amqp
import pytest
from kombu import Connection

from nkk.contracts import STAGES
from nkk.contracts.events import CalendarChanged, ListsChanged
from nkk.messaging.publisher import Message
from nkk.messaging.topology import ATTEMPT, quarantine_name
from ops.stack import quarantine
from ops.stack.quarantine import HEARING
from tests.effort import TIMES
from tests.hostile.messages import SECRET, Sent, messages, some
from tests.hostile.users import uri_of
from tests.installations import Installation, as_moved, eventually, running_processes
from tests.people import People, travel_as_complaint

pytestmark = pytest.mark.long

COUNT = 150


def put(whole: Installation, stage: str, sent: list[Sent]) -> None:
    """Publish `sent` to the inbox of `stage` as its owner would, with confirms.

    Without them, messages may be lost when the channel closes.
    """
    with Connection(whole.uri, transport_options={"confirm_publish": True}) as connection:
        for item in sent:
            moved = as_moved(
                uri_of(whole.uri, stage),
                Message(id="", exchange="", routing_key=f"{stage}.inbox", body=item.body, type=item.type),
            )
            message = item.message()
            message.properties["application_headers"] = (
                item.properties.get("application_headers") or {}
            ) | moved.headers
            connection.default_channel.basic_publish(message, moved.exchange, moved.routing_key)


def waiting(whole: Installation, *queues: str) -> int:
    """Return the number of messages in `queues`."""
    with Connection(whole.uri) as connection:
        return sum(connection.default_channel.queue_declare(queue, passive=True).message_count for queue in queues)


@pytest.mark.parametrize("stage", STAGES)
def test_no_message_ends_a_stage_or_holds_it_up(whole: Installation, people: People, stage: str) -> None:
    before = running_processes(whole)
    aside = waiting(whole, quarantine_name(stage))
    # Valid ones of these types would harm other tests: stages would wait for a calendar that only one of them received,
    # and agencies would be missing from the roster.
    left_out = (CalendarChanged.TYPE, ListsChanged.TYPE)
    sent = [item for item in some(messages(stage), COUNT) if not (item.readable and item.type in left_out)]
    put(whole, stage, sent)
    unreadable = sum(not item.readable for item in sent)
    assert len(sent) / 8 < unreadable < len(sent), "both kinds are tried"

    def all_are_put_aside() -> bool:
        found = waiting(whole, quarantine_name(stage)) - aside
        assert found >= unreadable, (found, unreadable, waiting(whole, f"{stage}.inbox"))
        return True

    eventually(all_are_put_aside, patience=60 * TIMES)
    travel_as_complaint(people, people.reporter())
    assert running_processes(whole) == before
    assert SECRET not in whole.logs()


def test_a_count_of_attempts_that_cannot_be_ends_no_stage(whole: Installation) -> None:
    before, aside = running_processes(whole), waiting(whole, quarantine_name("triage"))
    put(
        whole,
        "triage",
        [
            Sent(b"{}", "complaint.eaten.v1", False, {"application_headers": {ATTEMPT: count}})
            for count in (-100, -4, -1, 0)
        ],
    )
    eventually(lambda: waiting(whole, quarantine_name("triage")) == aside + 4)
    assert running_processes(whole) == before


def test_what_says_that_it_is_compressed_is_not_unpacked(whole: Installation) -> None:
    before = running_processes(whole)
    bomb = bz2.compress(b" " * (300 << 20))
    assert len(bomb) < 1000
    put(
        whole,
        "opd_response",
        [Sent(bomb, "complaint.forwarded.v1", False, {"application_headers": {"compression": "application/x-bz2"}})],
    )

    def found() -> list[quarantine.Item]:
        return [item for item in quarantine.items(whole.uri, "opd_response") if item.body == bomb]

    assert [item.summary()["reason"] for item in eventually(found)] == ["unreadable: not JSON"]
    assert running_processes(whole) == before


def test_properties_that_are_no_text_end_no_stage(whole: Installation, people: People) -> None:
    before, aside = running_processes(whole), waiting(whole, *map(quarantine_name, HEARING))
    with Connection(whole.uri, transport_options={"confirm_publish": True}) as connection:
        for odd in ({"type": b"\xff"}, {"correlation_id": b"\xff"}, {"message_id": b"\xc3"}):
            connection.default_channel.basic_publish(
                amqp.Message(b"{}", delivery_mode=2, **odd), "intake.events", "complaint.handed_over.v1"
            )
    eventually(lambda: waiting(whole, *map(quarantine_name, HEARING)) == aside + 2 * 3)
    travel_as_complaint(people, people.reporter())
    assert running_processes(whole) == before


CALLS = [
    b"",
    b"{",
    b"7",
    b"[]",
    b"null",
    b"{}",
    b'{"args": []}',
    b'{"args": 7, "kwargs": {}}',
    b'{"args": [], "kwargs": []}',
    b'{"args": [], "kwargs": {"actor": "x"}}',
    b'{"args": [1, 2, 3, 4, 5, 6, 7], "kwargs": {}}',
    b'{"args": [{"text": NaN}], "kwargs": {"x": 1}}',
    b"[" * 100_000,
    b'{"args": {"a": 1}, "kwargs": null}',
    b"\xff\xfe",
]


@contextmanager
def calling(people: People) -> Iterator[list[int]]:
    """Call every stage by turns, one call after the other, and yield the statuses so far."""
    desks = {
        "intake": people.operator,
        "triage": people.main_team,
        "opd": people.opd_team("disdukcapil"),
        "answers": people.operator,
    }
    statuses: list[int] = []
    done = threading.Event()

    def call() -> None:
        for desk, person in cycle(desks.items()):
            if done.is_set():
                return
            statuses.append(person.ask("GET", f"/desks/{desk}").status_code)

    with ThreadPoolExecutor(1) as pool:
        caller = pool.submit(call)
        try:
            yield statuses
        finally:
            done.set()
    caller.result()


@pytest.mark.parametrize("stage", STAGES)
def test_no_call_ends_a_stage(whole: Installation, people: People, stage: str) -> None:
    before = running_processes(whole)
    methods = {"intake": "submit", "triage": "forward", "opd_response": "respond", "notification": "send_answer"}
    with Connection(whole.uri) as connection, calling(people) as statuses:
        for body in CALLS:
            for kind in ("application/json", "text/plain", "application/x-python-serialize"):
                for method in (methods[stage], "ping", "__init__", "x" * 200):
                    connection.default_channel.basic_publish(
                        amqp.Message(
                            body,
                            content_type=kind,
                            content_encoding="utf-8",
                            reply_to="nobody",
                            correlation_id="x",
                            application_headers={"nameko.actor": 7, "nameko.call_id_stack": 7, "nameko.x": [b"\xff"]},
                        ),
                        "nameko-rpc",
                        f"{stage}.{method}"[:255],
                    )
        for odd in ({"content_type": b"\xff"}, {"reply_to": b"\xff"}):
            connection.default_channel.basic_publish(amqp.Message(CALLS[5], **odd), "nameko-rpc", f"{stage}.ping")
        # Each call's reply is refused by the broker, or has no receiver.
        asked = len(statuses)
        eventually(lambda: len(statuses) > asked + 20)
    assert set(statuses) == {200}
    eventually(lambda: people.http.get("/readyz").status_code == 200)
    assert running_processes(whole) == before
