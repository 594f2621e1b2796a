"""Intake: the doors for alerts, over HTTP and from EventBridge, and the door for MCP."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from incident_squad import bootstrap
from incident_squad.domain.errors import InvalidAlert
from incident_squad.intake.answers import BAD_REQUEST, NOT_FOUND, Answer, body_of, problem
from incident_squad.intake.recognise import speaks_mcp
from incident_squad.steps.intake_api import IntakeApi
from incident_squad.steps.mcp_api import McpApi, only_posts
from incident_squad.web_entrypoint import Routes, in_each_thread, web_failure, web_response

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def handler_of(
    make_api: Callable[[], IntakeApi], make_mcp: Callable[[], McpApi] = bootstrap.mcp_api
) -> Handler:
    """The Lambda handler over APIs that are made when their first request comes."""
    api, mcp = cache(make_api), cache(make_mcp)
    routes = in_each_thread(lambda: _routes(api, mcp))

    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        if "httpMethod" in event:
            return routes().resolve(event, context)
        outcomes = api().bridged(event)
        return {"outcomes": [outcome.model_dump(mode="json") for outcome in outcomes]}

    return handler


def _routes(api: Callable[[], IntakeApi], mcp: Callable[[], McpApi]) -> Routes:
    app = Routes()
    app.exception_handler(Exception)(web_failure)

    @app.post("/api/mcp")
    def any_source() -> Response[str]:
        event = app.current_event.raw_event
        spoken = _spoken(event)
        if spoken is not None:
            return web_response(mcp().post(event.get("headers") or {}, spoken))
        return _respond(_post(api(), event, None))

    @app.route("/api/mcp", method=["GET", "DELETE"])
    def no_stream() -> Response[str]:
        return web_response(only_posts())

    @app.post("/webhooks/<source>")
    def one_source(source: str) -> Response[str]:
        return _respond(_post(api(), app.current_event.raw_event, source))

    @app.not_found
    def nowhere(_: NotFoundError) -> Response[str]:
        return _respond(problem(NOT_FOUND, "there is nothing here"))

    return app


def _spoken(event: dict[str, Any]) -> bytes | None:
    """The body, when it is a request of MCP."""
    try:
        body = body_of(event.get("body"), is_base64=event.get("isBase64Encoded"))
    except InvalidAlert:
        return None
    return body if speaks_mcp(event.get("headers") or {}, body) else None


def _post(api: IntakeApi, event: dict[str, Any], source: str | None) -> Answer:
    try:
        body = body_of(event.get("body"), is_base64=event.get("isBase64Encoded"))
    except InvalidAlert as invalid:
        return problem(BAD_REQUEST, str(invalid))
    return api.post(source, event.get("headers") or {}, body)


def _respond(answer: Answer) -> Response[str]:
    headers: dict[str, str | list[str]] = {**answer.headers}
    return Response(
        status_code=answer.status,
        content_type=answer.content_type,
        body=json.dumps(answer.body),
        headers=headers,
    )


lambda_handler = handler_of(bootstrap.intake_api)
