"""Notification (steps 6 and 7): the answer to the reporter, the journey of every complaint, every message to a person.

In: every event of the other three stages.
Out: `answer.sent.v1`, `complaint.closed.v1`.
"""
