"""How long other letters wait while the mail server makes up its mind about one recipient.

Threat: some servers ask a recipient's own about them, and that one takes its time. Whoever has such an address and
reports and reports would hold up everybody's letters, and codes for a new password are good for an hour only. So a
letter's first try is a short one; letters that were tried before, which have longer, stand in a line of their own
(`LINES`); and one who took too long is not asked about again for a while, which doubles each time. Addresses cost
nothing, and whoever has one such has a thousand: each that took too long halves what the next one has, until answers
come again, or none took too long for a while.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from services.notification.leaving import SlowRecipientError

FIRST_SECONDS = 10
"""For the server's word on the recipient of a letter that was not tried before."""

LEAST_SHARE = 0.1
"""Of what a recipient has at most, so much is left of it where many in succession took too long."""

FIRST_REST, LONGEST_REST = 60, 3_600


class Slow:
    """Recipients about whom the server took too long, by a name that needs not tell who they are; each has `most`
    seconds at most."""

    def __init__(self, most: float) -> None:
        self._most = self._left = most
        self._whole_at = 0.0
        self._rests: dict[str, tuple[float, float]] = {}

    @contextmanager
    def asked_about(self, recipient: str) -> Iterator[float]:
        """The server is asked about `recipient` within, and has so many seconds. Raises SlowRecipientError at once
        where they rest."""
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
        """Those whom nobody has written to for long since they rested."""
        self._rests = {name: rest for name, rest in self._rests.items() if now < rest[0] + LONGEST_REST}
