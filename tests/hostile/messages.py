"""Invalid and almost valid events, as an attacker who can reach a stage's queue might publish them."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import amqp
from hypothesis import given
from hypothesis import strategies as st

import nkk.contracts
from nkk.contracts import EVENTS, EventData, UnreadableEventError
from nkk.messaging.topology import ATTEMPT
from tests.effort import effort

SAMPLES = Path(nkk.contracts.__file__).parent / "samples"
SECRET = "Rahasia-Pelapor"
"""A word in every text, which must not be in any log."""

ODD_TEXTS = st.sampled_from(
    [
        f"{SECRET}\x00",
        f"{SECRET}\ud83d",
        "\u202e" + SECRET,
        "",
        " ",
        "x" * 300_000,
        "😀" * 21_000,
        f"{SECRET}\r\nBcc: x@example.org",
        "../../etc/passwd",
        "{{7*7}}",
        "' OR 1=1 --",
    ]
)
NUMBERS = st.one_of(
    st.integers(),
    st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**400]),
    st.floats(),
    st.just(math.nan),
    st.just(math.inf),
)
INSTANTS = st.sampled_from(
    [
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2199-12-31T16:00:00Z",
        "2026-03-02",
        "2026-03-02T01:00:00",
        "2026-02-30T01:00:00Z",
        "2026-03-02T01:00:00+99:99",
        "now",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=30) | ODD_TEXTS | INSTANTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


@dataclass
class Sent:
    """A message; `readable` says whether the contract's own reader accepts it as an event of its type."""

    body: bytes
    type: str
    readable: bool
    properties: dict[str, Any] = field(default_factory=dict)

    def message(self) -> amqp.Message:
        return amqp.Message(self.body, **{"type": self.type, "delivery_mode": 2} | self.properties)


def documents(event: type[EventData]) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for the sample of `event` with one field changed or removed."""
    sample = json.loads((SAMPLES / f"{event.TYPE}.json").read_text())
    fields = [("data", name) for name in sample["data"]] + [(name,) for name in sample]

    def changed(id_: Any, where: tuple[str, ...], value: Any, gone: bool) -> dict[str, Any]:
        document = json.loads(json.dumps(sample)) | {"id": str(id_)}
        place = document["data"] if len(where) == 2 else document
        place[where[-1]] = value
        if gone:
            del place[where[-1]]
        if isinstance(document.get("data"), dict):
            if where[-1] != "calendar" and "calendar" in document["data"]:
                document["data"]["calendar"] = 1
            document["data"] |= {name: SECRET for name in ("text", "note") if document["data"].get(name)}
        return document

    # Often of the right type and merely unusual, so that events reach the handler.
    values = st.one_of(VALUES, INSTANTS, st.sampled_from([0, 2, 2**31, 2**63, 10**30]), st.text(max_size=40))
    return st.builds(changed, st.uuids(), st.sampled_from(fields), values, st.sampled_from([False] * 9 + [True]))


TWISTS: dict[str, Callable[[bytes, int], bytes]] = {
    "as it is": lambda body, at: body,
    "cut off": lambda body, at: body[: at % len(body)],
    "a byte flipped": lambda body, at: body[: at % len(body)] + bytes([at % 256]) + body[at % len(body) + 1 :],
    "keys twice": lambda body, at: body[:-1] + b', "data": {}, "id": "x", "type": 7}',
    "UTF-16": lambda body, at: body.decode().encode("utf-16"),
    "Latin-1": lambda body, at: body + b"\xe9",
    "with a byte order mark": lambda body, at: b"\xef\xbb\xbf" + body,
    "another version": lambda body, at: body.replace(b'.v1"', b'.v%d"' % (at % 9 + 2)),
    "deep": lambda body, at: body[:-1] + b', "x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "deep with an end": lambda body, at: body[:-1] + b', "x": ' + b"[" * 900 + b"]" * 900 + b"}",
    "megabytes": lambda body, at: body[:-1] + b', "x": "' + b"y" * (3 << 20) + b'"}',
    "nothing": lambda body, at: b"",
    "an array": lambda body, at: b"[" + body + b"]",
    "zeros": lambda body, at: b"\x00" * (at % 1000),
}

COUNTED = [-100, -1, 3, 2**40, True, "x", "application/x-gzip"]
HEADERS = st.one_of(
    st.just({}),
    st.dictionaries(
        st.sampled_from([ATTEMPT, "x-death", "x-delivery-count", "compression"]), st.sampled_from(COUNTED), min_size=1
    ),
)
PROPERTIES = st.fixed_dictionaries(
    {"application_headers": HEADERS},
    optional={
        "content_type": st.sampled_from(["", "text/plain", "application/x-python-serialize", "application/json; v=x"]),
        "content_encoding": st.sampled_from(["", "binary", "gzip", "utf-16", "x"]),
        "correlation_id": st.sampled_from(["x" * 255, "\u202e", "a\nb"]),
        "message_id": st.sampled_from(["", "x" * 255, "a\nb"]),
        "priority": st.just(9),
        "timestamp": st.just(2**62),
    },
)
TYPES = st.sampled_from([None] * 25 + ["", "complaint.eaten.v1", "x" * 255, "complaint.handed_over.v2"])


def messages(stage: str) -> st.SearchStrategy[Sent]:
    """Return a strategy for messages to the inbox of `stage`."""
    heard = [event for event in EVENTS if stage in event.CONSUMERS]
    twists = st.sampled_from(["as it is"] * 20 + list(TWISTS))
    return st.sampled_from(heard).flatmap(
        lambda event: st.builds(
            _sent, st.just(event), documents(event), twists, st.integers(1, 10_000), TYPES, PROPERTIES
        )
    )


def some(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """Draw `count` values, in `make test` always the same ones."""
    drawn: list[Any] = []

    @effort(count)
    @given(strategy)
    def draw(value: Any) -> None:
        drawn.append(value)

    draw()
    return drawn


def _sent(
    event: type[EventData], document: dict[str, Any], twist: str, at: int, type_: str | None, properties: dict[str, Any]
) -> Sent:
    body = TWISTS[twist](json.dumps(document).encode(), at)
    try:
        event.read(body)
        readable = type_ is None
    except UnreadableEventError:
        readable = False
    return Sent(body, event.TYPE if type_ is None else type_, readable, properties)
