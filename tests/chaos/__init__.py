"""Chaos tests: journeys at a steady rate over HTTP while random faults strike, and an accountant at the end.

    plan      the faults and their times: a pure function of a seed and a duration
    world     an installation, its broker and its database, with a proxy between them that can misbehave
    strikes   how each fault is struck and healed, one module for each place
    traffic   the users and their actions
    acts      the acts of a crowded complaint, and how each is sent
    crowd     a complaint on which everybody acts whenever they may
    promises  the answers that each operation promises, and their time limits
    accountant  reads databases, broker, mail and recorded answers afterwards, and checks that they agree

`python -m tests.chaos` is the long run, test_chaos.py the short one.
"""
