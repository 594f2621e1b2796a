"""NotifyOnCall: tell whom the severity asks for."""

from incident_squad import bootstrap
from incident_squad.contracts import IncidentInput, NotifyOnCallOutput
from incident_squad.entrypoint import step


@step(IncidentInput)
def lambda_handler(request: IncidentInput) -> NotifyOnCallOutput:
    """Delegate to the use case."""
    return bootstrap.notify_on_call()(request)
