"""A client library for a team's own tooling: subscribe to a stage's events from any process.

from nkk.client import subscribe

for event in subscribe("triage", uri="amqps://tool.my-tool:secret@host/nkk", since="first"):
    print(event["type"], event["subject"])
"""

from nkk.client.credential import SubscriptionError, tool_of
from nkk.client.replay import ReplayRefusedError
from nkk.client.subscription import subscribe, subscribe_batches

__all__ = ["ReplayRefusedError", "SubscriptionError", "subscribe", "subscribe_batches", "tool_of"]
