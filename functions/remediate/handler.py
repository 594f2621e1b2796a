"""RemediateStep: run one step of the stored plan."""

from incident_squad import bootstrap
from incident_squad.contracts import RemediateInput, RemediateOutput
from incident_squad.entrypoint import step


@step(RemediateInput)
def lambda_handler(request: RemediateInput) -> RemediateOutput:
    """Delegate to the use case."""
    return bootstrap.remediate()(request)
