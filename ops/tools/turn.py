"""One command at a time changes tools: two that add the same name at once would overwrite each other's user."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from amqp.exceptions import ResourceLocked
from kombu import Connection

from ops.broker_api import BrokerApi
from ops.tools.tool import ToolError

PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.1


@contextmanager
def one_at_a_time(api: BrokerApi, what: str = "tools") -> Iterator[None]:
    """Wait until no other command changes `what`, and keep the others waiting. Raises ToolError after half a minute."""
    until = monotonic() + PATIENCE_SECONDS
    with Connection(api.uri, connect_timeout=5) as connection:
        while not _has_turn(connection, f"{what}.changing"):
            if monotonic() > until:
                raise ToolError(f"Another command is changing {what} and does not end: try again when it has ended.")
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
