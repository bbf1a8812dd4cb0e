"""A client library for a team's own tooling: subscribe to a stage's events from any process.

from nkk.client import subscribe

for event in subscribe("triage", name="my-tool", uri="amqp://user:password@host//"):
    print(event["type"], event["subject"])
"""

from nkk.client.subscription import subscribe

__all__ = ["subscribe"]
