"""The spend ledger in memory."""

import threading
from collections import defaultdict

from incident_squad.domain.errors import ModelFailed, TransientFailure
from incident_squad.domain.model import Spend, Trouble
from incident_squad.policy.model_health import DOWN, SharedBreaker
from incident_squad.ports import Clock


class MemoryLedger:
    """Implements `Ledger`; `fail` makes every call fail."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._by_incident: dict[str, Spend] = defaultdict(Spend)
        self._by_hour: dict[str, int] = defaultdict(int)
        self._breaker = SharedBreaker()
        self.fail = False

    def reserve(self, incident_id: str, most: int, per_incident: int, per_hour: int) -> bool:
        """Set aside the most that a call can cost; False above a cap."""
        with self._lock:
            self._check()
            if self._breaker.open_until > self._clock.now().timestamp():
                raise ModelFailed(Trouble.CIRCUIT_OPEN, DOWN)
            hour, spent = self._hour(), self._by_incident[incident_id]
            if spent.micro_usd + most > per_incident or self._by_hour[hour] + most > per_hour:
                return False
            self._by_incident[incident_id] = spent.plus(Spend(micro_usd=most))
            self._by_hour[hour] += most
            return True

    def settle(self, incident_id: str, reserved: int, spent: Spend) -> None:
        """Put the real cost in place of what was reserved."""
        with self._lock:
            self._check()
            known, hour = self._by_incident[incident_id], self._hour()
            micro_usd = max(0, known.micro_usd - reserved + spent.micro_usd)
            self._by_incident[incident_id] = Spend(
                micro_usd=micro_usd,
                tokens=known.tokens + spent.tokens,
                calls=known.calls + spent.calls,
            )
            self._by_hour[hour] = max(0, self._by_hour[hour] - reserved + spent.micro_usd)

    def failed(self, trouble: str) -> None:
        """Note that a call failed."""
        with self._lock:
            self._check()
            self._breaker = self._breaker.after(trouble, int(self._clock.now().timestamp()))

    def worked(self) -> None:
        """Note that a call worked again."""
        with self._lock:
            self._check()
            self._breaker = SharedBreaker()

    def spent(self, incident_id: str) -> Spend:
        """What the incident has cost so far."""
        return self._by_incident[incident_id]

    def _hour(self) -> str:
        return f"{self._clock.now():%Y%m%dT%H}"

    def _check(self) -> None:
        if self.fail:
            raise TransientFailure("the ledger cannot be written")
