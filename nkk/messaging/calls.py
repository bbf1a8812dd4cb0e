"""What both ends of an RPC share: Nameko's protocol with two errors added, and the exceptions a caller gets."""

import re
from collections.abc import Mapping
from typing import Any

EXCHANGE = "nameko-rpc"

REPLY_ADDRESS = re.compile(r"[0-9a-f-]{36}")
"""The routing keys to which the broker lets a stage publish replies: UUIDs, one for each client."""

UNAVAILABLE = "Unavailable"
"""Error type of a reply: the stage could not carry the call out now, or may have carried it out before."""

BUSY = "busy"
"""Flag beside the reason of an UNAVAILABLE: the call was not started. Older callers ignore it."""

FAILED = "Failed"
"""Error type of a reply: the stage failed with an unexpected exception, which its log names."""


class NotCarriedOutError(Exception):
    """The stage did not carry this call out now; a retry may succeed.

    The caller gets a StageUnavailableError with the reason `why`, which never holds a person's own words.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class BusyError(NotCarriedOutError):
    """The stage is at its limit of such calls at a time; this one was not started."""


class StageUnavailableError(Exception):
    """The stage did not answer in time, or the broker is unavailable. The call may or may not have had an effect.

    `why` is the stage's reason, or None.
    """

    def __init__(self, stage: str, why: str | None = None) -> None:
        super().__init__(stage)
        self.why = why


class StageBusyError(StageUnavailableError):
    """The stage is at its limit of such calls at a time; this one was not started and had no effect."""


class StageFailedError(Exception):
    """The stage failed with an unexpected exception of its own."""


class RefusedRemotelyError(Exception):
    """The stage refused the call; carries the `name` of the refusal, its `code` and `details`.

    Stages of older versions send a sentence in place of the code.
    """

    def __init__(self, name: str, code: str, details: Mapping[str, Any]) -> None:
        super().__init__(name, code)
        self.name = name
        self.code = code
        self.details = dict(details)
