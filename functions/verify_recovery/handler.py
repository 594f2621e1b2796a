"""VerifyRecovery: look whether the symptom itself is gone."""

from incident_squad import bootstrap
from incident_squad.contracts import IncidentInput, VerifyRecoveryOutput
from incident_squad.entrypoint import step


@step(IncidentInput)
def lambda_handler(request: IncidentInput) -> VerifyRecoveryOutput:
    """Delegate to the use case."""
    return bootstrap.verify_recovery()(request)
