import pytest

from nkk.contracts import EVENTS, STAGES
from nkk.contracts.events import ComplaintHandedOver, ResponseSubmitted
from nkk.messaging import topology
from nkk.settings import SettingsError


@pytest.fixture(autouse=True)
def _default_delays(monkeypatch):
    monkeypatch.delenv("NKK_RETRY_DELAYS", raising=False)


class Recorder:
    """A channel that records what is declared on it, and answers as a broker would."""

    def __init__(self):
        self.declared = []
        self.bound = []

    def exchange_declare(self, exchange, **_):
        self.declared.append(exchange)

    def queue_declare(self, queue, **_):
        self.declared.append(queue)
        return queue, 0, 0

    def queue_bind(self, queue, exchange, routing_key, **_):
        self.bound.append((queue, exchange, routing_key))

    def prepare_queue_arguments(self, arguments, **_):
        return arguments


def test_a_service_tells_on_a_durable_topic_exchange():
    exchange = topology.exchange("triage")
    assert (exchange.name, exchange.type, exchange.durable) == ("triage.events", "topic", True)


def test_an_inbox_is_a_durable_quorum_queue_bound_by_event_type():
    queue = topology.inbox_queue("triage", [ComplaintHandedOver, ResponseSubmitted])
    assert (queue.name, queue.durable) == ("triage.inbox", True)
    assert {(bound.exchange.name, bound.routing_key) for bound in queue.bindings} == {
        ("intake.events", "complaint.handed_over.v1"),
        ("opd_response.events", "response.submitted.v1"),
        ("triage.moves", "triage.inbox"),
    }
    assert queue.queue_arguments == {
        "x-queue-type": "quorum",
        "x-delivery-limit": topology.DELIVERY_LIMIT,
        "x-dead-letter-exchange": "triage.moves",
        "x-dead-letter-routing-key": "triage.quarantine",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def test_a_retry_queue_is_named_by_its_delay_and_leads_back_to_the_inbox():
    queue = topology.retry_queue("triage", 5000)
    assert queue.name == "triage.retry.5000"
    assert queue.queue_arguments["x-queue-type"] == "quorum"
    assert queue.queue_arguments["x-message-ttl"] == 5000
    assert queue.queue_arguments["x-dead-letter-routing-key"] == "triage.inbox"
    # At-least-once dead lettering requires this overflow setting.
    assert queue.queue_arguments["x-dead-letter-strategy"] == "at-least-once"
    assert queue.queue_arguments["x-overflow"] == "reject-publish"


def test_the_quarantine_keeps_for_good():
    quarantine = topology.waiting_queues("triage")[-1]
    assert (quarantine.name, quarantine.queue_arguments) == (
        "triage.quarantine",
        {"x-queue-type": "quorum", "x-delivery-limit": topology.NO_DELIVERY_LIMIT},
    )


def test_there_is_one_retry_queue_for_each_delay():
    names = [queue.name for queue in topology.waiting_queues("triage")]
    assert names == [
        "triage.retry.1000",
        "triage.retry.5000",
        "triage.retry.30000",
        "triage.retry.120000",
        "triage.retry.600000",
        "triage.quarantine",
    ]


def test_delays_grow_by_default():
    assert topology.retry_delays() == (1_000, 5_000, 30_000, 120_000, 600_000)


@pytest.mark.parametrize(
    ("text", "delays"),
    [
        ("", (1_000, 5_000, 30_000, 120_000, 600_000)),
        ("2", (2_000,)),
        ("0.05,1", (50, 1_000)),
        (" 1 , 2 ", (1_000, 2_000)),
    ],
)
def test_delays_are_given_in_seconds(monkeypatch, text, delays):
    monkeypatch.setenv("NKK_RETRY_DELAYS", text)
    assert topology.retry_delays() == delays


@pytest.mark.parametrize("text", ["soon", "1,", "1;2", "1,,2", "nan"])
def test_delays_that_are_none_are_named(monkeypatch, text):
    monkeypatch.setenv("NKK_RETRY_DELAYS", text)
    with pytest.raises(SettingsError, match=r"^NKK_RETRY_DELAYS=.* must be seconds"):
        topology.retry_delays()


REPLAYS = ("replay", "replay-requests")


def test_every_queue_and_binding_of_the_contracts_is_declared_and_nothing_else():
    channel = Recorder()
    names = topology.declare(channel, STAGES, EVENTS)
    assert set(names) == set(channel.declared)
    assert {name for name in names if name.endswith(".events")} == {f"{stage}.events" for stage in STAGES}
    requests = {(f"{stage}.replay-requests",) * 3 for stage in STAGES}
    requests |= {(f"{stage}.replay", f"{stage}.replay", "rest") for stage in STAGES}
    assert {bound for bound in channel.bound if not bound[1].endswith(".moves")} == requests | {
        (f"{consumer}.inbox", f"{teller}.events", event.TYPE)
        for event in EVENTS
        for consumer in event.CONSUMERS
        for teller in event.SERVICES
        if teller != consumer
    }


def test_a_stage_moves_events_between_its_own_queues_only():
    channel = Recorder()
    topology.declare(channel, STAGES, EVENTS)
    moves = [bound for bound in channel.bound if bound[1].endswith(".moves")]
    assert {queue for queue, _, _ in moves} == {
        queue for queue in channel.declared if queue.partition(".")[2] not in ("", "events", "moves", *REPLAYS)
    }
    assert all(exchange == f"{queue.partition('.')[0]}.moves" and key == queue for queue, exchange, key in moves)


def test_a_stage_that_hears_nothing_has_no_queues():
    events = [event for event in EVENTS if "intake" not in event.CONSUMERS]
    names = {name.partition(".")[2] for name in topology.declare(Recorder(), STAGES, events) if name[:7] == "intake."}
    assert names == {"events", *REPLAYS}


def test_exchanges_are_declared_before_the_queues_bound_to_them():
    names = topology.declare(Recorder(), STAGES, EVENTS)
    assert names[: len(STAGES) + 1] == ["nameko-rpc", *(f"{stage}.events" for stage in STAGES)]


@pytest.mark.parametrize("text", ["inf", "-1", "1,-5"])
def test_delays_that_no_queue_can_have_are_named(monkeypatch, text):
    monkeypatch.setenv("NKK_RETRY_DELAYS", text)
    with pytest.raises(SettingsError):
        topology.retry_delays()
