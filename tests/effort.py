"""How hard the machines try: the same bounded cases each time in `make test`, as many others as there is time for in
`make proof`."""

import os

from hypothesis import settings

MINUTES = float(os.environ.get("PROOF_MINUTES") or 0)
"""How long `make proof` may take, with half of it for tests/chaos; 0 in `make test`."""

SEED = int(os.environ.get("PROOF_SEED") or 1)
"""What everything random begins with; `make proof` prints it, and tries the same again where it is given."""

LONG = MINUTES > 0
FUZZ_SECONDS = MINUTES * 60 / 5
"""How long the API is asked; 0 for a fixed number of requests."""

TIMES = 1 + int(FUZZ_SECONDS / 30)
"""How many times the usual number of cases the other tests try."""


def effort(examples: int) -> settings:
    """Settings for a test of so many cases; in `make proof` more, and other ones each time."""
    return settings(max_examples=examples * TIMES, derandomize=not LONG, deadline=None, database=None, print_blob=LONG)


def quick(examples: int = 100) -> settings:
    """Settings for a test that speaks to nobody: a quarter of so many cases in `make test`, always the same; all of
    them, and other ones, in `make proof`."""
    count = examples * (1 + TIMES // 4) if LONG else max(10, examples // 4)
    return settings(max_examples=count, derandomize=not LONG, deadline=None, database=None, print_blob=LONG)
