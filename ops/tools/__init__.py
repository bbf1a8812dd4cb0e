"""The teams' own tools at the broker: each has a user and two queues, bound to exactly what it may receive.

A tool may read its queues and publish requests for past events, and nothing else. Only the admin declares and binds, so
a tool's rights are its bindings.
"""

from ops.tools.changes import add, bring_up_to_date, connection_line, remove, rotate, what_goes
from ops.tools.registry import tools
from ops.tools.rows import left_over, limits, rows, warnings
from ops.tools.tool import Tool, ToolError

__all__ = [
    "Tool",
    "ToolError",
    "add",
    "bring_up_to_date",
    "connection_line",
    "left_over",
    "limits",
    "remove",
    "rotate",
    "rows",
    "tools",
    "warnings",
    "what_goes",
]
