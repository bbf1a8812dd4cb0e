import pytest
from sqlalchemy import select

from nkk.messaging.publisher import NotConfirmedError
from nkk.messaging.relay import BATCH, Relay
from nkk.store.work import UnitOfWork


class Broker:
    """A publisher that confirms all events except those with a subject in `unroutable`."""

    def __init__(self, *unroutable):
        self.unroutable = set(unroutable)
        self.published = []

    def publish(self, messages):
        messages = list(messages)
        self.published += messages
        return {message.id for message in messages if not any(name in message.body for name in self.unroutable)}


@pytest.fixture
def tell(database, work_cls, event_cls):
    def tell(*names):
        with UnitOfWork(database, work_cls, "things").begin() as work:
            work.emit(*(event_cls(name) for name in names))

    return tell


@pytest.fixture
def relay(database, work_cls):
    return Relay(database, work_cls.OUTBOX, "things", "amqp://nowhere.example")


@pytest.fixture
def unsent(database, work_cls):
    def unsent():
        outbox = work_cls.OUTBOX
        with database.reading() as connection:
            return list(
                connection.execute(
                    select(outbox.c.subject).where(outbox.c.sent_at.is_(None)).order_by(outbox.c.id)
                ).scalars()
            )

    return unsent


def test_what_was_confirmed_is_marked_and_not_published_again(relay, tell, unsent):
    tell("a", "b")
    broker = Broker()
    assert relay.relay_batch(broker) == 2
    assert relay.relay_batch(broker) == 0
    assert (len(broker.published), unsent()) == (2, [])


def test_a_message_is_what_the_outbox_holds(relay, tell):
    tell("a")
    broker = Broker()
    relay.relay_batch(broker)
    (message,) = broker.published
    assert message.id in message.body
    assert (message.exchange, message.routing_key, message.type, message.content_type, message.mandatory) == (
        "things.events",
        "thing.happened.v1",
        "thing.happened.v1",
        "application/cloudevents+json",
        True,
    )


def test_events_of_one_subject_leave_one_after_another(relay, tell):
    tell("a", "a", "b")
    broker = Broker()
    assert relay.relay_batch(broker) == 2
    assert relay.relay_batch(broker) == 1
    assert len({message.id for message in broker.published}) == 3


def test_an_event_no_queue_takes_holds_back_its_own_subject_only(relay, tell, unsent):
    tell("a", "a", "b")
    assert relay.relay_batch(Broker('"a"')) == 1
    broker = Broker()
    assert relay.relay_batch(broker) == 0
    assert (broker.published, unsent()) == ([], ["a", "a"])


def test_a_broker_that_does_not_answer_leaves_everything_unsent(relay, tell, unsent):
    class Silent(Broker):
        def publish(self, messages):
            super().publish(messages)
            raise NotConfirmedError("no answer")

    tell("a")
    with pytest.raises(NotConfirmedError):
        relay.relay_batch(Silent())
    assert unsent() == ["a"]
    assert relay.relay_batch(Broker()) == 1


def test_a_batch_has_a_size(relay, tell):
    tell(*(f"subject-{number}" for number in range(BATCH + 1)))
    assert relay.relay_batch(Broker()) == BATCH
    assert relay.relay_batch(Broker()) == 1
