"""Read everything that is stored about an incident at once."""

from dataclasses import dataclass

from incident_squad.domain.record import IncidentRecord
from incident_squad.ports import Approvals, IncidentStore, Timeline

ALERTS = 200
"""So many alerts stand in a record: a storm has 10,000, and pages and reports need a few."""


@dataclass(frozen=True)
class ReadRecord:
    """Gather an incident's record from its stores."""

    incidents: IncidentStore
    approvals: Approvals
    timeline: Timeline
    public_texts: Approvals | None = None

    def __call__(self, incident_id: str) -> IncidentRecord:
        """The record as it stands now; raises UnknownIncident."""
        return IncidentRecord(
            incident=self.incidents.get(incident_id),
            alerts=tuple(self.incidents.alerts(incident_id, ALERTS)),
            evidence=tuple(self.incidents.evidence(incident_id)),
            diagnosis=self.incidents.diagnosis(incident_id),
            plan=self.incidents.plan(incident_id),
            steps=tuple(self.incidents.steps(incident_id)),
            updates=tuple(self.incidents.updates(incident_id)),
            approvals=tuple(self.approvals.of_incident(incident_id)),
            public_texts=tuple(self.public_texts.of_incident(incident_id))
            if self.public_texts
            else (),
            events=tuple(self.timeline.read(incident_id)),
        )
