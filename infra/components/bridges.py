"""Rules that take what AWS itself says straight to the intake function: no topic, no signature.

CloudWatch alarms come in when the operator chooses them (`-c alarms=orders-,payments-`, or
`-c alarms=all`): an account has alarms of many owners, those of autoscaling among them. The
squad's own alarms never do: they say that the squad is broken, and go to people directly.
"""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

ALL = "all"
GUARD_DUTY_FROM = 4
"""The least severity of a GuardDuty finding that counts: 4 is medium."""

_NOT_OURS = ["TargetTracking-"]


class Bridges(Construct):
    """One rule each for CloudWatch alarms (by choice), GuardDuty findings and AWS Health."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        intake: lambda_.IFunction,
        stack_name: str,
        alarms: tuple[str, ...],
    ) -> None:
        super().__init__(scope, construct_id)
        self._intake = intake
        if alarms:
            self._bridge(
                "Alarms",
                "CloudWatch alarms of the chosen names",
                source="aws.cloudwatch",
                kind="CloudWatch Alarm State Change",
                detail={
                    "alarmName": _names(alarms, stack_name),
                    "state": {"value": ["ALARM", "OK"]},
                },
            )
        self._bridge(
            "Findings",
            "Findings of GuardDuty, from medium severity",
            source="aws.guardduty",
            kind="GuardDuty Finding",
            detail={"severity": [{"numeric": [">=", GUARD_DUTY_FROM]}]},
        )
        self._bridge(
            "Health",
            "Issues of AWS itself that touch this account",
            source="aws.health",
            kind="AWS Health Event",
            detail={"eventTypeCategory": ["issue"]},
        )

    def _bridge(
        self, name: str, words: str, *, source: str, kind: str, detail: Mapping[str, Any]
    ) -> None:
        pattern = events.EventPattern(source=[source], detail_type=[kind], detail=detail)
        target = targets.LambdaFunction(
            self._intake, retry_attempts=185, max_event_age=Duration.hours(6)
        )
        events.Rule(self, name, description=words, event_pattern=pattern, targets=[target])


def _names(alarms: tuple[str, ...], stack_name: str) -> list[Any]:
    """Patterns of alarm names; CloudFormation names the stack's own alarms by the stack."""
    if ALL in alarms:
        return [{"anything-but": {"prefix": [f"{stack_name}-", *_NOT_OURS]}}]
    return [{"prefix": prefix} for prefix in alarms]
