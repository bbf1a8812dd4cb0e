"""Triage (steps 3 and 5), Tim Utama's desk: it classifies reports, forwards complaints and approves responses.

Consumes: `complaint.handed_over.v1`, `response.submitted.v1`, `calendar.changed.v1`, `lists.changed.v1`,
`complaint.closed.v1`.
Publishes: `complaint.classified_as_information.v1`, `complaint.forwarded.v1`, `response.returned.v1`,
`response.approved.v1`, `step.due_soon.v1`, `step.overdue.v1`.
"""
