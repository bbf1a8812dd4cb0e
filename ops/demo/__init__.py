"""A demonstration that carries a few dozen invented reports through the whole procedure over HTTP, as people would.

`complaints.json` holds the reports and each desk's responses, `visitor` is a person at the website, `desks` has the
four desks and their decisions, `journey` is the runner, `accounting` checks that each report passed every step exactly
once, and `screen` is the output (in Indonesian).
"""
