"""CloseIncident: write the final report and the post-mortem, and resolve the incident."""

from incident_squad import bootstrap
from incident_squad.contracts import Done, IncidentInput
from incident_squad.entrypoint import step


@step(IncidentInput)
def lambda_handler(request: IncidentInput) -> Done:
    """Delegate to the use case."""
    return bootstrap.close_incident()(request)
