from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from nkk.messaging.batches import BATCH_SIZE, ConsumesBatches, Delivery, Gathering
from nkk.messaging.draining import DrainingConsumer
from nkk.store.work import AlreadyHandledError


def delivery(subject, number=0):
    event = SimpleNamespace(id=f"{subject}-{number}", subject=subject, correlation_id=None, type="thing.happened.v1")
    return Delivery("on_thing_happened", event, Mock())


class Stage(ConsumesBatches):
    name = "things"

    def __init__(self, known=()):
        self.heard, self.known = [], known
        self.uow = SimpleNamespace(batch=Mock(return_value=Mock(__enter__=Mock(), __exit__=Mock(return_value=None))))

    def on_thing_happened(self, event):
        if event.id in self.known:
            raise AlreadyHandledError(event.id)
        self.heard.append(event.id)


def test_each_subject_is_heard_in_the_order_its_events_came():
    stage = Stage()
    stage.consume_batch([delivery("b", 1), delivery("a", 1), delivery("b", 0), delivery("a", 2)])
    assert stage.heard == ["a-1", "a-2", "b-1", "b-0"]


def test_what_was_known_is_said_and_the_others_are_heard():
    stage, batch = Stage(known={"a-1"}), [delivery("a", 1), delivery("b", 1)]
    assert stage.consume_batch(batch) == [batch[0]]
    assert stage.heard == ["b-1"]


class Container:
    """A container that runs its work when the test says so."""

    def __init__(self):
        self.threads, self.workers = [], []

    def spawn_managed_thread(self, run, identifier):
        self.threads.append(run)

    def spawn_worker(self, entrypoint, args, kwargs, context_data, handle_result):
        self.workers.append((args[0], handle_result))

    def begin(self):
        self.threads.pop()()

    def end(self, error=None):
        batch, done = self.workers.pop()
        done(None, [], (type(error), error, None) if error else None)
        return batch


def test_what_comes_while_a_batch_is_under_way_is_the_next():
    container, settled = Container(), []
    gathering = Gathering(container, lambda batch, known, error: settled.append((batch, error)))
    first, *others = [delivery("a", number) for number in range(BATCH_SIZE + 2)]
    gathering.add(first)
    container.begin()
    for each in others:
        gathering.add(each)
    assert container.threads == []
    assert container.end() == [first]
    container.begin()
    error = ZeroDivisionError()
    assert container.end(error) == others[:BATCH_SIZE]
    container.begin()
    assert container.end() == others[BATCH_SIZE:]
    assert container.threads == []
    assert [error for _, error in settled] == [None, error, None]
    gathering.add(first)
    container.begin()
    assert container.end() == [first]


@pytest.fixture
def consumer():
    return DrainingConsumer("amqp://nowhere", on_raw=lambda _: None)


def received(consumer, channel, *tags):
    messages = [Mock(channel=channel, delivery_tag=tag) for tag in tags]
    for message in messages:
        consumer._receive_raw(message)
    return messages


def test_all_that_is_in_flight_is_acknowledged_in_one_frame(consumer):
    messages = received(consumer, Mock(), 1, 2, 3)
    consumer.ack_messages(messages[:2])
    messages[1].ack.assert_called_once_with(multiple=True)
    assert not messages[0].ack.called
    assert not messages[2].ack.called
    assert list(consumer._in_flight.values()) == [messages[2]]


def test_what_is_still_in_flight_is_not_acknowledged_by_what_came_after_it(consumer):
    messages = received(consumer, Mock(), 1, 2, 3)
    consumer.ack_messages([messages[0], messages[2]])
    for message in (messages[0], messages[2]):
        message.ack.assert_called_once_with()
    assert not messages[1].ack.called
    assert list(consumer._in_flight.values()) == [messages[1]]


def test_messages_of_a_connection_that_was_lost_are_not_counted_with_those_of_the_next(consumer):
    old, new = received(consumer, Mock(connection=None), 1, 2), received(consumer, Mock(), 1, 2)
    consumer.ack_messages([new[0], old[0]])
    new[0].ack.assert_called_once_with()
    assert not old[0].ack.called
    consumer.ack_messages([new[1]])
    new[1].ack.assert_called_once_with(multiple=True)
    consumer.ack_messages([old[1]])
    assert not old[1].ack.called
    assert consumer._in_flight == {}
