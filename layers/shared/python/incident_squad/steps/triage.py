"""Triage: say what an incident is, how bad, whose it is, and which runbooks may fit."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from incident_squad.contracts import IncidentInput, TriageOutput
from incident_squad.domain.alert import Alert
from incident_squad.domain.errors import TransientFailure
from incident_squad.domain.incident import Incident, IncidentStatus, Stage
from incident_squad.domain.model import ModelUse
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.triage import Triage as TriageResult
from incident_squad.domain.values import Severity
from incident_squad.ports import IncidentStore, Timeline
from incident_squad.steps.alert_record import leading_alert, raised_entry
from incident_squad.steps.model_use import as_cost, as_data

Triager = Callable[[Alert], TriageResult]
Refiner = Callable[[Incident, Alert, TriageResult], tuple[TriageResult, ModelUse]]


@dataclass(frozen=True)
class Triage:
    """Judge the incident by the alert that leads it, and as bad as its worst alert says.

    The leading alert is the one that opened it, or the first that names a cause where the
    opening one only shows a symptom. Neither is searched for: a storm is never read.
    `refiner` asks a model, where one is configured; it gives what is at least as good. People are
    paged ahead of it: `page_ahead` tells them what the floor knows.
    """

    incidents: IncidentStore
    timeline: Timeline
    triager: Triager
    refiner: Refiner | None = None
    page_ahead: Callable[[Incident, TriageResult], None] | None = None

    def __call__(self, request: IncidentInput) -> TriageOutput:
        """Triage once; a repeated call gives the stored judgement again."""
        incident = self.incidents.get(request.incident_id)
        result = incident.triage or self._judge(incident)
        return TriageOutput(type=result.type, severity=result.severity)

    def _judge(self, incident: Incident) -> TriageResult:
        leading = leading_alert(self.incidents, incident)
        judged, use = self._refined(incident, leading, self.triager(leading))
        result = _no_better(judged, incident.stated_severity)
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
                    **as_data(use),
                },
                engine=result.engine,
                **as_cost(use),
            ),
        )
        changed = self.incidents.change(
            incident.id,
            triage=result,
            type=result.type,
            severity=result.severity,
            service=result.service,
            status=IncidentStatus.DIAGNOSING,
            stage=Stage.RESPOND,
        )
        return self._overtaken(changed, result)

    def _refined(
        self, incident: Incident, alert: Alert, floor: TriageResult
    ) -> tuple[TriageResult, ModelUse | None]:
        if self.refiner is None:
            return floor, None
        if self.page_ahead is not None:
            known = _no_better(floor, incident.stated_severity)
            with suppress(TransientFailure):  # NotifyOnCall makes up for it
                self.page_ahead(incident, known)
        return self.refiner(incident, alert, floor)

    def _overtaken(self, incident: Incident, result: TriageResult) -> TriageResult:
        """A worse alert may have come while this was being judged."""
        worse = _no_better(result, incident.stated_severity)
        if worse is not result:
            self.timeline.append(incident.id, raised_entry(result.severity, worse))
            self.incidents.change(incident.id, triage=worse, severity=worse.severity)
        return worse


def _no_better(result: TriageResult, stated: Severity | None) -> TriageResult:
    """The judgement, raised to what the worst of the alerts states; never lowered."""
    if stated is None or not stated.worse_than(result.severity):
        return result
    why = f"{stated} because another alert of the incident is as bad as that"
    return result.model_copy(update={"severity": stated, "why": (*result.why, why)})
