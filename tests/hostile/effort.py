"""How hard the machines try: the same bounded cases each time in `make test`, as many as fit in `make fuzz`."""

import os

from hypothesis import settings

TIMES = int(os.environ.get("FUZZ_TIMES") or 1)
"""How many times the usual number of cases; 1 is `make test`."""


def effort(examples: int) -> settings:
    """Settings for a test of so many cases; beyond the usual number, other ones each time, printed where they fail."""
    return settings(max_examples=examples * TIMES, derandomize=TIMES == 1, deadline=None, database=None,
                    print_blob=TIMES > 1)
