"""DeliverMessages: take what waits in the outbox to its channels."""

from incident_squad import bootstrap
from incident_squad.entrypoint import Event, event_handler, measure
from incident_squad.steps.deliver_messages import Delivered


@event_handler
def lambda_handler(event: Event) -> Delivered:
    """Delegate to the use case, and count what alarms look at."""
    told = bootstrap.deliver_messages()(event)
    measure(
        DeliveriesFailed=told.failed,
        DeliveriesRefused=told.refused,
        DeliveriesUncertain=told.uncertain,
        OldestDeliverySeconds=told.oldest_seconds,
    )
    return told
