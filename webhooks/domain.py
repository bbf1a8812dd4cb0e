"""When a delivery is tried again, when its endpoint is left alone, and when it is set aside.

One failed delivery holds up only its own complaint. After DOWN_AFTER failures in a row the endpoint is taken for dead:
it is left alone for a growing pause, then one delivery is tried, and the first success opens it for all.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

PATIENCE = timedelta(days=3)
"""For how long a delivery is tried."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
DOWN_AFTER = 3

KEPT = timedelta(days=30)
"""For how long the ids of delivered events are known, and undelivered events are kept."""

ROTATION = timedelta(hours=24)
"""For how long the former secret signs beside a new one."""

GONE = 410
ASKING_FOR_TIME = (429, 503)

LONGEST_DATE = 40
"""How long a date in Retry-After may be written; RFC 9110 has forms of up to 33 signs."""


TOOL_PREFIX = "hook-"
"""What the names of webhooks' tools begin with, and no other tool's."""


def tool_of(webhook: str) -> str:
    """Return the name of the tool that a webhook receives events as."""
    return f"{TOOL_PREFIX}{webhook}"


class State(StrEnum):
    """Whether a webhook sends: on; paused by the admin; or gone, when its receiver answered 410."""

    ON = "on"
    PAUSED = "paused"
    GONE = "gone"


@dataclass(frozen=True)
class Answer:
    """What came back: an HTTP status, or None and why there is none; and the header Retry-After as it was written."""

    status: int | None
    why: str
    retry_after: str = ""

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True)
class Endpoint:
    """The failures of an endpoint since its last success, and until when it is left alone."""

    failures: int = 0
    failing_since: datetime | None = None
    next_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        return self.next_at is None or self.next_at <= now


@dataclass(frozen=True)
class Attempts:
    """The attempts at a delivery. `next_at` is None once it is set aside."""

    heard_at: datetime
    tries: int = 0
    tried_since: datetime | None = None
    next_at: datetime | None = None


def pause(failures: int, chance: float) -> timedelta:
    """Return the pause after so many failures in a row: doubled each time, less up to a half by `chance` (0 to 1)."""
    whole = min(FIRST_PAUSE * 2 ** min(failures - 1, 16), LONGEST_PAUSE)
    return whole * (1 - chance / 2)


def wait_asked_for(answer: Answer, now: datetime) -> timedelta:
    """Return for how long a receiver asks to be left alone (RFC 9110, Retry-After: seconds, or a date).

    It is zero with other answers than 429 and 503, and where what is asked for is no time, is past, or is longer than
    PATIENCE.
    """
    if answer.status not in ASKING_FOR_TIME:
        return timedelta()
    written = answer.retry_after.strip()
    wait = timedelta(seconds=int(written)) if re.fullmatch("[0-9]{1,9}", written) else _until(written, now)
    return wait if timedelta() < wait <= PATIENCE else timedelta()


def _until(written: str, now: datetime) -> timedelta:
    if len(written) > LONGEST_DATE:
        return timedelta()
    try:
        date = parsedate_to_datetime(written)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
    except (ValueError, TypeError, LookupError, OverflowError):
        return timedelta()


def fail(
    endpoint: Endpoint, attempts: Attempts, now: datetime, chance: float, asked: timedelta = timedelta()
) -> tuple[Endpoint, Attempts]:
    """Return what becomes of an endpoint and of a delivery that failed now.

    Both are left alone for as long as the receiver `asked`, if that is longer than our own pause, and at most until
    PATIENCE is over.
    """
    failures, failing_since = endpoint.failures + 1, endpoint.failing_since or now
    own = pause(failures - DOWN_AFTER + 1, chance) if failures >= DOWN_AFTER else timedelta()
    rest = max(own, min(asked, failing_since + PATIENCE - now))
    endpoint = Endpoint(failures, failing_since, now + rest if rest else None)
    attempts = replace(attempts, tries=attempts.tries + 1, tried_since=attempts.tried_since or now)
    since = min(attempts.tried_since or now, max(attempts.heard_at, failing_since))
    over = now - since >= PATIENCE
    rest = max(pause(attempts.tries, chance), min(asked, since + PATIENCE - now))
    return endpoint, replace(attempts, next_at=None if over else now + rest)


def set_aside_heard_until(endpoint: Endpoint, now: datetime) -> datetime | None:
    """Return the time up to which events heard are set aside untried, with an endpoint that just failed; or None.

    While an endpoint fails, few deliveries are tried. The others have waited as long as it failed, since they were
    heard.
    """
    over = endpoint.failing_since is not None and now - endpoint.failing_since >= PATIENCE
    return now - PATIENCE if over else None
