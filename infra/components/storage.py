"""The incident table and the indexes that answer what SREs ask."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.stage import Stage

INDEXES = {
    "by_time": "kind",
    "by_status": "status",
    "by_service": "service",
    "by_type": "type",
    "by_severity": "severity",
}
"""Index and its partition attribute; all sort by `id`, which is time-ordered.

Only an incident's head carries `id`, so every index is sparse.
"""


class Storage(Construct):
    """One table: heads, alerts, events, approvals, updates, steps and claims."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=_text("PK"),
            sort_key=_text("SK"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="ttl",
            deletion_protection=stage.keeps_data,
            removal_policy=stage.removal,
        )
        for name, attribute in INDEXES.items():
            self.table.add_global_secondary_index(
                index_name=name,
                partition_key=_text(attribute),
                sort_key=_text("id"),
                projection_type=dynamodb.ProjectionType.ALL,
            )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
