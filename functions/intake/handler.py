"""Intake: the doors for alerts, over HTTP and from EventBridge."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from incident_squad import bootstrap
from incident_squad.domain.errors import InvalidAlert
from incident_squad.intake.answers import BAD_REQUEST, NOT_FOUND, Answer, body_of, problem
from incident_squad.steps.intake_api import IntakeApi
from incident_squad.web_entrypoint import web_failure

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def handler_of(make_api: Callable[[], IntakeApi]) -> Handler:
    """The Lambda handler over an API that is made when the first alert comes."""
    api = cache(make_api)
    app = APIGatewayRestResolver()
    app.exception_handler(Exception)(web_failure)

    @app.post("/api/mcp")
    def any_source() -> Response[str]:
        return _respond(_post(api(), app.current_event.raw_event, None))

    @app.post("/webhooks/<source>")
    def one_source(source: str) -> Response[str]:
        return _respond(_post(api(), app.current_event.raw_event, source))

    @app.not_found
    def nowhere(_: NotFoundError) -> Response[str]:
        return _respond(problem(NOT_FOUND, "there is nothing here"))

    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        if "httpMethod" in event:
            return app.resolve(event, context)
        outcomes = api().bridged(event)
        return {"outcomes": [outcome.model_dump(mode="json") for outcome in outcomes]}

    return handler


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
