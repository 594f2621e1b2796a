"""CloseIncident: write the final report and call the incident resolved."""

from collections.abc import Callable
from dataclasses import dataclass

from incident_squad.contracts import Done, IncidentInput
from incident_squad.domain.incident import IncidentStatus, Stage
from incident_squad.domain.report import Report
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.ports import Clock, IncidentStore, Timeline


@dataclass(frozen=True)
class CloseIncident:
    """The last state: the report is stored as it will be read."""

    incidents: IncidentStore
    timeline: Timeline
    clock: Clock
    build_report: Callable[[str], Report]

    def __call__(self, request: IncidentInput) -> Done:
        """Resolve the incident; a repeated call changes nothing."""
        incident = self.incidents.get(request.incident_id)
        if incident.status is not IncidentStatus.RESOLVED:
            now = self.clock.now()
            duration = now - incident.opened_at
            self.timeline.append(
                incident.id,
                Entry(
                    event="IncidentResolved",
                    summary=f"Resolved after {int(duration.total_seconds())} seconds",
                    actor=Actor.agent("squad"),
                ),
            )
            self.incidents.change(
                incident.id, status=IncidentStatus.RESOLVED, stage=Stage.DONE, resolved_at=now
            )
        self.incidents.put_report(incident.id, self.build_report(incident.id).to_json())
        return Done()
