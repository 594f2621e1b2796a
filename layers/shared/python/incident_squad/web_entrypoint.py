"""How API Gateway reaches the pages and the interface, by way of Powertools' routes."""

import base64
import binascii
import threading
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from incident_squad.entrypoint import logger
from incident_squad.pages.web import Answer, Request, problem


class Routes(APIGatewayRestResolver):
    """Powertools' routes with an event of their own; use them in one thread only.

    Powertools keeps the event of all resolvers in one place, and arguments of a route in its
    resolver: with two requests at a time in one process, as on a laptop and in a bench, the one
    would be answered with the other's body.
    """

    def resolve(self, event: Any, context: Any) -> dict[str, Any]:  # noqa: ANN401 - Powertools' form
        """Answer one event of API Gateway."""
        self._own = APIGatewayProxyEvent(event)
        return super().resolve(event, context)

    @property
    def current_event(self) -> APIGatewayProxyEvent:  # type: ignore[override] # an attribute there
        """The event at hand."""
        return self._own


def in_each_thread(make: Callable[[], Routes]) -> Callable[[], Routes]:
    """Gives each thread routes of its own, made when it first asks."""
    mine = threading.local()

    def routes() -> Routes:
        if not hasattr(mine, "routes"):
            mine.routes = make()
        found: Routes = mine.routes
        return found

    return routes


def web_request(event: APIGatewayProxyEvent) -> Request:
    """What the pages and the interface need of an API Gateway event, whatever is missing in it."""
    raw = event.raw_event
    body = str(raw.get("body") or "")
    if raw.get("isBase64Encoded"):
        try:
            body = base64.b64decode(body).decode("utf-8", "replace")
        except binascii.Error:
            body = ""
    return Request(
        query=_texts(raw.get("queryStringParameters")),
        headers={name.lower(): text for name, text in _texts(raw.get("headers")).items()},
        body=body,
    )


def web_response(answer: Answer) -> Response[str]:
    """An answer in the form of Powertools."""
    headers: dict[str, str | list[str]] = {**answer.headers}
    return Response(status_code=answer.status, body=answer.body, headers=headers)


def web_failure(error: Exception) -> Response[str]:
    """The answer when we ourselves failed: it says so, and nothing about why."""
    logger.error("failed", exc_info=error)
    return web_response(problem(500, "Internal Server Error", "The failure was logged."))


def _texts(given: object) -> dict[str, str]:
    if not isinstance(given, dict):
        return {}
    return {str(name): str(text) for name, text in given.items() if text is not None}
