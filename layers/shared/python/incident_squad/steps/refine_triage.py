"""The router's model in the state Triage."""

from dataclasses import dataclass

from incident_squad.agents.rails import Rails
from incident_squad.agents.router import route
from incident_squad.domain.alert import Alert
from incident_squad.domain.incident import Incident
from incident_squad.domain.model import ModelUse
from incident_squad.domain.triage import Triage
from incident_squad.ports import Clock, Knowledge
from incident_squad.steps.refining import Slice, not_asked, or_floor

SLICE = Slice(seconds=2.5, by=3.2)
"""Of the five seconds in which an alert is triaged and routed; writing it down takes time too."""


@dataclass(frozen=True)
class RefineTriage:
    """Refines the floor's triage within its slice of time."""

    rails: Rails
    knowledge: Knowledge
    clock: Clock
    slice: Slice = SLICE

    def __call__(self, incident: Incident, alert: Alert, floor: Triage) -> tuple[Triage, ModelUse]:
        """The triage and how it was made. Noise is not worth a model's time."""
        if floor.noise:
            return floor, not_asked("noise needs no model")
        desk = self.rails.desk(incident.id, self.slice.left(incident, self.clock))
        return or_floor(floor, desk, lambda: route(alert, floor, self.knowledge, desk))
