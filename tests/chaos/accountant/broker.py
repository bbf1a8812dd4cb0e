"""The book of the broker: no message is waiting, and the quarantine has only events that were meant to fail."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Any

from kombu import Connection

from nkk.contracts import STAGES, read_envelope
from nkk.messaging.topology import inbox_name, retry_delays
from ops.stack import quarantine
from ops.stack.quarantine import HEARING
from tests.chaos.accountant.breach import Breach

LISTENER = "tool.accountant"
"""The harness's own queue, bound to every exchange. It contains what any tool would have consumed."""


@dataclass(frozen=True)
class Left:
    """`waiting` is the number of messages by queue, `quarantined` the summaries of events by stage."""

    waiting: dict[str, int]
    quarantined: dict[str, list[dict[str, Any]]]


def read(uri: str) -> Left:
    """Return what is on the broker at `uri` now."""
    with Connection(uri, connect_timeout=5) as connection:
        waiting = {
            queue: connection.default_channel.queue_declare(queue, passive=True).message_count
            for stage in HEARING
            for queue in (inbox_name(stage), *(f"{stage}.retry.{delay}" for delay in retry_delays()))
        }
    return Left(waiting, {stage: [item.summary() for item in quarantine.items(uri, stage)] for stage in HEARING})


def listen(uri: str) -> None:
    """Make the accountant's own queue collect everything from now on."""
    with Connection(uri, connect_timeout=5) as connection:
        channel = connection.default_channel
        channel.queue_declare(LISTENER, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
        for stage in STAGES:
            channel.queue_bind(LISTENER, f"{stage}.events", "#")


def overheard(uri: str) -> list[tuple[str, str]]:
    """Return (stage, event id) of everything collected since the last call, in order of arrival."""
    found = []
    with Connection(uri, connect_timeout=5) as connection:
        channel = connection.default_channel
        while message := channel.basic_get(LISTENER, no_ack=True):
            found.append((message.delivery_info["exchange"].removesuffix(".events"), read_envelope(message.body)["id"]))
    return found


def breaches(left: Left, meant_to_fail: Container[str] = ()) -> Iterator[Breach]:
    """Yield messages that wait although all is healed, and quarantined events that are not in `meant_to_fail`."""
    for queue, count in left.waiting.items():
        if count:
            yield Breach("queues", queue, f"{count} events still wait")
    for stage, items in left.quarantined.items():
        for item in items:
            if item["id"] not in meant_to_fail:
                yield Breach(
                    "quarantine",
                    item["subject"] or item["id"],
                    f"{item['type']} {item['id']} is in the quarantine of {stage}: {item['reason']}",
                )
