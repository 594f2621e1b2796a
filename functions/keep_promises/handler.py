"""KeepPromises: promised updates go out in time, and pages that nobody answers go further."""

from incident_squad import bootstrap
from incident_squad.entrypoint import Event, event_handler, measure
from incident_squad.steps.keep_promises import Kept


@event_handler
def lambda_handler(event: Event) -> Kept:
    """Delegate to the use case, and count what alarms look at."""
    kept = bootstrap.keep_promises()(event)
    measure(PromisesBroken=len(kept.broken), PromisesTroubled=len(kept.troubled))
    return kept
