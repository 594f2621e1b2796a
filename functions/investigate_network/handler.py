"""InvestigateNetwork: diagnose as the network specialist."""

from incident_squad import bootstrap
from incident_squad.contracts import IncidentInput, InvestigateOutput
from incident_squad.domain.values import IncidentType
from incident_squad.entrypoint import step

bootstrap.warm_model()


@step(IncidentInput)
def lambda_handler(request: IncidentInput) -> InvestigateOutput:
    """Delegate to the use case."""
    return bootstrap.investigate(IncidentType.NETWORK)(request)
