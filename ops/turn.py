"""One command at a time changes a thing: two that add the same tool at once would overwrite each other's user."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from amqp.exceptions import ResourceLocked
from kombu import Connection

PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.1


class BusyError(ValueError):
    """Another command has the turn, and does not end."""


@contextmanager
def one_at_a_time(uri: str, what: str) -> Iterator[None]:
    """Wait until no other command changes `what`, and keep the others waiting. Raises BusyError after half a minute.

    `uri` is the AMQP URI of a user who may declare queues.
    """
    until = monotonic() + PATIENCE_SECONDS
    with Connection(uri, connect_timeout=5) as connection:
        while not _has_turn(connection, f"{what}.changing"):
            if monotonic() > until:
                raise BusyError(f"Another command is changing {what} and does not end: try again when it has ended.")
            sleep(LOOK_SECONDS)
        yield


def _has_turn(connection: Connection, queue: str) -> bool:
    # The broker deletes an exclusive queue when its connection ends, also that of a command that was killed.
    channel = connection.channel()
    try:
        channel.queue_declare(queue, exclusive=True, auto_delete=False)
    except ResourceLocked:
        return False
    return True
