"""What both ends of a call agree on: Nameko's own protocol with two errors added, and what a caller meets."""

from collections.abc import Mapping
from typing import Any

EXCHANGE = "nameko-rpc"

UNAVAILABLE = "Unavailable"
"""The stage answered that its database does not, or that it may have carried the call out before."""

BUSY = "busy"
"""Beside the reason of an UNAVAILABLE: nothing was begun. Callers of versions before do not look for it."""

FAILED = "Failed"
"""The stage met a fault of its own; its log says which."""


class NotCarriedOutError(Exception):
    """The stage has not carried this call out now, and whoever asks anew may find that it does: the caller meets a
    StageUnavailableError that says `why`, without a person's own words."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class BusyError(NotCarriedOutError):
    """The stage does at once as many of such calls as it takes: this one was not begun."""


class StageUnavailableError(Exception):
    """The stage did not answer in time, or the broker is away. Whether the call had an effect is not known.

    `why` where the stage said so.
    """

    def __init__(self, stage: str, why: str | None = None) -> None:
        super().__init__(stage)
        self.why = why


class StageBusyError(StageUnavailableError):
    """The stage is there, and as busy with such calls as it lets itself be: this one was not begun, and had no
    effect."""


class StageFailedError(Exception):
    """The stage met a fault of its own."""


class RefusedRemotelyError(Exception):
    """The stage refused: `name` of the refusal, its `code` and `details`.

    Stages of versions before give a sentence in the place of the code.
    """

    def __init__(self, name: str, code: str, details: Mapping[str, Any]) -> None:
        super().__init__(name, code)
        self.name = name
        self.code = code
        self.details = dict(details)
