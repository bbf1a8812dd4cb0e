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


def messages(queue, is_last=lambda message: False):
    """Yield the messages of a queue, up to the last, and connect again whenever the broker was away.

    Each is acknowledged when the next one is requested. A tool declares nothing: `nkk tools add` made the queue.
    """
    while True:
        arrived = deque()
        try:
            with connection.clone() as mine:
                mine.ensure_connection(errback=report, interval_max=10)
                with Consumer(mine, [Queue(queue, no_declare=True)], on_message=arrived.append, prefetch_count=50):
                    while True:
                        while not arrived:
                            mine.drain_events()
                        yield (message := arrived.popleft())
                        message.ack()
                        if is_last(message):
                            return
        # Not a refused credential or a missing queue: those end the program.
        except connection.recoverable_connection_errors as error:
            report(error)


def report(error, _seconds=0):
    print(f"the broker is away ({error}); trying again until it is back", file=sys.stderr, flush=True)


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


with connection:
    connection.connect()  # fails at once where the settings are wrong; later the broker may be away for any time
    id_ = request(None if since[0] == "first" else since[0]) if since else None

seen = set()
if since:

    def is_last(message):
        return message.headers.get("x-nkk-replay") == id_ and message.properties["type"] == "replay.ended"

    for message in messages(f"tool.{tool}.{stage}.replay", is_last):
        if message.headers.get("x-nkk-replay") != id_ or is_last(message):
            continue  # what belongs to an earlier request is passed over
        if message.properties["type"] == "replay.refused":
            sys.exit(json.loads(message.body)["reason"])
        event = json.loads(message.body)
        if event["id"] not in seen:
            handle(event)
            seen.add(event["id"])

for message in messages(f"tool.{tool}.{stage}"):
    event = json.loads(message.body)
    if event["id"] in seen:
        seen.remove(event["id"])  # it came with the past
    else:
        handle(event)
