"""Tools that read incidents."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from incident_squad.domain.incident import Incident
from incident_squad.ports import IncidentStore, Timeline
from incident_squad.steps.incident_filters import query_of
from incident_squad.steps.read_record import ReadRecord
from incident_squad.steps.report import BuildReport, clocks, plain
from incident_squad.steps.tools.inputs import IncidentInput, ListIncidentsInput, TimelineInput

_SHOWN = (
    "title",
    "status",
    "severity",
    "type",
    "service",
    "source",
    "openedAt",
    "updatedAt",
    "resolvedAt",
    "handOverReason",
)


@dataclass(frozen=True)
class IncidentTools:
    """What the HTTP interface shows of incidents, as tools."""

    incidents: IncidentStore
    timeline: Timeline
    read_record: ReadRecord
    build_report: BuildReport

    def find(self, asked: ListIncidentsInput) -> dict[str, Any]:
        """Incidents, newest first; raises InvalidParameter on a bad cursor or day."""
        given = asked.model_dump(mode="json", by_alias=True, exclude_none=True)
        found = self.incidents.list(query_of({name: str(text) for name, text in given.items()}))
        return {"incidents": [_summary(one) for one in found.incidents], "next": found.next}

    def get(self, asked: IncidentInput) -> dict[str, Any]:
        """Everything beside one incident; raises UnknownIncident."""
        record = self.read_record(asked.incident_id)
        return {
            "incidentId": asked.incident_id,
            **plain(record.incident),
            "alerts": plain(record.alerts),
            "diagnosis": plain(record.diagnosis),
            "plan": plain(record.plan),
            "steps": plain(record.steps),
            "updates": plain(record.updates),
            "approvals": plain(record.approvals),
            "clocks": clocks(record),
        }

    def events(self, asked: TimelineInput) -> dict[str, Any]:
        """The timeline and whether its chain is sound; raises UnknownIncident."""
        self.incidents.get(asked.incident_id)
        problems = list(self.timeline.problems(asked.incident_id))
        return {
            "incidentId": asked.incident_id,
            "events": plain(tuple(self.timeline.read(asked.incident_id, asked.after))),
            "sound": not problems,
            "problems": problems,
        }

    def report(self, asked: IncidentInput) -> dict[str, Any]:
        """The report; raises UnknownIncident, and PolicyViolation before triage."""
        return self.build_report(asked.incident_id).to_json()


def _summary(incident: Incident) -> Mapping[str, Any]:
    known = plain(incident)
    return {"incidentId": incident.id, **{name: known[name] for name in _SHOWN}}
