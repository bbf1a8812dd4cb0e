"""Each broker user has exactly the permissions that the code needs, and no others."""

import base64
import hashlib
import importlib.util
import json
import re
import uuid
from collections import defaultdict
from pathlib import Path

import pytest

from gateway import live
from nkk.contracts import EVENTS, STAGES
from nkk.contracts.events import ComplaintEnded, ComplaintSupplemented, ListsChanged, ReportSupplemented
from nkk.messaging import topology
from nkk.messaging.calls import EXCHANGE, REPLY_ADDRESS

FOLDER = Path(__file__).resolve().parents[3] / "deploy/rabbitmq"
DEFINITIONS = json.loads((FOLDER / "definitions.json").read_text())
PERMISSIONS = {grant["user"]: grant for grant in DEFINITIONS["permissions"]}
TOPICS = {(grant["user"], grant["exchange"]): grant for grant in DEFINITIONS["topic_permissions"]}

CONFIGURE, WRITE, READ = "configure", "write", "read"
REPLY_KEY = str(uuid.uuid4())
REPLY_QUEUE = f"rpc.reply-gateway-{REPLY_KEY}"
LIVE_QUEUE = live.queue(f"live.gateway-{uuid.uuid4()}")

spec = importlib.util.spec_from_file_location("render", FOLDER / "render.py")
render = importlib.util.module_from_spec(spec)
spec.loader.exec_module(render)


class Needs:
    """The permissions a user needs, collected from the entities that it declares, consumes and publishes to.

    The rules are RabbitMQ's: a binding writes to its queue and reads its exchange; a queue with a dead-letter exchange
    reads itself and writes to that exchange; the default exchange is named amq.default.
    """

    def __init__(self):
        self.names = defaultdict(set)
        self.keys = defaultdict(set)

    def exchange(self, exchange):
        self.names[CONFIGURE].add(exchange.name)

    def queue(self, queue):
        self.names[CONFIGURE].add(queue.name)
        bindings = [(bound.exchange, bound.routing_key) for bound in queue.bindings]
        if queue.exchange and queue.exchange.name:
            bindings.append((queue.exchange, queue.routing_key))
        for exchange, routing_key in bindings:
            if not exchange.no_declare:
                self.exchange(exchange)
            self.binding(queue.name, exchange.name, routing_key)
        arguments = queue.queue_arguments or {}
        if "x-dead-letter-exchange" in arguments:
            self.names[READ].add(queue.name)
            self.names[WRITE].add(arguments["x-dead-letter-exchange"] or "amq.default")

    def binding(self, queue, exchange, routing_key):
        self.names[WRITE].add(queue)
        self.names[READ].add(exchange)
        self.keys[exchange, READ].add(routing_key)

    def consuming(self, queue):
        self.names[READ].add(queue)

    def publishing(self, exchange, *routing_keys):
        self.names[WRITE].add(exchange or "amq.default")
        self.keys[exchange, WRITE].update(routing_keys)


def heard_by(stage):
    return [event for event in EVENTS if stage in event.CONSUMERS]


def topology_needs():
    needs = Needs()
    needs.names[CONFIGURE].add(EXCHANGE)
    for stage in STAGES:
        needs.exchange(topology.exchange(stage))
        needs.exchange(topology.replay(stage))
        needs.queue(topology.replay_requests(stage))
        needs.queue(topology.replay_rest(stage))
        if heard_by(stage):
            for queue in [*topology.waiting_queues(stage), topology.inbox_queue(stage, heard_by(stage))]:
                needs.queue(queue)
    return needs


def stage_needs(stage):
    needs = Needs()
    needs.exchange(topology.exchange(stage))
    needs.publishing(f"{stage}.events", *(event.TYPE for event in EVENTS if stage in event.SERVICES))
    needs.exchange(topology.replay(stage))
    needs.publishing(topology.replay(stage).name)
    requests = topology.replay_requests(stage)
    needs.queue(requests)
    needs.consuming(requests.name)
    needs.queue(topology.replay_rest(stage))
    needs.consuming(topology.replay_rest(stage).name)
    needs.queue(topology.calls_queue(stage))
    needs.consuming(topology.calls_name(stage))
    needs.publishing(EXCHANGE, REPLY_KEY)
    if heard_by(stage):
        inbox = topology.inbox_queue(stage, heard_by(stage))
        for queue in [*topology.waiting_queues(stage), inbox]:
            needs.queue(queue)
        needs.consuming(inbox.name)
        needs.publishing(topology.moves(stage).name, topology.quarantine_name(stage))
    return needs


def gateway_needs():
    needs = Needs()
    needs.names[CONFIGURE].add(REPLY_QUEUE)
    needs.binding(REPLY_QUEUE, EXCHANGE, REPLY_KEY)
    needs.consuming(REPLY_QUEUE)
    needs.publishing(EXCHANGE, *(f"{stage}.ping" for stage in STAGES))
    needs.queue(LIVE_QUEUE)
    needs.consuming(LIVE_QUEUE.name)
    return needs


NEEDS = {"topology": topology_needs(), "gateway": gateway_needs()} | {stage: stage_needs(stage) for stage in STAGES}

EVERY_NAME = {name for needs in NEEDS.values() for names in needs.names.values() for name in names} | {
    "",
    "amq.default",
    "amq.topic",
    "amq.gen-x",
    "evil",
    "intake.inbox",
    "calls",
    "intake.calls.x",
    "xtriage.events",
    "triage.eventsx",
    "triage.retry.",
    "triage.inbox.x",
    "triagexinbox",
    "triage.calls2",
    "nameko-rpc2",
    "rpc.reply-gateway-",
    "tool.",
    "live.gateway-",
    "rpc.reply-live.gateway-",
    f"live.gateway-{REPLY_KEY}x",
    f"live-gateway-{REPLY_KEY}",
}
EVERY_KEY = {"#", "*.*", "*.*.*", "intake.#", "complaint.#", "x", ""}.union(
    (event.TYPE for event in EVENTS),
    *(needs.keys[EXCHANGE, action] for needs in NEEDS.values() for action in (READ, WRITE)),
)


def permitted(user, action, name):
    # As in the broker: a search anywhere in the name, where the empty expression matches nothing.
    return re.search(PERMISSIONS[user][action] or "^$", name) is not None


def key_permitted(user, exchange, action, key):
    grant = TOPICS.get((user, exchange))
    return grant is None or re.search(grant[action] or "^$", key) is not None


@pytest.mark.parametrize("action", [CONFIGURE, WRITE, READ])
@pytest.mark.parametrize("user", NEEDS)
def test_a_user_may_do_what_it_must_and_nothing_beside(user, action):
    assert {name for name in EVERY_NAME if permitted(user, action, name)} == NEEDS[user].names[action]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_hears_the_events_it_is_a_consumer_of_and_no_others(stage):
    for event in EVENTS:
        tellers = {
            teller
            for teller in event.SERVICES
            if permitted(stage, READ, exchange := f"{teller}.events")
            and key_permitted(stage, exchange, READ, event.TYPE)
        }
        assert tellers == (set(event.SERVICES) - {stage} if stage in event.CONSUMERS else set()), event.TYPE


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "notification"])
def test_no_stage_but_notification_can_bind_by_pattern(stage):
    for exchange in (f"{source}.events" for source in STAGES if permitted(stage, READ, f"{source}.events")):
        heard = {event.TYPE for event in heard_by(stage) if exchange.partition(".")[0] in event.SERVICES}
        assert {key for key in EVERY_KEY if key_permitted(stage, exchange, READ, key)} == heard


@pytest.mark.parametrize("stage", STAGES)
def test_the_gateway_hears_what_changes_a_desk_and_nothing_else_and_tells_nothing(stage):
    exchange = f"{stage}.events"
    heard = {event.TYPE for event in live.EVENTS if stage in event.SERVICES}
    assert {key for key in EVERY_KEY if key_permitted("gateway", exchange, READ, key)} == heard
    assert not any(event.PRIVATE for event in live.CHANGES)
    assert not {key for key in EVERY_KEY - {""} if key_permitted("gateway", exchange, WRITE, key)}


def test_the_gateways_own_live_queue_is_permitted():
    source = (FOLDER.parents[1] / "gateway/live.py").read_text()
    assert 'queue(f"live.gateway-{uuid.uuid4()}")' in source


def test_notification_hears_what_the_others_tell_but_the_roster_late_files_and_what_only_an_opd_hears():
    told = [event for event in EVENTS if set(event.SERVICES) != {"notification"}]
    assert [event for event in told if "notification" not in event.CONSUMERS] == [
        ReportSupplemented,
        ComplaintSupplemented,
        ComplaintEnded,
        ListsChanged,
    ]


@pytest.mark.parametrize("user", [*STAGES, "gateway"])
def test_calls_and_replies_go_their_own_ways_only(user):
    for action in (READ, WRITE):
        assert {key for key in EVERY_KEY if key_permitted(user, EXCHANGE, action, key)} == NEEDS[user].keys[
            EXCHANGE, action
        ]


@pytest.mark.parametrize("user", NEEDS)
def test_a_user_may_publish_the_events_it_tells(user):
    for (exchange, action), keys in NEEDS[user].keys.items():
        assert all(key_permitted(user, exchange, action, key) for key in keys)


def test_the_gateways_own_reply_queue_is_permitted():
    source = (FOLDER.parents[1] / "nkk/messaging/rpc_client.py").read_text()
    assert 'f"rpc.reply-gateway-{self._reply_to}"' in source
    assert "self._reply_to = str(uuid.uuid4())" in source


def test_a_stage_replies_only_where_the_broker_lets_it():
    allowed = {
        entry["user"]: entry["write"]
        for entry in DEFINITIONS["topic_permissions"]
        if entry["exchange"] == EXCHANGE and entry["user"] in STAGES
    }
    assert allowed == dict.fromkeys(STAGES, f"^{REPLY_ADDRESS.pattern}$")


def test_only_the_admin_administers():
    assert {user["name"] for user in DEFINITIONS["users"] if user["tags"]} == {"admin"}
    assert {user["name"] for user in DEFINITIONS["users"]} == {"admin", *NEEDS}
    assert set(PERMISSIONS) == {"admin", *NEEDS}


def test_the_repository_holds_no_password_and_no_guest():
    text = (FOLDER / "definitions.json").read_text()
    assert "password" not in text
    assert "guest" not in text


@pytest.fixture
def passwords():
    return {f"RABBITMQ_{user['name'].upper()}_PASSWORD": f"secret of {user['name']}" for user in DEFINITIONS["users"]}


def test_rendered_definitions_hold_the_hash_of_each_password(passwords, tmp_path, monkeypatch):
    for name, value in passwords.items():
        monkeypatch.setenv(name, value)
    render.main(str(FOLDER / "definitions.json"), str(tmp_path / "definitions.json"))
    text = (tmp_path / "definitions.json").read_text()
    for user in json.loads(text)["users"]:
        raw = base64.b64decode(user["password_hash"], validate=True)
        password = f"secret of {user['name']}"
        assert raw[4:] == hashlib.sha256(raw[:4] + password.encode()).digest()
        assert user["hashing_algorithm"] == "rabbit_password_hashing_sha256"
    assert "secret of" not in text
    assert [path.name for path in tmp_path.iterdir()] == ["definitions.json"]


def test_equal_passwords_have_different_hashes():
    assert render.password_hash("a") != render.password_hash("a")


@pytest.mark.parametrize("user", [user["name"] for user in DEFINITIONS["users"]])
def test_a_user_without_a_password_stops_the_rendering(user, passwords):
    for missing in ({}, {f"RABBITMQ_{user.upper()}_PASSWORD": ""}):
        passwords.pop(f"RABBITMQ_{user.upper()}_PASSWORD", None)
        with pytest.raises(render.MissingPasswordError, match=f"RABBITMQ_{user.upper()}_PASSWORD"):
            render.render(DEFINITIONS, passwords | missing)
