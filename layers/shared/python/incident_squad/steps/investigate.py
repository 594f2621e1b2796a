"""Investigate: the specialist of a type looks at the systems and says what is wrong."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from incident_squad.agents.specialist import Investigation, investigate, with_changes
from incident_squad.contracts import IncidentInput, InvestigateOutput
from incident_squad.domain.alert import Alert
from incident_squad.domain.errors import PolicyViolation
from incident_squad.domain.evidence import METRIC_ID, Evidence, EvidenceStatus, Verdict
from incident_squad.domain.incident import Incident, Stage
from incident_squad.domain.model import ModelUse
from incident_squad.domain.runbook import Runbook
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.triage import Triage
from incident_squad.domain.values import IncidentType
from incident_squad.policy.thresholds import fitted
from incident_squad.ports import Clock, IncidentStore, Knowledge, Probers, Timeline
from incident_squad.steps.alert_record import leading_alert
from incident_squad.steps.model_use import as_cost, as_data
from incident_squad.steps.recent_changes import RecentChanges, alerted_at

LOOKS_AGAIN = 2
LOOK_AGAIN_SECONDS = 2.5

Refiner = Callable[[Incident, Alert, Investigation, datetime], tuple[Investigation, ModelUse]]


@dataclass(frozen=True)
class Investigate:
    """One specialist; what it may look at is what the runbooks' checks name."""

    specialist: IncidentType
    incidents: IncidentStore
    timeline: Timeline
    knowledge: Knowledge
    probers: Probers
    recent_changes: RecentChanges
    clock: Clock
    refiner: Refiner | None = None

    def __call__(self, request: IncidentInput) -> InvestigateOutput:
        """Investigate, store evidence and diagnosis, and say whether the answer is sure."""
        incident = self.incidents.get(request.incident_id)
        if incident.triage is None:
            raise PolicyViolation("an incident is investigated after its triage")
        name = f"{self.specialist.value} specialist"
        self.timeline.append(
            incident.id,
            Entry(
                event="InvestigationStarted",
                summary=f"The {name} looks into it",
                actor=Actor.agent(name),
            ),
        )
        began = self.clock.now()
        found, use = self._refined(incident, self._ripe(incident, incident.triage), began)
        for evidence in found.evidence:
            self.incidents.put_evidence(incident.id, evidence)
        self._record(incident.id, name, found, use)
        self.incidents.put_diagnosis(incident.id, found.diagnosis)
        self.incidents.change(incident.id, stage=Stage.SYNTHESIZE)
        return InvestigateOutput(conclusive=found.diagnosis.conclusive)

    def _ripe(self, incident: Incident, triage: Triage) -> Investigation:
        """Look again a little later while what can be seen says nothing either way.

        An alert may be quicker than the thresholds of the checks that would confirm it.
        """
        found = self._found(incident, triage)
        for _ in range(LOOKS_AGAIN):
            if found.diagnosis.conclusive or not _undecided(found):
                break
            self.clock.sleep(LOOK_AGAIN_SECONDS)
            found = self._found(incident, triage)
        return found

    def _found(self, incident: Incident, triage: Triage) -> Investigation:
        alert = leading_alert(self.incidents, incident)
        with ThreadPoolExecutor(max_workers=1) as pool:
            changes = pool.submit(self._changes, incident, triage, alert)
            found = investigate(
                self.specialist,
                incident,
                triage,
                alert,
                self._runbooks(incident.service, triage),
                lambda probe: self.probers.ask(probe, incident.service, {}),
            )
            return with_changes(found, changes.result())

    def _runbooks(self, service: str | None, triage: Triage) -> Mapping[str, Runbook]:
        """The candidates, with the limits that the operator has set for this service."""
        names = {one.runbook_id for one in triage.runbooks} & set(self.knowledge.runbooks)
        catalog = self.knowledge.catalog
        return {name: fitted(self.knowledge.runbook(name), catalog, service) for name in names}

    def _changes(self, incident: Incident, triage: Triage, alert: Alert) -> Sequence[Evidence]:
        return () if triage.noise else self.recent_changes(incident.service, alerted_at(alert))

    def _refined(
        self, incident: Incident, floor: Investigation, began: datetime
    ) -> tuple[Investigation, ModelUse | None]:
        if self.refiner is None:
            return floor, None
        return self.refiner(incident, leading_alert(self.incidents, incident), floor, began)

    def _record(
        self, incident_id: str, name: str, found: Investigation, use: ModelUse | None
    ) -> None:
        for evidence in found.evidence[1:]:
            if not evidence.id.startswith(METRIC_ID):  # told when it was asked for
                self.timeline.append(incident_id, _observation(name, evidence))
        diagnosis = found.diagnosis
        self.timeline.append(
            incident_id,
            Entry(
                event="Diagnosed",
                summary=diagnosis.root_cause[:2000],
                actor=Actor.agent(name),
                data={
                    "runbook": diagnosis.runbook_id,
                    "conclusive": diagnosis.conclusive,
                    "confidence": diagnosis.confidence,
                    **as_data(use),
                },
                evidence_ids=tuple(e for f in diagnosis.findings for e in f.evidence_ids),
                engine=diagnosis.engine,
                **as_cost(use),
            ),
        )


def _undecided(found: Investigation) -> bool:
    """Whether the likeliest cause was looked at, and neither confirmed nor ruled out."""
    runbook = found.diagnosis.runbook_id
    own = [e for e in found.evidence if e.runbook_id == runbook and e.status is EvidenceStatus.OK]
    return bool(own) and not any(e.verdict is Verdict.CONTRADICTS for e in own)


def _observation(name: str, evidence: Evidence) -> Entry:
    return Entry(
        event="Observed",
        summary=f"{_asked(evidence)} {_seen(evidence)}"[:2000],
        actor=Actor.agent(name),
        evidence_ids=(evidence.id,),
    )


def _asked(evidence: Evidence) -> str:
    asked = evidence.asked[:600].rstrip(": ")
    return asked if asked.endswith("?") else f"{asked}:"


def _seen(evidence: Evidence) -> str:
    if evidence.status is not EvidenceStatus.OK:
        why = f": {evidence.detail[:600]}" if evidence.detail else ""
        return f"{evidence.status.value.replace('_', ' ')}{why}"
    if evidence.runbook_id is None:
        return evidence.meaning[:600] or "nothing"
    says = {
        Verdict.SUPPORTS: f"supports {evidence.runbook_id}",
        Verdict.CONTRADICTS: f"contradicts {evidence.runbook_id}",
        Verdict.SILENT: "says nothing either way",
    }
    value = f"{evidence.value:g}" if isinstance(evidence.value, float) else f"{evidence.value}"
    return f"{value[:600]} ({says[evidence.verdict]})"
