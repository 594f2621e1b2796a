"""HandOver: page a human with everything that is known."""

from incident_squad import bootstrap
from incident_squad.contracts import Done, HandOverInput
from incident_squad.entrypoint import step


@step(HandOverInput)
def lambda_handler(request: HandOverInput) -> Done:
    """Delegate to the use case."""
    return bootstrap.hand_over()(request)
