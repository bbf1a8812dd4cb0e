"""How hard the machines try: the same bounded cases each time in `make test`, as many as there is time for in
`make fuzz`."""

import os

from hypothesis import settings

SECONDS = float(os.environ.get("FUZZ_MINUTES") or 0) * 40
"""How long the API is asked: two thirds of the time; 0 for a fixed number of requests."""

SEED = int(os.environ.get("FUZZ_SEED") or 1)
"""What the long run begins with; it is printed, and the same again where it is given."""

TIMES = 1 + int(SECONDS / 30)
"""How many times the usual number of cases the other tests try."""


def effort(examples: int) -> settings:
    """Settings for a test of so many cases; in the long run more, and other ones each time."""
    return settings(max_examples=examples * TIMES, derandomize=not SECONDS, deadline=None, database=None,
                    print_blob=bool(SECONDS))
