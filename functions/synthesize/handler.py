"""Synthesize: join diagnosis and runbook into a plan, and say who may apply it."""

from incident_squad import bootstrap
from incident_squad.contracts import IncidentInput, SynthesizeOutput
from incident_squad.entrypoint import step


@step(IncidentInput)
def lambda_handler(request: IncidentInput) -> SynthesizeOutput:
    """Delegate to the use case."""
    return bootstrap.synthesize()(request)
