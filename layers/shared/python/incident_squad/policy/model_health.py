"""When a model is down for everybody: what one process learns, the others need not try."""

from incident_squad.domain.model import CERTAIN_OUTAGES, OUTAGE_SECONDS
from incident_squad.domain.values import Value

DOWN = "the model failed for others just now"
_DOUBTFUL = 2
"""So many failures in a row that each leave a doubt are no chance."""


class SharedBreaker(Value):
    """Failures in a row and when the last one was; times are whole seconds since 1970."""

    failures: int = 0
    at: int = 0
    open_until: int = 0

    def after(self, trouble: str, now: int) -> "SharedBreaker":
        """After another failure; what is older than an outage lasts is forgotten."""
        failures = (self.failures if now - self.at <= OUTAGE_SECONDS else 0) + 1
        down = trouble in CERTAIN_OUTAGES or failures >= _DOUBTFUL
        open_until = now + OUTAGE_SECONDS if down else self.open_until
        return SharedBreaker(failures=failures, at=now, open_until=open_until)
