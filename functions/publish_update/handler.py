"""PublishUpdate: put the status update of a state out."""

from incident_squad import bootstrap
from incident_squad.contracts import UpdateInput, UpdateOutput
from incident_squad.entrypoint import step

bootstrap.warm_model()


@step(UpdateInput)
def lambda_handler(request: UpdateInput) -> UpdateOutput:
    """Delegate to the use case."""
    return bootstrap.publish_update()(request)
