"""Triage (steps 3 and 5), Tim Utama's desk: information or complaint, which agency, whether its response will do.

In: `complaint.handed_over.v1`, `response.submitted.v1`, `calendar.changed.v1`, `lists.changed.v1`.
Out: `complaint.classified_as_information.v1`, `complaint.forwarded.v1`, `response.returned.v1`, `response.approved.v1`.
"""
