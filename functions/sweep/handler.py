"""Sweep: take up incidents whose execution is gone, and repeat undelivered decisions."""

from incident_squad import bootstrap
from incident_squad.entrypoint import Event, event_handler
from incident_squad.steps.sweep import Swept


@event_handler
def lambda_handler(event: Event) -> Swept:
    """Delegate to the use case."""
    return bootstrap.sweep()(event)
