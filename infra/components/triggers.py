"""What happens beside the workflow: executions that end badly, and the sweep of every minute."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

EVERY_MINUTE = ("sweep", "deliver_messages", "keep_promises")
ENDED_BADLY = ["FAILED", "TIMED_OUT", "ABORTED"]


class Triggers(Construct):
    """Rules on the default event bus."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        machine: sfn.IStateMachine,
        functions: Mapping[str, lambda_.IFunction],
    ) -> None:
        super().__init__(scope, construct_id)
        events.Rule(
            self,
            "ExecutionEndedBadly",
            description="The last net: page a human when the workflow itself has failed",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": ENDED_BADLY,
                    "stateMachineArn": [machine.state_machine_arn],
                },
            ),
            targets=[targets.LambdaFunction(functions["record_failure"])],
        )
        events.Rule(
            self,
            "EveryMinute",
            description="Takes up what broke off and delivers what waits",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[targets.LambdaFunction(functions[name]) for name in EVERY_MINUTE],
        )
