"""Bad weather: journeys at a steady rate over HTTP while faults strike at random, and an accountant at the end.

    plan      which faults strike when: a pure function of a seed and a duration
    world     an installation, its broker and its database, with a proxy between them that can be told to misbehave
    strikes   how each fault is struck and healed, one module a place it strikes at
    traffic   the people, and what they do
    promises  which answers are promised to them, and how soon
    accountant  reads databases, broker, post and recorded answers afterwards, and balances the books

`python -m tests.chaos` is the long run, test_chaos.py the short one.
"""
