"""How often a sender may come: a bucket for each, which fills as time goes by."""

import threading
from datetime import datetime


class Buckets:
    """Buckets by name, in this process. A function has as many as it has warm processes.

    What passes all of them is bounded by the gateway; a bucket keeps one source from taking
    what the others need.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._levels: dict[str, tuple[float, datetime]] = {}

    def wait(self, name: str, now: datetime, *, per_second: float, burst: int) -> float:
        """Take one: 0 when there was one, otherwise the seconds until there is."""
        with self._lock:
            level, since = self._levels.get(name, (float(burst), now))
            passed = max(0.0, (now - since).total_seconds())
            level = min(float(burst), level + passed * per_second)
            enough = level >= 1
            self._levels[name] = (level - 1 if enough else level, max(now, since))
        return 0.0 if enough else (1 - level) / per_second
