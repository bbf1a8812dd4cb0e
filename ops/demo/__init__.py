"""A demonstration: a few dozen invented reports carried through the whole procedure over HTTP, as people would.

`complaints.json` holds the reports and what each desk says to them, `visitor` is a person at the website, `desks` the
four desks and what is decided there, `journey` the runner, `accounting` the check that each report went its way
exactly once, `screen` what is shown (in Indonesian).
"""
