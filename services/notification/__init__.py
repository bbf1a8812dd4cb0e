"""Notification (steps 6 and 7): the answer to the reporter, the journey of every complaint, and all letters.

Consumes: every event of the other three stages, except `lists.changed.v1`.
Publishes: `answer.sent.v1`, `complaint.closed.v1`, `step.due_soon.v1`, `step.overdue.v1`.
"""
