"""UndoRemediation: take applied steps back, the last one first."""

from incident_squad import bootstrap
from incident_squad.contracts import IncidentInput, UndoOutput
from incident_squad.entrypoint import step


@step(IncidentInput)
def lambda_handler(request: IncidentInput) -> UndoOutput:
    """Delegate to the use case."""
    return bootstrap.undo_remediation()(request)
