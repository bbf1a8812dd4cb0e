"""Intake (steps 1 and 2): accounts and log-in, the report as submitted, and its hand-over to Tim Utama.

Consumes: `complaint.closed.v1`.
Publishes: `reporter.registered.v1`, `password.reset_requested.v1`, `complaint.submitted.v2`,
`complaint.handed_over.v1`, `calendar.changed.v1`, `lists.changed.v1`, `step.due_soon.v1`, `step.overdue.v1`.
"""
