"""How an event is written: a CloudEvents 1.0 JSON envelope around one frozen dataclass of data.

A dataclass declared with `@event` is the whole contract of its event: what it is called, who publishes it, who is
bound to hear it and what each field may hold. New shapes are new types (`.v2`) beside the old.
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
"""How far ahead of a hearer's clock a teller's may be: one that was set to a wrong day is lived with. Further, and the
clock, or the teller, is not to be believed."""


class UnreadableEventError(Exception):
    """The bytes are not the event they should be: no JSON, no envelope, another version, or fields amiss.

    The message names what is amiss and never quotes what was written.
    """


@dataclass(frozen=True)
class Event(Generic[D]):
    """One event as heard: the envelope's attributes and its `data`.

    `id` is unique for ever; `time` is when the fact came about (aware); `subject` is what it is about (the ticket) and
    orders events; `correlation_id` is the HTTP request it began with.
    """

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    correlation_id: str | None
    data: D

    def is_from_the_future(self, now: datetime) -> bool:
        """Whether it tells of what has not come about by `now`, nor could by any clock that is to be believed."""
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
        """What the event is about."""
        return getattr(self, self.SUBJECT)

    @classmethod
    def tellers(cls, data: Mapping[str, Any]) -> tuple[str, ...]:
        """Which services tell an event with this `data`, which may be amiss: each of SERVICES, unless what it is about
        is one service's alone."""
        return cls.SERVICES

    def to_json(
        self, event_id: str, time: datetime, correlation_id: str | None = None, service: str | None = None
    ) -> str:
        """The envelope as JSON text, told by `service`; by the first that tells this event where left out."""
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
        """The event in `body`. Raises UnreadableEventError; fields this version does not know are ignored."""
        envelope = read_envelope(body)
        if envelope["type"] != cls.TYPE:
            raise UnreadableEventError(f"expected {cls.TYPE}")
        try:
            data = cls.SCHEMA.load(envelope["data"])
        except ValidationError as error:
            amiss = ", ".join(sorted(map(str, error.messages_dict)))
            raise UnreadableEventError(f"{cls.TYPE}: fields amiss: {amiss}") from None
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
    """The CloudEvents attributes of `body`, checked, with `data` as it came. Raises UnreadableEventError."""
    try:
        document = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise UnreadableEventError("not JSON") from None
    if not isinstance(document, dict) or document.get("specversion") != "1.0":
        raise UnreadableEventError("not a CloudEvents 1.0 envelope")
    for name in ("id", "type", "source", "subject"):
        value = document.get(name)
        if not isinstance(value, str) or not 1 <= len(value) <= 200 or not value.isprintable():
            raise UnreadableEventError(f"envelope attribute amiss: {name}")
    try:
        time = Instant().deserialize(document.get("time"))
    except ValidationError:
        raise UnreadableEventError("envelope attribute amiss: time") from None
    correlation_id = document.get("correlationid")
    if not isinstance(document.get("data"), dict):
        raise UnreadableEventError("envelope attribute amiss: data")
    return document | {"time": time, "correlationid": correlation_id if isinstance(correlation_id, str) else None}


def wire(as_field: Field, **kwargs: Any) -> Any:
    """A dataclass field that crosses the wire as `as_field`; required unless it allows None or has a load default."""
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
    """Class decorator: the dataclass is the data of event `type_`, published by `service` (or each) for `consumers`.

    `subject` names the field that events are ordered by. An event without consumers is for tooling alone, a `private`
    one is no tool's business.
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
    """Class decorator: fields that several events share; no event by itself."""
    dataclass(frozen=True, kw_only=True)(cls)
    return cls


def _refuse_constant(name: str) -> float:
    raise ValueError(name)
