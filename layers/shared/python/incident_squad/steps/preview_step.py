"""PreviewStep: what a step of a runbook would change now. It looks and never acts."""

from dataclasses import dataclass

from incident_squad.contracts import PreviewStepInput, PreviewStepOutput
from incident_squad.domain.alert import Alert, Source
from incident_squad.domain.errors import UnknownRunbook
from incident_squad.ports import Clock, IncidentStore, Knowledge
from incident_squad.steps.planning import Planner


@dataclass(frozen=True)
class PreviewStep:
    """The planner's view of one step, outside any plan: nothing of it can be applied."""

    incidents: IncidentStore
    knowledge: Knowledge
    planner: Planner
    clock: Clock

    def __call__(self, request: PreviewStepInput) -> PreviewStepOutput:
        """Resolve and preview the step; raises UnknownRunbook and UnknownIncident."""
        runbook = self.knowledge.runbook(request.runbook_id)
        if request.step_index >= len(runbook.steps):
            raise UnknownRunbook(f"'{runbook.name}' has {len(runbook.steps)} steps, from 0")
        alert, service = self._situation(request)
        step = self.planner.plan_step(runbook, request.step_index, alert, service)
        return PreviewStepOutput(step=step)

    def _situation(self, request: PreviewStepInput) -> tuple[Alert, str | None]:
        """The alert that parameters may come from, and the service."""
        if request.incident_id is not None:
            incident = self.incidents.get(request.incident_id)
            return self.incidents.alerts(incident.id)[0], incident.service
        nothing_said = Alert(
            source=Source.GENERIC, key="preview", title="Preview", received_at=self.clock.now()
        )
        return nothing_said, request.service
