"""The Lambda functions: one role and one log each, as the catalogue says."""

from collections.abc import Mapping, Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from incident_squad.domain.catalog import Catalog
from infra.components.layers import ARCHITECTURE, ROOT, RUNTIME
from infra.components.names import Names
from infra.components.permissions import Resources, statements
from infra.components.review import accept
from infra.components.target_access import add_target_access
from infra.functions import FUNCTIONS, STREAM_EVENTS, Function
from infra.stage import Stage
from infra.target_grants import target_grants

WEB_ADAPTER = "753240598075:layer:LambdaAdapterLayerArm64:27"
"""Version 1.0.0 of https://github.com/awslabs/aws-lambda-web-adapter, as AWS publishes it."""

_ADAPTER = {
    "AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap",
    "AWS_LWA_INVOKE_MODE": "response_stream",
    "AWS_LWA_PORT": "8080",
    "AWS_LWA_READINESS_CHECK_PATH": "/health",
}


class Functions(Construct):
    """All functions, by name. Nothing outside this construct gives a function a permission."""

    def __init__(  # noqa: PLR0913 - a construct's properties, all by keyword
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        stage: Stage,
        layers: Sequence[lambda_.ILayerVersion],
        environment: Mapping[str, str],
        resources: Resources,
        catalog: Catalog,
        streaming: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        self._names, self._stage, self._layers = names, stage, layers
        self._environment, self._resources = environment, resources
        self._grants = target_grants(catalog)
        self.by_name = {row.name: self._function(row) for row in FUNCTIONS}
        if streaming:
            self.by_name[STREAM_EVENTS.name] = self._streaming(STREAM_EVENTS)

    def _function(self, row: Function) -> lambda_.Function:
        place = Construct(self, row.id)
        log = logs.LogGroup(
            place, "Log", retention=self._stage.log_retention, removal_policy=self._stage.removal
        )
        function = lambda_.Function(
            place,
            "Function",
            function_name=self._names.function(row.name),
            description=row.does,
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            code=lambda_.Code.from_asset(
                str(ROOT / "functions" / row.name), exclude=["**/__pycache__"]
            ),
            handler="handler.lambda_handler",
            layers=self._layers,
            role=self._role(place, row, log),
            environment=dict(self._environment),
            memory_size=row.memory_mb,
            timeout=Duration.seconds(row.seconds),
            log_group=log,
            logging_format=lambda_.LoggingFormat.JSON,
        )
        accept(function, "AwsSolutions-L1", "the dependencies are locked and built for this one")
        return function

    def _streaming(self, row: Function) -> lambda_.Function:
        """A function whose answers the Lambda Web Adapter takes from a small web server."""
        function = self._function(row)
        adapter = f"arn:aws:lambda:{cdk.Stack.of(self).region}:{WEB_ADAPTER}"
        function.add_layers(lambda_.LayerVersion.from_layer_version_arn(self, "Adapter", adapter))
        for name, value in _ADAPTER.items():
            function.add_environment(name, value)
        plain = cast("lambda_.CfnFunction", function.node.default_child)
        plain.handler = "run.sh"
        return function

    def _role(self, place: Construct, row: Function, log: logs.LogGroup) -> iam.Role:
        role = iam.Role(
            place,
            "Role",
            description=f"What {row.name} may do",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        policy = iam.Policy(place, "Policy", roles=[role])
        own_log = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log.log_group_arn]
        )
        policy.add_statements(own_log, *statements(row.may, self._resources))
        add_target_access(policy, row.may, self._grants)
        for permission, (arn, reason) in self._resources.wildcards.items():
            if permission in row.may:
                accept(policy, f"AwsSolutions-IAM5[Resource::{arn}]", reason)
        return role
