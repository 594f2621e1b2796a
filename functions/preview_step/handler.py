"""PreviewStep: what a step of a runbook would change now."""

from incident_squad import bootstrap
from incident_squad.contracts import PreviewStepInput, PreviewStepOutput
from incident_squad.entrypoint import step


@step(PreviewStepInput)
def lambda_handler(request: PreviewStepInput) -> PreviewStepOutput:
    """Delegate to the use case."""
    return bootstrap.preview_step()(request)
