"""Print a stage's events, with this repository's client.

NKK_TOOL_URI=amqps://… NKK_TOOL_CA=authority.pem python with_nkk_client.py triage [2026-11-01 | first]
"""

import sys
from datetime import UTC, datetime

from nkk.client import subscribe

stage, *rest = sys.argv[1:]
since = None
if rest:
    since = "first" if rest[0] == "first" else datetime.fromisoformat(rest[0]).replace(tzinfo=UTC)

# NKK_TOOL_URI and NKK_TOOL_CA are read by the client itself.
for event in subscribe(stage, since=since, on_trouble=print, on_progress=print):
    # An event is acknowledged when the next one is requested: what this does with it is then done.
    print(event["id"], event["type"], event["subject"], flush=True)
