"""Intake (steps 1 and 2): who may report and log in, the report as it was written, its hand-over to Tim Utama.

In: nothing; it begins here.
Out: `reporter.registered.v1`, `password.reset_requested.v1`, `complaint.submitted.v2`, `complaint.handed_over.v1`,
`calendar.changed.v1`, `lists.changed.v1`.
"""
