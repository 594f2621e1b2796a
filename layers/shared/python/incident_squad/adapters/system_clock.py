"""The clock of this computer."""

import time
from datetime import UTC, datetime

from incident_squad.domain.values import as_utc


class SystemClock:
    """Implements `Clock`, in milliseconds as everything is stored."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        return as_utc(datetime.now(UTC))

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
