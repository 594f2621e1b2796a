"""Triage: say what an incident is, how bad, whose it is, and which runbooks may fit."""

from collections.abc import Callable
from dataclasses import dataclass

from incident_squad.contracts import IncidentInput, TriageOutput
from incident_squad.domain.alert import Alert
from incident_squad.domain.incident import Incident, IncidentStatus, Stage
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.triage import Triage as TriageResult
from incident_squad.ports import IncidentStore, Timeline

Triager = Callable[[Alert], TriageResult]


@dataclass(frozen=True)
class Triage:
    """Judge the incident's first alert and store the judgement."""

    incidents: IncidentStore
    timeline: Timeline
    triager: Triager

    def __call__(self, request: IncidentInput) -> TriageOutput:
        """Triage once; a repeated call gives the stored judgement again."""
        incident = self.incidents.get(request.incident_id)
        result = incident.triage or self._judge(incident)
        return TriageOutput(type=result.type, severity=result.severity)

    def _judge(self, incident: Incident) -> TriageResult:
        result = self.triager(self.incidents.alerts(incident.id)[0])
        self.timeline.append(
            incident.id,
            Entry(
                event="Triaged",
                summary=f"{result.severity.value} {result.type.value}, "
                f"routed to the {result.type.value} specialist",
                actor=Actor.agent("router"),
                data={
                    "runbooks": [c.runbook_id for c in result.runbooks[:3]],
                    "confidence": result.confidence,
                    "why": list(result.why),
                },
                engine=result.engine,
            ),
        )
        self.incidents.change(
            incident.id,
            triage=result,
            type=result.type,
            severity=result.severity,
            service=result.service,
            status=IncidentStatus.DIAGNOSING,
            stage=Stage.RESPOND,
        )
        return result
