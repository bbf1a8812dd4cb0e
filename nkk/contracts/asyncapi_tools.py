"""The parts of the AsyncAPI document about tools: their queues, requests for past events, and what answers them."""

from collections.abc import Iterable
from typing import Any

from nkk.contracts.envelope import EventData
from nkk.contracts.events import EVENTS, STAGES
from nkk.exchanges import (
    REPLAY,
    REPLAY_ENDED,
    REPLAY_MARKER,
    REPLAY_REFUSED,
    TOOL_NAME,
    exchange_name,
    opd_key,
    replay_key,
    replay_name,
    replay_requests_name,
    tool_queue,
    tool_replay_queue,
    tool_user,
)

OF_OPD = ("triage", "opd_response")
"""The stages whose tools can be limited to one OPD."""

TOOL, OPD, TYPE, STAGE = "{tool}", "{opd}", "{type}", "{stage}"

DESCRIPTION = f"""\
The events of the four stages of the complaint service, over AMQP 0-9-1. Each is a CloudEvents 1.0 envelope in JSON.

**Exchanges.** Each stage publishes to the durable topic exchange `{exchange_name(STAGE)}`, with the event's type as \
routing key. An event whose data names an OPD has a second routing key, `{opd_key(OPD, TYPE)}`, by the header `CC`; a \
delivery always states the first. AMQP's `message_id` is the event's `id`, and its `type` the event's type.

**Tools.** `nkk tools add` makes a broker user `{tool_user(TOOL)}` for one stage, and two durable quorum queues: \
`{tool_queue(TOOL, STAGE)}` for what happens and `{tool_replay_queue(TOOL, STAGE)}` for past events. It binds them to \
the types that the tool may receive, under the second routing key where the tool is for one OPD. The tool consumes \
these queues and publishes requests; it can declare, bind and delete nothing. Events wait while it is away, 30 days \
and a million of them unless the installation sets other limits, beyond which the oldest are dropped.

**Webhooks.** A webhook posts the same envelopes to a URL instead, signed after Standard Webhooks: docs/tools.md.

**Delivery.** An event is delivered at least once: recognise a repetition by its `id`. Events of one `subject` are \
delivered in order; no order is promised between subjects. Acknowledge an event when it has been processed. Ignore \
fields that you do not know.

**Past events.** Consume `{tool_replay_queue(TOOL, STAGE)}`, purge it, and publish a request to \
`{replay_requests_name(STAGE)}`. The stage publishes the events that it still keeps, in their order, to the topic \
exchange `{replay_name(STAGE)}` under `{replay_key(TOOL, TYPE)}`, with the same body, `message_id` and AMQP `type` as \
before, and then a marker under `{replay_key(TOOL, REPLAY_MARKER)}`. All of them name the request in the header \
`{REPLAY}`: pass over those of another request. Read up to the marker, and then `{tool_queue(TOOL, STAGE)}`, where \
the events that happened meanwhile wait: nothing is missing, and what was in the replay already is recognised by its \
`id`. A restart of the stage or of the broker does not end a replay; some events may then come twice. A newer request \
of the tool replaces one that is still being answered.
"""


def channels() -> dict[str, Any]:
    """Return for each stage the channels of its tools' queues and of their requests."""
    return {name: channel for stage in STAGES for name, channel in _channels(stage).items()}


def operations() -> dict[str, Any]:
    """Return for each stage what its tools do with these channels."""
    return {name: operation for stage in STAGES for name, operation in _operations(stage).items()}


def messages() -> dict[str, Any]:
    """Return the messages that are no events."""
    return {"ReplayRequest": _REQUEST, "ReplayEnded": _ENDED, "ReplayRefused": _REFUSED}


def schemas() -> dict[str, Any]:
    """Return the schemas of these messages."""
    return {"ReplayRequest": _REQUEST_BODY, "ReplayEnded": _ENDED_BODY, "ReplayRefused": _REFUSED_BODY}


def names_opd(event: type[EventData]) -> bool:
    """Return whether events of this type can concern an OPD, and so have a second routing key."""
    return "opd" in event.SCHEMA.fields


def _of(stage: str) -> str:
    return "Of" + stage.title().replace("_", "")


def _refs(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _events(stage: str) -> list[str]:
    return [event.__name__ for event in EVENTS if stage in event.SERVICES and not event.PRIVATE]


def _queue(name: str, messages: Iterable[str]) -> dict[str, Any]:
    return {
        "address": name,
        "parameters": {"tool": {"description": f"The tool's name, of the form `{TOOL_NAME}`."}},
        "messages": _refs(messages),
        "bindings": {
            "amqp": {"is": "queue", "queue": {"name": name, "durable": True, "exclusive": False, "autoDelete": False}}
        },
    }


def _channels(stage: str) -> dict[str, Any]:
    of, requests = _of(stage), replay_requests_name(stage)
    exchange = {"name": requests, "type": "direct", "durable": True, "autoDelete": False}
    return {
        f"toolQueue{of}": _queue(tool_queue(TOOL, stage), _events(stage)),
        f"replayQueue{of}": _queue(tool_replay_queue(TOOL, stage), [*_events(stage), "ReplayEnded", "ReplayRefused"]),
        f"replayRequests{of}": {
            "address": requests,
            "messages": _refs(["ReplayRequest"]),
            "bindings": {"amqp": {"is": "routingKey", "exchange": exchange}},
        },
    }


def _operations(stage: str) -> dict[str, Any]:
    of = _of(stage)
    opd = f" A tool of one OPD receives those under `{opd_key(OPD, TYPE)}` alone." if stage in OF_OPD else ""
    return {
        f"receiveAsTool{of}": {
            "action": "receive",
            "channel": {"$ref": f"#/channels/toolQueue{of}"},
            "summary": f"Receive the events of {stage} that the tool may receive.{opd}",
            "bindings": {"amqp": {"ack": True}},
        },
        f"requestReplay{of}": {
            "action": "send",
            "channel": {"$ref": f"#/channels/replayRequests{of}"},
            "summary": f"Ask {stage} to publish its past events again, for this tool.",
            "description": "The broker refuses a `user_id` that is not the connection's own user. A message that is "
            "returned (mandatory), or an exchange that does not exist, means that the stage is of an older version.",
            "bindings": {"amqp": {"userId": tool_user(TOOL), "deliveryMode": 2, "mandatory": True}},
            "reply": {"channel": {"$ref": f"#/channels/replayQueue{of}"}},
        },
        f"receiveReplay{of}": {
            "action": "receive",
            "channel": {"$ref": f"#/channels/replayQueue{of}"},
            "summary": f"Receive past events of {stage}, and the marker that ends them.",
            "bindings": {"amqp": {"ack": True}},
        },
    }


_REQUEST_ID = {"type": "string", "description": "The `message_id` of the request."}
_INSTANT = {"type": "string", "format": "date-time"}
_HEADERS = {"type": "object", "required": [REPLAY], "properties": {REPLAY: _REQUEST_ID}}
_COUNT = {
    "type": "integer",
    "description": "How many events the stage published; those that the tool may not receive are counted too.",
}
_EXAMPLE_ID = "5b0c3d52-6a3f-4c59-9a55-0c8a1f7b3c11"

_REQUEST_BODY = {
    "type": "object",
    "required": ["since"],
    "properties": {
        "since": {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "Events from this instant on; all that are kept where it is null.",
        }
    },
}
_ENDED_BODY = {
    "type": "object",
    "required": ["request", "since", "until", "count", "reaches"],
    "properties": {
        "request": _REQUEST_ID,
        "since": {"type": ["string", "null"], "format": "date-time", "description": "As it was requested."},
        "until": _INSTANT | {"description": "When the replay began: later events come in the live queue alone."},
        "count": _COUNT,
        "reaches": _INSTANT | {"description": "Events of complaints closed before this instant are no longer kept."},
    },
}
_REFUSED_BODY = {
    "type": "object",
    "required": ["request", "reason"],
    "properties": {"request": _REQUEST_ID, "reason": {"type": "string", "description": "A sentence in English."}},
}

_REQUEST = {
    "contentType": "application/json",
    "summary": "A request for past events. Its `message_id`, a new UUID, is the request's id; its `user_id` is the "
    "tool's broker user.",
    "payload": {"$ref": "#/components/schemas/ReplayRequest"},
    "examples": [{"payload": {"since": "2026-11-01T00:00:00Z"}}, {"payload": {"since": None}}],
}
_ENDED = {
    "name": REPLAY_ENDED,
    "contentType": "application/json",
    "summary": f"The marker behind the last past event; AMQP's `type` is `{REPLAY_ENDED}`.",
    "headers": _HEADERS,
    "payload": {"$ref": "#/components/schemas/ReplayEnded"},
    "examples": [
        {
            "headers": {REPLAY: _EXAMPLE_ID},
            "payload": {
                "request": _EXAMPLE_ID,
                "since": "2026-11-01T00:00:00.000000Z",
                "until": "2026-11-29T08:30:00.000000Z",
                "count": 1734,
                "reaches": "2026-08-31T08:30:00.000000Z",
            },
        }
    ],
}
_REFUSED = {
    "name": REPLAY_REFUSED,
    "contentType": "application/json",
    "summary": f"The stage cannot use the request; AMQP's `type` is `{REPLAY_REFUSED}`. No events come.",
    "headers": _HEADERS,
    "payload": {"$ref": "#/components/schemas/ReplayRefused"},
    "examples": [
        {
            "headers": {REPLAY: _EXAMPLE_ID},
            "payload": {
                "request": _EXAMPLE_ID,
                "reason": "`since` is not an instant such as 2026-11-01T00:00:00Z.",
            },
        }
    ],
}
