"""Alarms: about what the squad itself cannot report."""

from collections.abc import Mapping

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from incident_squad.entrypoint import NAMESPACE
from infra.functions import FUNCTIONS

_PERIOD = Duration.minutes(1)
_OWN = (
    ("DeliveriesRefused", "Maximum", 1, "A channel refused a message for good"),
    ("PromisesBroken", "Maximum", 1, "A promised update is late"),
    ("PromisesTroubled", "Maximum", 1, "A promise could not be kept"),
    ("OldestDeliverySeconds", "Maximum", 300, "A channel to people has been dead for minutes"),
)
"""The squad's own metrics: name, statistic, threshold, meaning."""


class Monitoring(Construct):
    """An alarm a way to fail that nobody would hear of otherwise.

    Errors inside the workflow are handed over to a human anyway; these are the ones outside.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        machine: sfn.StateMachine,
        functions: Mapping[str, lambda_.IFunction],
        api: apigateway.RestApi,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._action = actions.SnsAction(topic)
        self._alarm(
            "ExecutionsFailed",
            machine.metric_failed(period=_PERIOD, statistic="Sum"),
            "The workflow has failed",
        )
        self._alarm(
            "ExecutionsTimedOut",
            machine.metric_timed_out(period=_PERIOD, statistic="Sum"),
            "The workflow ran out of time",
        )
        self._alarm(
            "ApiErrors",
            api.metric_server_error(period=_PERIOD, statistic="Sum"),
            "The API answers 5xx",
        )
        for row in FUNCTIONS:
            if not row.state:
                errors = functions[row.name].metric_errors(period=_PERIOD, statistic="Sum")
                self._alarm(f"{row.id}Errors", errors, f"{row.name} fails")

        for name, statistic, threshold, meaning in _OWN:
            own = cloudwatch.Metric(
                namespace=NAMESPACE,
                metric_name=name,
                statistic=statistic,
                period=_PERIOD,
                dimensions_map={
                    "service": "incident-squad",
                    "stack": Stack.of(self).stack_name,
                },
            )
            self._alarm(name, own, meaning, threshold)

    def _alarm(
        self, construct_id: str, metric: cloudwatch.Metric, meaning: str, threshold: float = 1
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            metric=metric,
            alarm_description=meaning,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(self._action)
