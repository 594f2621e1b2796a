"""The state machine around the flow: its name, limit, log and role."""

from collections.abc import Mapping, Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.components.flow import Flow
from infra.components.names import Names
from infra.components.review import accept
from infra.components.workflow_states import States
from infra.functions import FUNCTIONS
from infra.stage import Stage

_LIMIT = Duration.hours(12)


class Workflow(Construct):
    """A standard machine in JSONata. Should HandOver itself fail, `triggers.py` pages."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        stage: Stage,
        functions: Mapping[str, lambda_.IFunction],
    ) -> None:
        super().__init__(scope, construct_id)
        log = logs.LogGroup(
            self, "Log", retention=stage.log_retention, removal_policy=stage.removal
        )
        # States have a scope of their own: constructs beside them may bear the same names.
        flow = Flow(States(Construct(self, "States"), functions))
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=names.machine,
            comment="Incident Squad: from alert to resolution, or to a human",
            definition_body=sfn.DefinitionBody.from_chainable(flow.start()),
            query_language=sfn.QueryLanguage.JSONATA,
            timeout=_LIMIT,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=log, level=sfn.LogLevel.ALL, include_execution_data=False
            ),
            removal_policy=stage.removal,
        )
        _review(self.machine, [functions[row.name] for row in FUNCTIONS if row.state])


def _review(machine: sfn.StateMachine, called: Sequence[lambda_.IFunction]) -> None:
    """Accept the wildcards of the machine's role: a `*` with a reason each."""
    accept(
        machine.role,
        "AwsSolutions-IAM5[Resource::*]",
        "log delivery and X-Ray have no resources to name",
    )
    for function in called:
        child = function.node.default_child
        name = cdk.Stack.of(machine).get_logical_id(cast("lambda_.CfnFunction", child))
        accept(
            machine.role,
            f"AwsSolutions-IAM5[Resource::<{name}.Arn>:*]",
            "versions of the one function that the state calls",
        )
