"""Fixtures of the golden samples: one document per event, which producers, consumers and tools must match."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nkk.contracts
from nkk.contracts import Event, EventData

SAMPLES = Path(nkk.contracts.__file__).parent / "samples"


@pytest.fixture
def sample() -> Callable[[type[EventData]], str]:
    """A function that returns the text of an event's sample."""
    return lambda event: (SAMPLES / f"{event.TYPE}.json").read_text("utf-8")


@pytest.fixture
def document(sample) -> Callable[[type[EventData]], dict[str, Any]]:
    """A function that returns an event's sample as parsed JSON."""
    return lambda event: json.loads(sample(event))


@pytest.fixture
def heard(sample) -> Callable[[type[EventData]], Event[Any]]:
    """A function that returns an event's sample as a consumer reads it."""
    return lambda event: event.read(sample(event))
