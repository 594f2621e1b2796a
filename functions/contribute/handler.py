"""Contribute: what people add to an incident, an acknowledgement or a correction."""

from functools import lru_cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from incident_squad import bootstrap
from incident_squad.pages.web import Request, problem
from incident_squad.steps.contributions_api import ContributionsApi
from incident_squad.web_entrypoint import web_failure, web_request, web_response

app = APIGatewayRestResolver()
app.exception_handler(Exception)(web_failure)


@lru_cache(maxsize=1)
def api() -> ContributionsApi:
    """The interface of this process."""
    return bootstrap.contributions_api()


def request() -> Request:
    """The request at hand."""
    return web_request(app.current_event)


@app.post("/incidents/<incident_id>/acknowledge")
def acknowledge(incident_id: str) -> Response[str]:
    """Somebody is on it."""
    return web_response(api().acknowledged(request(), incident_id))


@app.post("/incidents/<incident_id>/updates")
def correct(incident_id: str) -> Response[str]:
    """A correction."""
    return web_response(api().correct(request(), incident_id))


@app.not_found
def nowhere(_: NotFoundError) -> Response[str]:
    """No route."""
    return web_response(problem(404, "Not Found", "There is nothing here."))


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Delegate to the routes."""
    return app.resolve(event, context)
