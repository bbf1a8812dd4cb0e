"""Which properties of a message reach py-amqp and kombu, which decode a body before any check of ours."""

import pytest
from amqp import serialization
from amqp.basic_message import Message
from amqp.spec import Basic

from nkk.messaging.plain import read_any_properties


@pytest.fixture(autouse=True)
def _safeguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serialization, "PROPERTY_CLASSES", dict(serialization.PROPERTY_CLASSES))
    read_any_properties()


def received(**properties: object) -> dict[str, object]:
    """Return the properties of a message as they are read from the connection."""
    message = Message()
    message._load_properties(Basic.CLASS_ID, Message(b"{}", **properties)._serialize_properties(), 0)
    return message.properties


@pytest.mark.parametrize("encoding", ["utf-8", "UTF-8", "utf8", "binary", ""])
def test_an_encoding_that_our_messages_may_have_stays(encoding: str) -> None:
    assert received(content_encoding=encoding, message_id="x") == {"content_encoding": encoding, "message_id": "x"}


@pytest.mark.parametrize(
    "encoding", ["punycode", "PUNYCODE", "puny_code", "idna", "utf-16", "gzip", "rot13", "x" * 255]
)
def test_no_other_decoder_is_chosen_by_whoever_sent_a_message(encoding: str) -> None:
    """Python's decoder of punycode needs an hour for a megabyte, and the stage does nothing else meanwhile."""
    properties = received(content_encoding=encoding, message_id="x")
    assert properties["message_id"] == "x"
    with pytest.raises(LookupError):
        b"{}".decode(str(properties["content_encoding"]))


def test_properties_that_cannot_be_decoded_are_empty() -> None:
    assert received(type=b"\xff") == {}
