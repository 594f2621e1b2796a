"""A circuit breaker: after failures in a row the model is left alone for a while.

It remembers for one process; the ledger remembers for all of them.
"""

import threading
import time
from collections.abc import Callable

from incident_squad.domain.model import OUTAGE_SECONDS, OUTAGES


class Breaker:
    """Opens after `failures` in a row, for `seconds`; then one call may try again."""

    def __init__(
        self,
        failures: int = 3,
        seconds: float = OUTAGE_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit, self._seconds, self._now = failures, seconds, now
        self._lock = threading.Lock()
        self._failures, self._opened_at = 0, 0.0

    def admits(self) -> bool:
        """Whether a call may be made now."""
        with self._lock:
            if self._failures < self._limit:
                return True
            if self._now() < self._opened_at + self._seconds:
                return False
            self._opened_at = self._now()  # one tries, the others wait for what becomes of it
            return True

    def worked(self) -> bool:
        """A call gave an answer; True when it is the first after failures."""
        with self._lock:
            before, self._failures = self._failures, 0
            return before > 0

    def failed(self, trouble: str) -> None:
        """A call gave none."""
        if trouble not in OUTAGES:
            return
        with self._lock:
            self._failures += 1
            self._opened_at = self._now()
