"""The table of transcripts: functions add to it, and only who replays incidents may read it."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.components.review import accept
from infra.stage import Stage


class Transcripts(Construct):
    """One table, encrypted with AWS's key for it; what is in it goes when its time is over.

    No function reads it: `reader` is the policy to attach to people who replay incidents.
    """

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=_text("PK"),
            sort_key=_text("SK"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            time_to_live_attribute="ttl",
            removal_policy=stage.removal,
        )
        accept(
            self.table,
            "AwsSolutions-DDB3",
            "a backup would keep transcripts beyond their time, and no incident needs them",
        )
        self.reader = iam.ManagedPolicy(
            self,
            "Reader",
            description="Read transcripts of incidents, to replay them",
            statements=[
                iam.PolicyStatement(actions=["dynamodb:Query"], resources=[self.table.table_arn])
            ],
        )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
