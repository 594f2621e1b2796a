"""The circuit breaker: when automatic repair of a service has to stop and ask a person."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from incident_squad.domain.catalog import Breaker
from incident_squad.domain.values import Moment, Value


class PastRepair(Value):
    """An automatic repair of the same service in another incident; `at` is when that opened."""

    incident_id: str
    runbook_id: str | None
    at: Moment
    failed: bool


def tripped(
    history: Sequence[PastRepair], runbook_id: str, breaker: Breaker, now: datetime
) -> str | None:
    """Why automatic repair stops, or None while it may go on.

    It stops after failures, whatever their runbook, and when the same repair was needed again and
    again: then it treats a symptom.
    """
    window = timedelta(minutes=breaker.window_minutes)
    recent = [past for past in history if timedelta() <= now - past.at <= window]
    failed = sorted(past.incident_id for past in recent if past.failed)
    if len(failed) >= breaker.failures:
        return f"automatic repair of this service failed in {_some(failed)}"
    again = sorted(past.incident_id for past in recent if past.runbook_id == runbook_id)
    if len(again) >= breaker.recurrences:
        return f"the same repair was made {len(again)} times lately, in {_some(again)}"
    return None


def _some(incidents: Sequence[str]) -> str:
    return ", ".join(incidents[-3:])
