"""The form of events: a CloudEvents 1.0 JSON envelope around one frozen dataclass of data.

A dataclass declared with `@event` is the whole contract of its event: its type, its publishers, its consumers, and its
fields with their constraints. A changed shape is a new type (`.v2`) beside the old one.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, Self, TypeVar, dataclass_transform

from marshmallow import EXCLUDE, Schema, ValidationError, missing
from marshmallow.fields import Field

from nkk.contracts.fields import Happened, Instant, write_instant

D = TypeVar("D", bound="EventData")
E = TypeVar("E", bound="type[EventData]")

CONTENT_TYPE = "application/cloudevents+json"

AHEAD = timedelta(days=3)
"""How far a publisher's clock may be ahead of a consumer's, so that a clock set to a wrong day is tolerated. An event
dated further ahead is refused."""


class UnreadableEventError(Exception):
    """The bytes are not the expected event: not JSON, not an envelope, another type, or with invalid fields.

    The message names the faults and never quotes the content.
    """


@dataclass(frozen=True)
class Event(Generic[D]):
    """A parsed event: the envelope's attributes and its `data`.

    `id` is globally unique; `time` (aware) is that of the fact; `subject` is what the event is about (such as the
    ticket), and events of one subject are ordered; `correlation_id` is that of the HTTP request that caused it.
    """

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    correlation_id: str | None
    data: D

    def is_from_the_future(self, now: datetime) -> bool:
        """Return whether a time in the event lies more than AHEAD after `now`."""
        return max([self.time, *(getattr(self.data, name) for name in self.data.HAPPENED)]) > now + AHEAD


class EventData:
    """Base of every event's data."""

    TYPE: ClassVar[str]
    SERVICES: ClassVar[tuple[str, ...]]
    CONSUMERS: ClassVar[tuple[str, ...]]
    PRIVATE: ClassVar[bool]
    SUBJECT: ClassVar[str]
    HAPPENED: ClassVar[tuple[str, ...]]
    SCHEMA: ClassVar[Schema]

    @property
    def subject(self) -> str:
        """The value of the field that says what the event is about, such as the ticket."""
        return getattr(self, self.SUBJECT)

    @property
    def agency(self) -> str | None:
        """The OPD whose team the event concerns, so that this OPD's tools receive it; None where there is none."""
        return getattr(self, "opd", None)

    @classmethod
    def tellers(cls, data: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the services that may publish an event with this `data`, which may be invalid; by default SERVICES."""
        return cls.SERVICES

    def to_json(
        self, event_id: str, time: datetime, correlation_id: str | None = None, service: str | None = None
    ) -> str:
        """Return the envelope as JSON text, with `service` as its source; by default the first of SERVICES."""
        envelope = {
            "specversion": "1.0",
            "id": event_id,
            "source": f"/nkk/{service or self.SERVICES[0]}",
            "type": self.TYPE,
            "time": write_instant(time),
            "subject": self.subject,
            "datacontenttype": "application/json",
            "data": self.SCHEMA.dump(self),
        }
        if correlation_id:
            envelope["correlationid"] = correlation_id
        return json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def read(cls, body: bytes | str) -> Event[Self]:
        """Parse the event in `body`, ignoring unknown fields. Raises UnreadableEventError."""
        envelope = read_envelope(body)
        if envelope["type"] != cls.TYPE:
            raise UnreadableEventError(f"expected {cls.TYPE}")
        try:
            data = cls.SCHEMA.load(envelope["data"])
        except ValidationError as error:
            invalid = ", ".join(sorted(map(str, error.messages_dict)))
            raise UnreadableEventError(f"{cls.TYPE}: invalid fields: {invalid}") from None
        return Event(
            id=envelope["id"],
            type=envelope["type"],
            source=envelope["source"],
            subject=envelope["subject"],
            time=envelope["time"],
            correlation_id=envelope["correlationid"],
            data=cls(**data),
        )


def read_envelope(body: bytes | str) -> dict[str, Any]:
    """Parse and check the CloudEvents attributes of `body`; `data` is not checked. Raises UnreadableEventError."""
    try:
        document = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise UnreadableEventError("not JSON") from None
    if not isinstance(document, dict) or document.get("specversion") != "1.0":
        raise UnreadableEventError("not a CloudEvents 1.0 envelope")
    for name in ("id", "type", "source", "subject"):
        value = document.get(name)
        if not isinstance(value, str) or not 1 <= len(value) <= 200 or not value.isprintable():
            raise UnreadableEventError(f"invalid envelope attribute: {name}")
    try:
        time = Instant().deserialize(document.get("time"))
    except ValidationError:
        raise UnreadableEventError("invalid envelope attribute: time") from None
    correlation_id = document.get("correlationid")
    if not isinstance(document.get("data"), dict):
        raise UnreadableEventError("invalid envelope attribute: data")
    return document | {"time": time, "correlationid": correlation_id if isinstance(correlation_id, str) else None}


def wire(as_field: Field, **kwargs: Any) -> Any:
    """Return a dataclass field serialised as `as_field`; required unless it allows None or has a load default."""
    as_field.required = not as_field.allow_none and as_field.load_default is missing
    if as_field.allow_none:
        kwargs.setdefault("default", None)
    elif not as_field.required:
        kwargs.setdefault("default", as_field.load_default)
    return field(metadata={"wire": as_field}, **kwargs)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(wire,))
def event(
    type_: str,
    *,
    service: str | tuple[str, ...],
    consumers: tuple[str, ...] = (),
    subject: str = "ticket",
    private: bool = False,
) -> Callable[[E], E]:
    """Declare a class as the data of event `type_`, published by `service` (or several) for `consumers`.

    `subject` names the field by which events are ordered. An event without consumers is only for tools; a `private` one
    is never given to tools.
    """

    def declare(cls: E) -> E:
        dataclass(frozen=True, kw_only=True)(cls)
        shape = {item.name: item.metadata["wire"] for item in fields(cls)}  # type: ignore[arg-type]
        schema_cls = Schema.from_dict(shape, name=cls.__name__)
        cls.TYPE = type_
        cls.SERVICES = (service,) if isinstance(service, str) else service
        cls.CONSUMERS = consumers
        cls.PRIVATE = private
        cls.SUBJECT = subject
        cls.HAPPENED = tuple(name for name, as_field in shape.items() if isinstance(as_field, Happened))
        cls.SCHEMA = schema_cls(unknown=EXCLUDE)
        return cls

    return declare


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(wire,))
def shape(cls: E) -> E:
    """Declare a class as a set of fields that several events share, not an event by itself."""
    dataclass(frozen=True, kw_only=True)(cls)
    return cls


def _refuse_constant(name: str) -> float:
    raise ValueError(name)
