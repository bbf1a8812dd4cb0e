"""The state of an installation for `nkk status`: whether every stage answers, and what waits or has failed."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from amqp.exceptions import NotFound
from kombu import Connection

from nkk.contracts import STAGES, UnreadableEventError, read_envelope
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.messaging.rpc_client import RpcClient
from nkk.messaging.topology import calls_name, inbox_name, quarantine_name, retry_delays
from ops.stack.quarantine import HEARING

COLUMNS = {
    "stage": "stage",
    "answers": "answers",
    "instances": "connected",
    "calls": "calls waiting",
    "events": "events waiting",
    "oldest_seconds": "oldest (s)",
    "retrying": "retrying",
    "quarantined": "quarantined",
    "unsent": "unsent",
    "unsent_oldest_seconds": "unsent oldest (s)",
    "letters_waiting": "letters waiting",
    "letters_given_up": "letters given up",
}

MORE = {"notification": "letters", "intake": "joint_leave"}
"""Further RPC methods called at these stages. An instance of another version may lack them, and still counts as up."""

NO_ANSWER = (StageUnavailableError, StageFailedError, RefusedRemotelyError)

JOINT_LEAVE = (
    "Joint leave (cuti bersama) of {} is not in the calendar, because it was not known yet. Once it "
    "is decreed, enter it and mark it as complete, or install a newer version."
)


UNSEEN = (
    "Nobody at the desk of {} may see {}: everybody there stepped aside, or is the person whom the complaint is about. "
    "Add an account for the desk (`nkk staff add`)."
)
MOST_NAMED = 10
"""How many tickets of a desk are named."""


def rows(uri: str, client: RpcClient) -> list[dict[str, Any]]:
    """Return a row for each stage, with None for values that cannot be determined.

    `instances` are those connected to the broker, which excludes one that has hung longer than the broker's heartbeat.
    `events` and `calls` are the messages ready in its queues, and `oldest_seconds` is the age of the oldest of those
    events. `unsent` events wait in the stage's outbox, and `letters` are e-mails.
    """
    # Connected first, so that connecting does not use up the timeout of the first call.
    client.is_connected()
    with Connection(uri, connect_timeout=5) as connection:
        return [_row(connection, client, stage) for stage in STAGES]


def with_unseen(found: list[dict[str, Any]], as_admin: Callable[..., Any]) -> list[dict[str, Any]]:
    """Return the rows with the tickets of waiting cases that nobody at the stage's desk may see, as `unseen`.

    `as_admin` calls a stage's method as an admin. They are missing where a stage does not answer, or is of a version
    that hides no case.
    """
    with suppress(*NO_ANSWER):
        seats = as_admin("seats")
        return [row | _unseen(row, seats, as_admin) for row in found]
    return found


def _unseen(row: dict[str, Any], seats: list[Any], as_admin: Callable[..., Any]) -> dict[str, Any]:
    with suppress(*NO_ANSWER):
        return {"unseen": as_admin("unseen", seats, stage=row["stage"])} if row["answers"] else {}
    return {}


def table(found: list[dict[str, Any]]) -> str:
    """Return the rows as a table for a terminal."""
    return "\n".join(
        [
            lined_up(COLUMNS, found),
            *(
                JOINT_LEAVE.format(", ".join(map(str, years)))
                for row in found
                if (years := row.get("joint_leave_unknown"))
            ),
            *(UNSEEN.format(row["stage"], _named(tickets)) for row in found if (tickets := row.get("unseen"))),
        ]
    )


def _named(tickets: list[str]) -> str:
    more = f" and {len(tickets) - MOST_NAMED} more" if len(tickets) > MOST_NAMED else ""
    return ", ".join(tickets[:MOST_NAMED]) + more


def lined_up(columns: Mapping[str, str], found: list[dict[str, Any]]) -> str:
    """Return the `columns` of the rows, each with its title, as a table for a terminal."""
    cells = [list(columns.values())] + [[_cell(row[name]) for name in columns] for row in found]
    widths = [max(len(line[column]) for line in cells) for column in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )


def _row(connection: Connection, client: RpcClient, stage: str) -> dict[str, Any]:
    calls, instances = depth(connection, calls_name(stage))
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {"stage": stage, "answers": False, "calls": calls, "instances": instances}
    if stage in HEARING:
        row["events"], _ = depth(connection, inbox_name(stage))
        row["oldest_seconds"] = age_of_oldest(connection, inbox_name(stage)) if row["events"] else None
        row["retrying"] = sum(depth(connection, f"{stage}.retry.{delay}")[0] or 0 for delay in retry_delays())
        row["quarantined"], _ = depth(connection, quarantine_name(stage))
    with suppress(*NO_ANSWER):
        row |= client.call(stage, "outbox") | {"answers": True}
        if stage in MORE:
            row |= client.call(stage, MORE[stage])
    return row


def depth(connection: Connection, queue: str) -> tuple[int | None, int | None]:
    """Return (messages ready, consumers) of a queue; (None, None) where there is no such queue."""
    channel = connection.channel()
    try:
        _, messages, consumers = channel.queue_declare(queue, passive=True)
    except NotFound:
        return None, None
    channel.close()
    return messages, consumers


def age_of_oldest(connection: Connection, queue: str) -> int | None:
    """Return the age in seconds of the first waiting event, which is fetched and requeued."""
    channel = connection.channel()
    message = channel.basic_get(queue)
    try:
        told = read_envelope(message.body)["time"] if message else None
    except UnreadableEventError:
        told = None
    if message:
        channel.basic_reject(message.delivery_tag, requeue=True)
    channel.close()
    return int((datetime.now(UTC) - told).total_seconds()) if told else None


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return str(value)
