"""Print a stage's events, with kombu and nothing of this repository.

NKK_TOOL_URI=amqps://… NKK_TOOL_CA=authority.pem python with_kombu.py triage [2026-11-01T00:00:00Z | first]
"""

import json
import os
import ssl
import sys
import uuid
from collections import deque
from urllib.parse import unquote, urlsplit

from kombu import Connection, Consumer, Producer, Queue

uri = os.environ["NKK_TOOL_URI"]
stage, *since = sys.argv[1:]
user = unquote(urlsplit(uri).username)
tool = user.removeprefix("tool.")

# By default the host would not be compared with the certificate. None: the host is taken from the URI.
tls = {"ca_certs": os.environ.get("NKK_TOOL_CA"), "cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None}
connection = Connection(
    uri, ssl=tls if uri.startswith("amqps:") else False, transport_options={"confirm_publish": True}
)


def messages(queue):
    """Yield the messages of a queue, which `nkk tools add` made: a tool declares nothing."""
    arrived = deque()
    channel = connection.channel()
    with Consumer(channel, [Queue(queue, no_declare=True)], on_message=arrived.append, prefetch_count=50):
        while True:
            while not arrived:
                connection.drain_events()
            yield arrived.popleft()


def request(since):
    """Ask the stage for its events since a moment, or for all where it is None; return the request's id."""
    channel, id_ = connection.channel(), str(uuid.uuid4())
    Queue(f"tool.{tool}.{stage}.replay")(channel).purge()
    Producer(channel, serializer="json").publish(
        {"since": since},
        exchange=f"{stage}.replay-requests",
        routing_key=f"{stage}.replay-requests",
        message_id=id_,
        user_id=user,  # the broker compares it with the connection's own
        mandatory=True,
    )
    channel.close()
    return id_


def handle(event):
    print(event["id"], event["type"], event["subject"], flush=True)


seen = set()
if since:
    id_ = request(None if since[0] == "first" else since[0])
    for message in messages(f"tool.{tool}.{stage}.replay"):
        if message.headers.get("x-nkk-replay") == id_:  # what belongs to an earlier request is passed over
            if message.properties["type"] == "replay.refused":
                sys.exit(json.loads(message.body)["reason"])
            if message.properties["type"] == "replay.ended":
                message.ack()
                break
            event = json.loads(message.body)
            if event["id"] not in seen:
                handle(event)
                seen.add(event["id"])
        message.ack()

for message in messages(f"tool.{tool}.{stage}"):
    event = json.loads(message.body)
    if event["id"] in seen:
        seen.remove(event["id"])  # it came with the replay
    else:
        handle(event)
    message.ack()  # once it is dealt with; it comes again otherwise
