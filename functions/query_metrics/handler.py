"""QueryMetrics: what a metric source says, for functions that hold no credentials."""

from incident_squad import bootstrap
from incident_squad.contracts import QueryMetricsInput, QueryMetricsOutput
from incident_squad.entrypoint import step


@step(QueryMetricsInput)
def lambda_handler(request: QueryMetricsInput) -> QueryMetricsOutput:
    """Delegate to the use case."""
    return QueryMetricsOutput(result=bootstrap.query_metrics()(request.question))
