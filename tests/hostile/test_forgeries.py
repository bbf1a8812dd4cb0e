"""What each broker user can publish, bind and declare, by every route: no forged event or call has an effect.

The tests run on any RabbitMQ. Before 4.0 it checks no topic permissions for the keys in CC and BCC headers, and in no
release for those of dead letters; therefore the consumers check origins themselves.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import amqp
import pytest
from amqp.exceptions import AccessRefused, NotFound, PreconditionFailed
from kombu import Connection

from gateway.live import EVENTS as LIVE
from nkk.contracts import EVENTS, STAGES, EventData
from nkk.contracts.asyncapi import SAMPLES
from nkk.messaging.calls import EXCHANGE
from nkk.messaging.origin import Origins
from ops.stack.quarantine import HEARING, items
from tests.databases import everything_in
from tests.hostile.users import USERS, uri_of
from tests.installations import Installation, eventually, running_processes
from tests.people import People, travel_as_complaint
from tests.stages import BY_TYPE

MARK = "forged-"
"""The prefix of each forged event's id, which an inbox would contain if a stage had handled one."""

OTHERS = ("amq.topic", "amq.direct", "amq.fanout", "amq.headers", "")


@dataclass(frozen=True)
class Forgery:
    """A message to publish: an event of another service, with headers that claim the right origin."""

    id: str
    event: type[EventData]
    exchange: str
    key: str
    headers: dict[str, Any] = field(default_factory=dict)

    def message(self, seal: Callable[[Any], dict[str, Any]]) -> amqp.Message:
        body = json.dumps(json.loads((SAMPLES / f"{self.event.TYPE}.json").read_text("utf-8")) | {"id": self.id})
        message = amqp.Message(
            body.encode(),
            type=self.event.TYPE,
            message_id=self.id,
            delivery_mode=2,
            content_type="application/cloudevents+json",
        )
        owner = f"{self.event.SERVICES[0]}.events"
        message.delivery_info = {"exchange": owner, "routing_key": self.event.TYPE}
        message.properties["application_headers"] = seal(message) | self.headers
        return message


class Attacker:
    """A broker user with a connection; a channel that the broker closes is opened again."""

    def __init__(self, user: str, connection: Connection) -> None:
        self.user = user
        self._connection = connection
        self._channel: Any = None
        self.routed: set[str] = set()
        self.sent: list[Forgery] = []

    def may(self, act: Callable[[Any], Any]) -> bool:
        """Return whether the broker permits `act`."""
        try:
            act(self.channel)
            return True
        except (AccessRefused, NotFound, PreconditionFailed):
            self._channel = None
            return False

    @property
    def channel(self) -> Any:
        if self._channel is None:
            self._channel = self._connection.channel()
            self._channel.confirm_select()
            self._channel.events["basic_return"].add(self._on_return)
        return self._channel

    def publish(self, forgery: Forgery) -> bool:
        """Publish `forgery`; return whether the broker accepted it. `routed` has the ids that reached a queue."""
        self.routed.add(forgery.id)
        self.sent.append(forgery)
        sealing = Origins("notification", self._connection.as_uri(include_password=True))
        taken = self.may(
            lambda channel: channel.basic_publish_confirm(
                forgery.message(sealing.headers), forgery.exchange, forgery.key, mandatory=True
            )
        )
        if not taken:
            self.routed.discard(forgery.id)
        return taken

    def _on_return(self, _error: Exception, _exchange: str, _key: str, message: Any) -> None:
        self.routed.discard(message.properties["message_id"])


@contextmanager
def attacking(whole: Installation, user: str) -> Iterator[Attacker]:
    with Connection(uri_of(whole.uri, user)) as connection:
        yield Attacker(user, connection)


def not_its_own(user: str) -> list[type[EventData]]:
    """Return the event types that `user` does not publish."""
    return [event for event in EVENTS if user not in event.SERVICES]


def forgeries(user: str, event: type[EventData]) -> list[Forgery]:
    """Return forgeries of `event` for every route from an exchange to an inbox, permitted or not."""

    def forged(exchange: str, key: str, **headers: Any) -> Forgery:
        return Forgery(f"{MARK}{uuid.uuid4().hex[:20]}", event, exchange, key, headers)

    inboxes = [f"{stage}.inbox" for stage in event.CONSUMERS or ("notification",)]
    found = [forged(exchange, inbox) for inbox in inboxes for exchange in OTHERS]
    for stage in STAGES:
        heard = next(told.TYPE for told in EVENTS if stage in told.SERVICES and told.CONSUMERS)
        events = f"{stage}.events"
        found += [
            forged(events, event.TYPE),
            forged(events, heard),
            forged(events, "x", CC=[event.TYPE, heard]),
            forged(events, "x", BCC=[event.TYPE, heard]),
        ]
        if stage != user:
            found += [forged(f"{stage}.moves", f"{stage}.inbox"), forged(f"{stage}.moves", "x", CC=[f"{stage}.inbox"])]
    return [*found, forged(EXCHANGE, str(uuid.uuid4()), CC=[event.TYPE, *inboxes])]


def by_dead_letters(attacker: Attacker) -> Iterator[Forgery]:
    """Yield forgeries that a queue of the user dead-letters to each exchange, where the broker lets it declare one."""
    user = attacker.user
    name = {
        "gateway": f"live.gateway-{uuid.uuid4()}",
        "topology": "triage.retry.31337",
    }.get(user, f"{user}.retry.31337")
    source = {"topology": "triage.moves"}.get(user, f"{user}.moves")
    for event in not_its_own(user):
        for exchange, key in (
            (f"{event.SERVICES[0]}.events", event.TYPE),
            ("notification.moves", "notification.inbox"),
            ("", "notification.inbox"),
        ):
            letters = {"x-dead-letter-exchange": exchange, "x-dead-letter-routing-key": key, "x-message-ttl": 1}
            if exchange == source or not attacker.may(
                lambda channel, letters=letters: channel.queue_declare(
                    name, durable=True, auto_delete=False, arguments=letters
                )
            ):
                continue
            attacker.channel.queue_bind(name, source, name)
            yield Forgery(f"{MARK}{uuid.uuid4().hex[:20]}", event, source, name)
            eventually(lambda: attacker.channel.queue_declare(name, passive=True).message_count == 0)
            attacker.channel.queue_delete(name)


@pytest.fixture(scope="module")
def published(whole: Installation) -> dict[str, dict[str, Any]]:
    """Return for each user the exchanges that accepted a forgery (or `dead letters`), and the forgeries in a queue."""
    found = {}
    for user in USERS:
        taken, closed = set(), set()
        with attacking(whole, user) as attacker:
            for forgery in (forgery for event in not_its_own(user) for forgery in forgeries(user, event)):
                place = (forgery.exchange, forgery.key if forgery.exchange == EXCHANGE else "")
                if place in closed:
                    continue
                (taken if attacker.publish(forgery) else closed).add(place)
            for forgery in by_dead_letters(attacker):
                taken.add(("dead letters", ""))
                attacker.publish(forgery)
            # What arrives among a stage's calls is not a valid call, and is dropped there.
            calls = {forgery.id for forgery in attacker.sent if forgery.exchange == EXCHANGE}
            found[user] = {
                "taken": {exchange for exchange, _ in taken},
                "routed": attacker.routed - calls,
                "sent": attacker.sent,
            }
    return found


@pytest.mark.long
def test_the_broker_takes_from_each_user_what_it_must_and_nothing_else(published: Any) -> None:
    assert {user: each["taken"] for user, each in published.items()} == {
        "topology": {*(f"{stage}.moves" for stage in STAGES), "dead letters"},
        "gateway": set(),
        **{stage: {f"{stage}.events", EXCHANGE} for stage in STAGES},
    }


def test_no_forgery_has_an_effect_and_each_is_kept_with_where_it_came_from(
    whole: Installation, people: People, published: Any
) -> None:
    before = running_processes(whole)
    routed = set().union(*(each["routed"] for each in published.values()))
    assert all(published[user]["routed"] for user in ("topology", *STAGES) if user != "notification")

    def all_are_put_aside() -> dict[str, Any]:
        found = {item.id: item for stage in HEARING for item in items(whole.uri, stage)}
        assert routed <= set(found), len(routed - set(found))
        return found

    found = eventually(all_are_put_aside, patience=90)
    for each in routed:
        summary = found[each].summary()
        # A stage that does not know the type cannot check its origin: it retries, as for a newer version's event.
        assert summary["reason"].startswith(("forged: ", "gave up after 4 attempts: UnknownTypeError")), summary
        place = next(forgery.exchange for user in published.values() for forgery in user["sent"] if forgery.id == each)
        # The exchange that the broker recorded; unknown where another user wrote to a stage's own exchange.
        expected = None if place.endswith(".moves") else place
        assert (summary["came_from"] and summary["came_from"].partition(" under ")[0]) == expected, summary
    for stage in STAGES:
        assert MARK not in everything_in(whole, stage)
    travel_as_complaint(people, people.reporter())
    assert running_processes(whole) == before


@dataclass(frozen=True)
class Claim(Forgery):
    """An event that a stage may publish, with a `time` or `data` that it may not claim."""

    time: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    def message(self, seal: Callable[[Any], dict[str, Any]]) -> amqp.Message:
        told = json.loads((SAMPLES / f"{self.event.TYPE}.json").read_text("utf-8"))
        body = told | {
            "id": self.id,
            "source": f"/nkk/{self.exchange.partition('.')[0]}",
            "time": self.time,
            "data": told["data"] | self.data,
        }
        return amqp.Message(
            json.dumps(body).encode(),
            type=self.event.TYPE,
            message_id=self.id,
            delivery_mode=2,
            content_type="application/cloudevents+json",
        )


PAST, FUTURE = "2026-03-02T01:00:00Z", "2199-01-01T00:00:00Z"
CLAIMS: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    # For each user: the type, the claimed time, the changed data.
    "intake": [("complaint.handed_over.v1", FUTURE, {}), ("complaint.submitted.v2", PAST, {"submitted_at": FUTURE})],
    "opd_response": [*[("response.submitted.v1", FUTURE, {})] * 40, ("step.overdue.v1", PAST, {"step": 3})],
    "triage": [("complaint.forwarded.v1", FUTURE, {}), ("step.due_soon.v1", PAST, {"step": 6})],
}


def test_what_a_stage_tells_of_the_future_or_of_anothers_step_is_put_aside_with_why(
    whole: Installation, people: People
) -> None:
    expected: dict[str, tuple[type[EventData], str]] = {}
    for user, claims in CLAIMS.items():
        with attacking(whole, user) as attacker:
            for type_, time, data in claims:
                claim = Claim(f"claim-{uuid.uuid4().hex[:20]}", BY_TYPE[type_], f"{user}.events", type_, {}, time, data)
                assert attacker.publish(claim)
                expected[claim.id] = claim.event, "forged: " if "step" in data else "from the future: "

    def reasons() -> dict[tuple[str, str], str]:
        found = {(item.id, stage): item.summary()["reason"] for stage in HEARING for item in items(whole.uri, stage)}
        assert {(id_, stage) for id_, (event, _) in expected.items() for stage in event.CONSUMERS} <= set(found)
        return found

    for (id_, _), reason in eventually(reasons).items():
        assert id_ not in expected or reason.startswith(expected[id_][1]), reason
    for stage in STAGES:
        assert "claim-" not in everything_in(whole, stage)
    for person, desk in ((people.operator, "intake"), (people.main_team, "triage"), (people.operator, "answers")):
        person.get(f"/desks/{desk}")


@contextmanager
def answers(whole: Installation) -> Iterator[tuple[str, Callable[[], list[str]]]]:
    """Yield a reply key, and a function that returns the correlation ids of the replies received so far."""
    with Connection(whole.uri) as connection:
        channel, key = connection.default_channel, str(uuid.uuid4())
        queue = channel.queue_declare("", exclusive=True).queue
        channel.queue_bind(queue, EXCHANGE, key)
        came: list[str] = []

        def look() -> list[str]:
            while message := channel.basic_get(queue, no_ack=True):
                came.append(message.properties["correlation_id"])
            return came

        yield key, look


@pytest.mark.parametrize("user", STAGES)
def test_no_stage_can_call_another_by_any_way_round(whole: Installation, user: str) -> None:
    target = next(stage for stage in STAGES if stage != user)
    key, refused = f"{target}.ping", whole.logs().count("message refused: not published as a call")
    queue, moves = f"{user}.retry.31338", f"{user}.moves"
    with answers(whole) as (reply_to, came), attacking(whole, user) as attacker:

        def call(way: str, exchange: str, routing_key: str, **headers: Any) -> bool:
            message = amqp.Message(
                b'{"args": [], "kwargs": {}}',
                content_type="application/json",
                correlation_id=way,
                content_encoding="utf-8",
                reply_to=reply_to,
                application_headers=headers,
            )
            return attacker.may(lambda channel: channel.basic_publish_confirm(message, exchange, routing_key))

        assert not call("straight", EXCHANGE, key)
        for entity in (EXCHANGE, f"{target}.calls", f"{target}.inbox"):
            assert not attacker.may(lambda channel, name=entity: channel.exchange_delete(name))
            assert not attacker.may(lambda channel, name=entity: channel.queue_delete(name))
        ways = [call("CC", EXCHANGE, str(uuid.uuid4()), CC=[key]), call("BCC", EXCHANGE, str(uuid.uuid4()), BCC=[key])]
        attacker.channel.exchange_bind(EXCHANGE, moves, key)
        ways.append(call("passed on", moves, key))
        attacker.channel.exchange_unbind(EXCHANGE, moves, key)
        attacker.channel.queue_declare(
            queue,
            durable=True,
            auto_delete=False,
            arguments={"x-dead-letter-exchange": EXCHANGE, "x-dead-letter-routing-key": key, "x-message-ttl": 1},
        )
        attacker.channel.queue_bind(queue, moves, queue)
        ways.append(call("dead letter", moves, queue))
        # RabbitMQ 4 checks the keys in CC too; a stage need not refuse what the broker has refused.
        eventually(lambda: whole.logs().count("message refused: not published as a call") == refused + sum(ways))
        attacker.channel.queue_delete(queue)
        with attacking(whole, "gateway") as attacker:
            assert call("called", EXCHANGE, key)
        eventually(lambda: "called" in came())
        assert came() == ["called"]


def test_nobody_hears_what_is_not_for_it(whole: Installation) -> None:
    for user in USERS:
        with attacking(whole, user) as attacker:
            queue = {
                "gateway": f"live.gateway-{uuid.uuid4()}",
                "topology": "notification.inbox",
            }.get(user, f"{user}.inbox")
            if user == "gateway":
                attacker.channel.queue_declare(queue, exclusive=True)
            for event in [event for event in EVENTS if event.PRIVATE]:
                heard = attacker.may(
                    lambda channel, queue=queue, type_=event.TYPE: channel.queue_bind(queue, "intake.events", type_)
                )
                # A stage does not hear itself.
                meant = {*event.CONSUMERS, "topology"} - {"intake"} | ({"gateway"} if event in LIVE else set())
                assert heard == (user in meant), (user, event.TYPE)
            for key in [f"{stage}.*" for stage in STAGES if stage != user]:
                assert not attacker.may(lambda channel, queue=queue, key=key: channel.queue_bind(queue, EXCHANGE, key))
            for stage in STAGES:
                for other in (f"{stage}.calls", f"{stage}.quarantine"):
                    if stage != user:
                        assert not attacker.may(lambda channel, name=other: channel.basic_get(name))
