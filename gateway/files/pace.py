"""How fast a process takes and checks uploads, so that twenty at once leave the processors to those who work.

Sealing and hashing take processor time for every byte, and giving way (`nkk.priority`) does not help where the
processors are shared threads of the same cores: only a processor that rests is free for somebody's worklist.
"""

import threading
import time
from collections.abc import Callable

SAVED_SECONDS = 1.0
"""How much time that was not used is kept, so that a few photographs wait for nothing."""


class Pace:
    """The bytes that all threads of a process may pass in a second: `rate`, and after a pause once as many more."""

    def __init__(
        self,
        rate: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate, self._clock, self._sleep = rate, clock, sleep
        self._used_until = clock() - SAVED_SECONDS
        """Until when the time is used by the bytes that passed."""
        self._lock = threading.Lock()

    def keep(self, count: int) -> None:
        """Note that `count` bytes passed, and wait for as long as these, and those before them, may take."""
        with self._lock:
            now = self._clock()
            self._used_until = max(self._used_until, now - SAVED_SECONDS) + count / self._rate
            wait = self._used_until - now
        if wait > 0:
            self._sleep(wait)
