"""What automatic repair did to a service lately, read from the records of its incidents."""

from datetime import timedelta

from incident_squad.domain.incident import Incident, IncidentStatus
from incident_squad.domain.plan import Applier, StepStatus
from incident_squad.policy.breaker import PastRepair
from incident_squad.ports import Clock, IncidentQuery, IncidentStore

MOST = 50
"""Incidents that are looked at, the newest first."""

_BAD = frozenset({StepStatus.FAILED, StepStatus.UNDOING, StepStatus.UNDONE, StepStatus.UNDO_FAILED})


def past_repairs(
    incidents: IncidentStore, incident: Incident, clock: Clock, minutes: float
) -> list[PastRepair]:
    """Automatic repairs that were begun in other incidents of the same service."""
    if incident.service is None:
        return []
    since = clock.now() - timedelta(minutes=minutes)
    query = IncidentQuery(service=incident.service, first=f"{since:%Y%m%d}", limit=MOST)
    others = (one for one in incidents.list(query).incidents if one.id != incident.id)
    found = (_past(incidents, other) for other in others if other.opened_at >= since)
    return [past for past in found if past is not None]


def _past(incidents: IncidentStore, other: Incident) -> PastRepair | None:
    plan = incidents.plan(other.id)
    if plan is None or plan.applier is not Applier.AUTO:
        return None
    changing = {place for place in plan.indexes_to_run() if plan.steps[place].mutates}
    records = [one for one in incidents.steps(other.id) if one.plan_hash == plan.hash]
    if not changing or not records:
        return None
    # A hand-over after the repair means that it did not help, whatever its steps say, unless people
    # were to go on anyway.
    handed_over = other.status is IncidentStatus.HANDED_OVER and not plan.tasks()
    return PastRepair(
        incident_id=other.id,
        runbook_id=plan.runbook_id,
        at=other.opened_at,
        failed=handed_over or any(one.status in _BAD for one in records),
    )
