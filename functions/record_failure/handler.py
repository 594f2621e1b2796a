"""RecordFailure: page a human when an execution of the workflow ended badly."""

from incident_squad import bootstrap
from incident_squad.contracts import Done
from incident_squad.entrypoint import Event, event_handler


@event_handler
def lambda_handler(event: Event) -> Done:
    """Delegate to the use case."""
    return bootstrap.record_failure()(event)
