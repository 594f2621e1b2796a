"""The topic that all notifications leave by."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.stage import Stage as Deployment

_ALARMS = "cloudwatch.amazonaws.com"


class Notifications(Construct):
    """An encrypted topic. Messages carry `kind` and `recipients` as attributes to filter by."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Deployment, on_call_email: str | None
    ) -> None:
        super().__init__(scope, construct_id)
        # Alarms cannot publish through the key that AWS manages for SNS: its policy is fixed.
        self.key = kms.Key(
            self,
            "Key",
            description="Encrypts the topics of Incident Squad",
            enable_key_rotation=True,
            removal_policy=stage.removal,
        )
        self.key.grant_encrypt_decrypt(_alarms(self))
        self.topic = topic_for_alarms(self, "Topic", key=self.key)
        if on_call_email:
            self.topic.add_subscription(subscriptions.EmailSubscription(on_call_email))


def topic_for_alarms(scope: Construct, construct_id: str, *, key: kms.IKey) -> sns.Topic:
    """An encrypted topic to which the alarms of this account may publish."""
    topic = sns.Topic(scope, construct_id, master_key=key, enforce_ssl=True)
    topic.grant_publish(_alarms(scope))
    return topic


def _alarms(scope: Construct) -> iam.ServicePrincipal:
    account = {"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}}
    return iam.ServicePrincipal(_ALARMS, conditions=account)
