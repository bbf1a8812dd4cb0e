"""Tools' credentials on a test's broker, and a stage that publishes past events to them again."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from kombu import Connection

from nkk.contracts.asyncapi import SAMPLES
from nkk.exchanges import (
    REPLAY,
    REPLAY_ENDED,
    REPLAY_MARKER,
    REPLAY_REFUSED,
    exchange_name,
    opd_key,
    replay_key,
    replay_name,
    replay_requests_name,
    tool_user,
)
from nkk.messaging import topology
from nkk.messaging.publisher import BROKER_ERRORS, Message, publisher
from ops.broker_api import BrokerApi
from ops.stack.broker import PrivateNode
from ops.tools import Tool, add


def add_tools(node: PrivateNode, uri: str, stage: str, *names: str, opd: str | None = None) -> list[str]:
    """Add tools of `stage` in the virtual host of `uri`; return the URI of each, without TLS."""
    with Connection(uri) as connection:
        for entity in (topology.exchange(stage), topology.replay(stage), topology.replay_requests(stage)):
            entity(connection.default_channel).declare()
    api = BrokerApi(node.api, uri)
    return [tool_uri(uri, name, add(api, Tool(name, stage, opd))) for name in names]


def tool_uri(uri: str, name: str, secret: str) -> str:
    """Return `uri` with the credential of the tool `name`."""
    parts = urlsplit(uri)
    return parts._replace(netloc=f"{tool_user(name)}:{secret}@{parts.hostname}:{parts.port}").geturl()


@dataclass
class Told:
    """An event in the outbox of `FakeStage`."""

    id: str
    body: str
    created_at: datetime
    opd: str | None = None


TYPE = "response.returned.v1"
_SAMPLE = json.loads((SAMPLES / f"{TYPE}.json").read_text("utf-8"))


@dataclass
class FakeStage:
    """Triage as its tools know it: an outbox, its relay, and the answers to requests for past events."""

    uri: str
    stage: str = "triage"
    slice: int = 20
    reaches: str = "2026-01-01T00:00:00Z"
    refuses: str = ""
    outbox: list[Told] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, subject: str, at: datetime | None = None, live: bool = True, opd: str | None = None) -> str:
        """Add an event about `subject` to the outbox, and publish it unless it is past; return its id."""
        with self.lock:
            at = at or datetime.now(UTC)
            id_ = str(uuid4())
            data = _SAMPLE["data"] | {"ticket": subject} | ({"opd": opd} if opd else {})
            body = _SAMPLE | {"id": id_, "subject": subject, "time": at.isoformat(), "data": data}
            told = Told(id_, json.dumps(body), at, opd)
            self.outbox.append(told)
            if live:
                message = Message(id_, exchange_name(self.stage), TYPE, told.body, TYPE, headers=_second(told))
                with publisher(self.uri) as channel:
                    assert channel.publish([message])
        return id_

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Answer requests, through restarts of the broker, until leaving."""
        leaving = threading.Event()
        thread = threading.Thread(target=self._answer, args=[leaving])
        thread.start()
        try:
            yield
        finally:
            leaving.set()
            thread.join()

    def _answer(self, leaving: threading.Event) -> None:
        while not leaving.is_set():
            try:
                with Connection(self.uri, connect_timeout=2) as connection:
                    connection.ensure_connection(max_retries=0, reraise_as_library_errors=False)
                    channel = connection.default_channel
                    channel.basic_qos(0, 1, False)
                    channel.basic_consume(replay_requests_name(self.stage), callback=self._carry_out)
                    while not leaving.is_set():
                        try:
                            connection.drain_events(timeout=0.1)
                        except TimeoutError:
                            continue
            except BROKER_ERRORS:
                leaving.wait(0.2)

    def _carry_out(self, message: Any) -> None:
        """Publish a slice of a replay, and put the rest of the request back at the end of the queue."""
        request, body = message.properties["message_id"], json.loads(message.body)
        since = datetime.fromisoformat(body["since"]) if body["since"] else None
        with self.lock:
            kept = [told for told in self.outbox if since is None or told.created_at >= since]
        if "tool" not in body:
            body |= {"tool": message.properties["user_id"].removeprefix(tool_user("")), "from": 0, "until": len(kept)}
            self.requests.append(body | {"id": request})
        tool, end = body["tool"], min(body["from"] + self.slice, body["until"])
        out = [self._past(tool, request, told) for told in kept[body["from"] : end]]
        if self.refuses:
            out = [self._mark(tool, request, REPLAY_REFUSED, {"reason": self.refuses})]
        elif end == body["until"]:
            said = {"since": body["since"], "until": "", "count": end, "reaches": self.reaches}
            out.append(self._mark(tool, request, REPLAY_ENDED, said))
        else:
            out.append(Message(request, "", replay_requests_name(self.stage), json.dumps(body | {"from": end})))
        with publisher(self.uri) as channel:
            channel.publish(out)
        message.channel.basic_ack(message.delivery_tag)

    def _past(self, tool: str, request: str, told: Told) -> Message:
        headers = {REPLAY: request} | _second(told, tool)
        return Message(told.id, replay_name(self.stage), replay_key(tool, TYPE), told.body, TYPE, headers=headers)

    def _mark(self, tool: str, request: str, type_: str, said: dict[str, Any]) -> Message:
        body, key = json.dumps({"request": request} | said), replay_key(tool, REPLAY_MARKER)
        return Message(str(uuid4()), replay_name(self.stage), key, body, type_, headers={REPLAY: request})


def _second(told: Told, tool: str | None = None) -> dict[str, Any]:
    if told.opd is None:
        return {}
    key = opd_key(told.opd, TYPE)
    return {"CC": [replay_key(tool, key) if tool else key]}
