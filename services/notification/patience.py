"""The time that the mail server may take over one recipient while other letters wait.

Threat: some mail servers verify a recipient at the recipient's own server, which may be slow on purpose. A reporter
with such an address could delay everybody's letters by submitting many reports, and password codes are valid for an
hour only. Therefore the first try of a letter has a short timeout; letters that were tried before have a longer one,
and a queue of their own (`LINES`); and a recipient that timed out is skipped for a time that doubles with each timeout.
Addresses are free, so one person may use a thousand of them: each timeout also halves the timeout of the next
recipient, until the server answers again, or no timeout happened for a while.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from services.notification.leaving import SlowRecipientError

FIRST_SECONDS = 10
"""The timeout for the server's answer about the recipient at a letter's first try."""

LEAST_SHARE = 0.1
"""The smallest share of the full timeout to which timeouts in succession reduce it."""

FIRST_REST, LONGEST_REST = 60, 3_600


class Slow:
    """The recipients whose checks timed out, each skipped for a while, and the timeout of the next recipient.

    Recipients are named by hashes. The timeout is at most `most` seconds.
    """

    def __init__(self, most: float) -> None:
        self._most = self._left = most
        self._whole_at = 0.0
        self._rests: dict[str, tuple[float, float]] = {}

    @contextmanager
    def asked_about(self, recipient: str) -> Iterator[float]:
        """Yield the timeout in seconds for a letter to `recipient`, and note whether it timed out.

        Raises SlowRecipientError at once where the recipient is being skipped.
        """
        began = monotonic()
        until, seconds = self._rests.get(recipient, (0.0, FIRST_REST / 2))
        if began < until:
            raise SlowRecipientError
        if began >= self._whole_at:
            self._left = self._most
        try:
            yield self._left
        except SlowRecipientError:
            self._left = max(self._left / 2, LEAST_SHARE * self._most)
            self._whole_at = monotonic() + FIRST_REST
            self._forget(began)
            seconds = min(2 * seconds, LONGEST_REST)
            self._rests[recipient] = monotonic() + seconds, seconds
            raise
        self._left = min(2 * self._left, self._most)
        self._rests.pop(recipient, None)

    def _forget(self, now: float) -> None:
        """Delete recipients whose skipping ended more than LONGEST_REST ago."""
        self._rests = {name: rest for name, rest in self._rests.items() if now < rest[0] + LONGEST_REST}
