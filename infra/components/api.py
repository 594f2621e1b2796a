"""The REST API: every route, and the function behind it."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra.components.names import Names
from infra.components.review import accept
from infra.stage import Stage

ROUTES: Mapping[str, tuple[str, ...]] = {
    "intake": (
        "POST /api/mcp",
        "GET /api/mcp",
        "DELETE /api/mcp",
        "POST /webhooks/{source}",
    ),
    "incidents": (
        "GET /incidents",
        "GET /incidents/{id}",
        "GET /incidents/{id}/timeline",
        "GET /incidents/{id}/report",
        "GET /incidents/{id}/postmortem",
        "GET /incidents/{id}/events",
        "GET /alerts",
        "GET /openapi.json",
        "GET /status",
        "GET /health",
    ),
    "contribute": ("POST /incidents/{id}/acknowledge", "POST /incidents/{id}/updates"),
    "decide_approval": (
        "GET /approvals/{link}",
        "POST /approvals/{link}",
        "GET /publications/{link}",
        "POST /publications/{link}",
    ),
}
"""Function and its routes. Functions check who calls: no two routes ask for the same proof."""

STREAMED = "GET /incidents/{id}/events"
"""The route that another function serves where answers are streamed."""

_RATE, _BURST = 50, 100  # requests a second; an alert storm arrives as a few hundred webhooks
_PROBLEM = '{"type":"about:blank","title":$context.error.messageString,"status":$context.status}'
_REFUSALS = {
    "ClientProblem": apigateway.ResponseType.DEFAULT_4_XX,
    "ServerProblem": apigateway.ResponseType.DEFAULT_5_XX,
}


class Api(Construct):
    """The API, its access log, and the parameter that holds the address for people."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        stage: Stage,
        functions: Mapping[str, lambda_.IFunction],
        public_url: str | None,
    ) -> None:
        super().__init__(scope, construct_id)
        log = logs.LogGroup(
            self, "AccessLog", retention=stage.log_retention, removal_policy=stage.removal
        )
        self.api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=names.stack,
            description="Alerts in, incidents and approvals out",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=True,
            deploy_options=_deployment(log),
        )
        self._streams = _streaming(functions)
        for function, routes in ROUTES.items():
            self._serve(functions[function], routes)
        self._answer_with_problems()
        _review(self.api)
        ssm.StringParameter(
            self,
            "PublicUrl",
            parameter_name=names.public_url,
            description="The address under which people reach Incident Squad",
            string_value=public_url or self.api.url,
        )

    def _serve(self, function: lambda_.IFunction, routes: tuple[str, ...]) -> None:
        integration = apigateway.LambdaIntegration(function, scope_permission_to_method=False)
        for route in routes:
            if route == STREAMED and self._streams is not None:
                self._add(route, self._streams)
            else:
                self._add(route, integration)

    def _add(self, route: str, integration: apigateway.LambdaIntegration) -> None:
        method, path = route.split()
        added = self.api.root.resource_for_path(path).add_method(method, integration)
        for finding in ("AwsSolutions-APIG4", "AwsSolutions-COG4"):
            accept(added, finding, "the function checks signature, secret, token or link")

    def _answer_with_problems(self) -> None:
        """Let the gateway's own refusals look like those of the functions (RFC 9457)."""
        for name, kind in _REFUSALS.items():
            self.api.add_gateway_response(name, type=kind, templates={"application/json": _PROBLEM})


def _streaming(functions: Mapping[str, lambda_.IFunction]) -> apigateway.LambdaIntegration | None:
    """What passes parts of an answer on as they come, where there is a function that streams."""
    function = functions.get("stream_events")
    if function is None:
        return None
    return apigateway.LambdaIntegration(
        function,
        scope_permission_to_method=False,
        response_transfer_mode=apigateway.ResponseTransferMode.STREAM,
        timeout=Duration.minutes(15),
    )


def _review(api: apigateway.RestApi) -> None:
    accept(api, "AwsSolutions-APIG2", "each source has its own form: the function checks it")
    accept(
        api.deployment_stage,
        "AwsSolutions-APIG3",
        "callers prove themselves and the stage is throttled; a firewall is the operator's choice",
    )
    accept(
        api.node.find_child("CloudWatchRole"),
        "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
        "AmazonAPIGatewayPushToCloudWatchLogs]",
        "the account-wide role that API Gateway logs with; AWS maintains its policy",
    )


def _deployment(log: logs.LogGroup) -> apigateway.StageOptions:
    return apigateway.StageOptions(
        stage_name="live",
        throttling_rate_limit=_RATE,
        throttling_burst_limit=_BURST,
        access_log_destination=apigateway.LogGroupLogDestination(log),
        access_log_format=_access_log_format(),
        logging_level=apigateway.MethodLoggingLevel.ERROR,
        data_trace_enabled=False,
        metrics_enabled=True,
        tracing_enabled=True,
    )


def _access_log_format() -> apigateway.AccessLogFormat:
    # `resourcePath` is the pattern of the route: a path would put approval links into the log.
    return apigateway.AccessLogFormat.custom(
        '{"requestId":"$context.requestId","ip":"$context.identity.sourceIp",'
        '"time":"$context.requestTime","method":"$context.httpMethod",'
        '"route":"$context.resourcePath","status":"$context.status",'
        '"bytes":"$context.responseLength","milliseconds":"$context.responseLatency"}'
    )
