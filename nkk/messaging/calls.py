"""What both ends of a call agree on: Nameko's own protocol with two errors added, and what a caller meets."""

from collections.abc import Mapping
from typing import Any

EXCHANGE = "nameko-rpc"

UNAVAILABLE = "Unavailable"
"""The stage answered that its database does not, or that it may have carried the call out before."""

FAILED = "Failed"
"""The stage met a fault of its own; its log says which."""


class StageUnavailableError(Exception):
    """The stage did not answer in time, or the broker is away. Whether the call had an effect is not known."""


class StageFailedError(Exception):
    """The stage met a fault of its own."""


class RefusedRemotelyError(Exception):
    """The stage refused: `name` of the refusal, its `sentence` and `details`."""

    def __init__(self, name: str, sentence: str, details: Mapping[str, Any]) -> None:
        super().__init__(name, sentence)
        self.name = name
        self.sentence = sentence
        self.details = dict(details)
