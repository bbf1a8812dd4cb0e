"""How many cases the randomised tests try: a fixed set in `make test`, as many more as time allows in `make proof`."""

import os
from collections.abc import Iterable
from typing import TypeVar

import pytest
from hypothesis import settings

Case = TypeVar("Case")

MINUTES = float(os.environ.get("PROOF_MINUTES") or 0)
"""The minutes that `make proof` may take, half of them for tests/chaos; 0 in `make test`."""

SEED = int(os.environ.get("PROOF_SEED") or 1)
"""The seed of everything random. `make proof` prints it, and repeats a run with the seed it is given."""

LONG = MINUTES > 0

DATABASES = [*([pytest.param("sqlite", marks=pytest.mark.proof)] if LONG else []), "postgres"]
"""The databases on which a test runs: in `make test` PostgreSQL, the stricter one, in `make proof` SQLite."""

FUZZ_SECONDS = MINUTES * 60 / 5
"""How long the API is fuzzed, in seconds; 0 for a fixed number of requests."""

TIMES = 1 + int(FUZZ_SECONDS / 30)
"""The factor by which the other tests multiply their number of cases."""


def share(cases: Iterable[Case]) -> list[Case]:
    """Return every third of `cases`; `make proof` tries all."""
    return list(cases) if LONG else [*cases][::3]


def effort(examples: int) -> settings:
    """Return settings for a test of `examples` cases; `make proof` tries more, and different ones each time."""
    return settings(max_examples=examples * TIMES, derandomize=not LONG, deadline=None, database=None, print_blob=LONG)


def quick(examples: int = 100) -> settings:
    """Return settings for a test without input or output.

    `make test` tries a quarter of `examples`, always the same; `make proof` all of them, and different ones.
    """
    count = examples * (1 + TIMES // 4) if LONG else max(10, examples // 4)
    return settings(max_examples=count, derandomize=not LONG, deadline=None, database=None, print_blob=LONG)
