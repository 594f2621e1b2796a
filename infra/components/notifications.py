"""The topic that all notifications leave by."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.stage import Stage

_ALARMS = "cloudwatch.amazonaws.com"


class Notifications(Construct):
    """An encrypted topic. Messages carry `kind` and `recipients` as attributes to filter by."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Stage, on_call_email: str | None
    ) -> None:
        super().__init__(scope, construct_id)
        # Alarms cannot publish through the key that AWS manages for SNS: its policy is fixed.
        self.key = kms.Key(
            self,
            "Key",
            description="Encrypts the notifications of Incident Squad",
            enable_key_rotation=True,
            removal_policy=stage.removal,
        )
        self.topic = sns.Topic(self, "Topic", master_key=self.key, enforce_ssl=True)
        self._let_alarms_publish()
        if on_call_email:
            self.topic.add_subscription(subscriptions.EmailSubscription(on_call_email))

    def _let_alarms_publish(self) -> None:
        alarms = iam.ServicePrincipal(
            _ALARMS, conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        )
        self.key.grant_encrypt_decrypt(alarms)
        self.topic.grant_publish(alarms)
