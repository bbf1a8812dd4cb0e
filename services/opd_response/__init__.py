"""OPD response (step 4), the desk of each agency's helper team: the complaint forwarded to it, and what it answers.

In: `complaint.forwarded.v1`, `response.returned.v1`.
Out: `response.submitted.v1`.
"""
