"""For a team's own tooling, in any process: subscribe to a stage's events.

from nkk.client import subscribe

for event in subscribe("triage", name="my-tool", uri="amqp://user:password@host//"):
    print(event["type"], event["subject"])
"""

from nkk.client.subscription import subscribe

__all__ = ["subscribe"]
