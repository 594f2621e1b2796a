"""Triage: say what an alert is, how bad it is and which runbooks may fit."""

from incident_squad import bootstrap
from incident_squad.contracts import IncidentInput, TriageOutput
from incident_squad.entrypoint import step

bootstrap.warm_model()


@step(IncidentInput)
def lambda_handler(request: IncidentInput) -> TriageOutput:
    """Delegate to the use case."""
    return bootstrap.triage()(request)
