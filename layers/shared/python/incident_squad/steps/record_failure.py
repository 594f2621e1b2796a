"""RecordFailure: an execution of the workflow died; make sure that a human knows."""

from dataclasses import dataclass
from typing import Any

from incident_squad.contracts import Done, HandOverInput, WorkflowError
from incident_squad.domain.errors import UnknownIncident
from incident_squad.domain.incident import IncidentStatus
from incident_squad.ports import IncidentStore
from incident_squad.steps.hand_over import HandOver

RESTARTED = "States.ServiceRestart"
"""The embedded stack's word for executions that its own restart ended: the sweep resumes them."""


@dataclass(frozen=True)
class RecordFailure:
    """Hand over the incident of a failed, timed out or aborted execution."""

    incidents: IncidentStore
    hand_over: HandOver

    def __call__(self, event: dict[str, Any]) -> Done:
        """Take an EventBridge "Step Functions Execution Status Change" event."""
        detail = event.get("detail", {})
        error, cause = str(detail.get("error") or ""), str(detail.get("cause") or "")
        incident_id, _, attempt = str(detail.get("name", "")).rpartition("-")
        if RESTARTED in (error, cause):
            return Done()
        try:
            incident = self.incidents.get(incident_id)
        except UnknownIncident:
            return Done()
        finished = incident.status in {IncidentStatus.HANDED_OVER, IncidentStatus.RESOLVED}
        if finished or str(incident.attempt) != attempt:
            return Done()
        return self.hand_over(
            HandOverInput(
                incident_id=incident_id,
                reason=f"the workflow ended as {detail.get('status', 'FAILED')}",
                error=WorkflowError(error=error, cause=cause),
            )
        )
