"""The AsyncAPI 3 document of all events, generated from the contracts."""

import inspect
import json
from pathlib import Path
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from nkk.contracts import asyncapi_tools
from nkk.contracts.envelope import CONTENT_TYPE, EventData
from nkk.contracts.events import EVENTS
from nkk.exchanges import exchange_name, opd_key

SAMPLES = Path(__file__).parent / "samples"


def document() -> dict[str, Any]:
    """Return the document: for each event a channel, a message, the schema of its data, and its golden sample."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Pengaduan NKK: events",
            "version": "1",
            "description": asyncapi_tools.DESCRIPTION,
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {
            **{_published(event, service): _channel(event, service) for event, service in _publications()},
            **asyncapi_tools.channels(),
        },
        "operations": {
            **{f"on{_published(event, service)}": _operation(event, service) for event, service in _publications()},
            **asyncapi_tools.operations(),
        },
        "components": {
            "messages": {_name(event): _message(event) for event in EVENTS} | asyncapi_tools.messages(),
            "schemas": {"Envelope": _ENVELOPE, **_data_schemas(), **asyncapi_tools.schemas()},
        },
    }


_TEXT = {"type": "string", "minLength": 1, "maxLength": 200}

_ENVELOPE = {
    "type": "object",
    "description": "A CloudEvents 1.0 envelope.",
    "required": ["specversion", "id", "source", "type", "time", "subject", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": _TEXT | {"description": "The globally unique id; a redelivery has the same."},
        "source": _TEXT | {"description": "The service that publishes the event.", "examples": ["/nkk/intake"]},
        "type": _TEXT | {"description": "The event's type and version; also the routing key."},
        "time": {"type": "string", "format": "date-time", "description": "When the fact happened (UTC)."},
        "subject": _TEXT | {"description": "What the event is about, such as the ticket."},
        "datacontenttype": {"const": "application/json"},
        "correlationid": {"type": "string", "description": "The id of the HTTP request that caused the event."},
        "data": {"type": "object"},
    },
}


def _name(event: type[EventData]) -> str:
    return event.__name__


def _publications() -> list[tuple[type[EventData], str]]:
    return [(event, service) for event in EVENTS for service in event.SERVICES]


def _published(event: type[EventData], service: str) -> str:
    """Return the event's name, with the service's where several publish it."""
    by = "" if len(event.SERVICES) == 1 else "By" + service.title().replace("_", "")
    return _name(event) + by


def _channel(event: type[EventData], service: str) -> dict[str, Any]:
    return {
        "address": event.TYPE,
        "messages": {_name(event): {"$ref": f"#/components/messages/{_name(event)}"}},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": exchange_name(service), "type": "topic", "durable": True, "autoDelete": False},
            }
        },
    }


def _operation(event: type[EventData], service: str) -> dict[str, Any]:
    consumers = ", ".join(consumer for consumer in event.CONSUMERS if consumer != service) or "tools only"
    tools = " Never given to tools." if event.PRIVATE else ""
    second = asyncapi_tools.names_opd(event) and service in asyncapi_tools.OF_OPD
    keys = f" Its second routing key is `{opd_key('{opd}', event.TYPE)}` where its data names an OPD." if second else ""
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{_published(event, service)}"},
        "summary": inspect.getdoc(event),
        "description": f"Published by {service}; consumed by {consumers}.{tools}{keys}",
        "messages": [{"$ref": f"#/channels/{_published(event, service)}/messages/{_name(event)}"}],
    }


def _message(event: type[EventData]) -> dict[str, Any]:
    return {
        "name": event.TYPE,
        "contentType": CONTENT_TYPE,
        "summary": inspect.getdoc(event),
        "payload": {
            "allOf": [
                {"$ref": "#/components/schemas/Envelope"},
                {
                    "type": "object",
                    "properties": {
                        "type": {"const": event.TYPE},
                        "data": {"$ref": f"#/components/schemas/{_name(event)}Data"},
                    },
                },
            ]
        },
        "examples": [{"payload": json.loads((SAMPLES / f"{event.TYPE}.json").read_text("utf-8"))}],
    }


def _data_schemas() -> dict[str, Any]:
    # OpenAPI 3.1 writes schemas as plain JSON Schema, which is AsyncAPI's default.
    spec = APISpec(title="", version="", openapi_version="3.1.0", plugins=[MarshmallowPlugin()])
    for event in EVENTS:
        spec.components.schema(f"{_name(event)}Data", schema=event.SCHEMA)
    return spec.to_dict()["components"]["schemas"]
