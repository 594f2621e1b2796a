"""The topic that CloudWatch alarms are pointed at; it posts them to the API like any sender."""

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.components.notifications import topic_for_alarms


class Alerts(Construct):
    """Messages are signed by SNS; intake believes those of this topic, and checks each."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self.topic = topic_for_alarms(self, "Topic", key=key)

    def deliver_to(self, api: apigateway.RestApi) -> None:
        """Subscribe the API; intake itself confirms the subscription."""
        subscription = self.topic.add_subscription(
            subscriptions.UrlSubscription(
                f"{api.url}webhooks/cloudwatch", protocol=sns.SubscriptionProtocol.HTTPS
            )
        )
        # SNS asks for confirmation at once: the route must be there to answer.
        subscription.node.add_dependency(api)
