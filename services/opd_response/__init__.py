"""OPD response (step 4), the desk of each agency's helper team, which writes the response to a complaint.

Consumes: `complaint.forwarded.v1`, `response.returned.v1`, `calendar.changed.v1`, `complaint.closed.v1`.
Publishes: `response.submitted.v1`, `step.due_soon.v1`, `step.overdue.v1`.
"""
