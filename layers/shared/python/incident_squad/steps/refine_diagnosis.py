"""The specialist's model in the states that investigate."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from incident_squad.agents.investigator import Case, investigate_further
from incident_squad.agents.looks import Looks
from incident_squad.agents.rails import Rails
from incident_squad.agents.specialist import Investigation
from incident_squad.domain.alert import Alert
from incident_squad.domain.evidence import Diagnosis
from incident_squad.domain.incident import Incident
from incident_squad.domain.model import ModelUse
from incident_squad.ports import Clock, Knowledge
from incident_squad.steps.refining import Slice, not_asked, or_floor

SLICE = Slice(seconds=38.0, by=48.0)
"""Of the sixty seconds in which the diagnosis is back."""

LooksFor = Callable[[Incident, Alert], Looks]


@dataclass(frozen=True)
class RefineDiagnosis:
    """Refines a floor's investigation within its slice of time."""

    rails: Rails
    knowledge: Knowledge
    clock: Clock
    looks_for: LooksFor
    slice: Slice = SLICE

    def __call__(
        self, incident: Incident, alert: Alert, floor: Investigation, began: datetime
    ) -> tuple[Investigation, ModelUse]:
        """The investigation and how it was made. Noise is not worth a model's time."""
        if incident.triage is None or incident.triage.noise:
            return floor, not_asked("noise needs no model")
        desk = self.rails.desk(incident.id, self.slice.left(incident, self.clock, began))
        case = Case(alert, incident.triage, floor, self.knowledge)
        seen = list(floor.evidence)

        def refine() -> Diagnosis:
            found = investigate_further(case, self.looks_for(incident, alert), desk)
            seen[:] = found.evidence
            return found.diagnosis

        diagnosis, use = or_floor(floor.diagnosis, desk, refine)
        return Investigation(evidence=tuple(seen), diagnosis=diagnosis), use
