from types import SimpleNamespace

from nkk.messaging.consumer import _copy


def received(**properties):
    """A message as kombu hands it over."""
    return SimpleNamespace(body=b"{}", properties=properties, content_type=None, delivery_tag=1)


def test_a_copy_keeps_the_id_of_its_message():
    assert _copy(received(message_id="event-1"), "triage.moves", "triage.quarantine", {}).id == "event-1"


def test_messages_without_an_id_can_be_told_apart_in_quarantine():
    one, other = (_copy(received(), "triage.moves", "triage.quarantine", {}) for _ in range(2))
    assert one.id != other.id
