"""RequestApproval: ask the approvers for their decision about the stored plan."""

from incident_squad import bootstrap
from incident_squad.contracts import Done, RequestApprovalInput
from incident_squad.entrypoint import step


@step(RequestApprovalInput)
def lambda_handler(request: RequestApprovalInput) -> Done:
    """Delegate to the use case."""
    return bootstrap.request_approval()(request)
