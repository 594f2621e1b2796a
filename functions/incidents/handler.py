"""Incidents: lists, pages, reports, live events and the public status page."""

from functools import lru_cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from incident_squad import bootstrap
from incident_squad.pages.web import Request, problem
from incident_squad.steps.incidents_api import IncidentsApi
from incident_squad.steps.openapi import described
from incident_squad.web_entrypoint import web_failure, web_request, web_response

app = APIGatewayRestResolver()
app.exception_handler(Exception)(web_failure)


@lru_cache(maxsize=1)
def api() -> IncidentsApi:
    """The interface of this process."""
    return bootstrap.incidents_api()


def request() -> Request:
    """The request at hand."""
    return web_request(app.current_event)


@app.get("/health")
def health() -> Response[str]:
    """That the function runs."""
    return web_response(api().health())


@app.get("/status")
def status() -> Response[str]:
    """What customers may know."""
    return web_response(api().status(request()))


@app.get("/incidents")
def incidents() -> Response[str]:
    """The list."""
    return web_response(api().list(request()))


@app.get("/alerts")
def alerts() -> Response[str]:
    """What became of the alerts of a day."""
    return web_response(api().alerts(request()))


@app.get("/openapi.json")
def openapi() -> Response[str]:
    """The description of the whole interface."""
    return web_response(described())


@app.get("/incidents/<incident_id>")
def incident(incident_id: str) -> Response[str]:
    """One incident."""
    return web_response(api().incident(request(), incident_id))


@app.get("/incidents/<incident_id>/timeline")
def timeline(incident_id: str) -> Response[str]:
    """Its timeline."""
    return web_response(api().timeline(request(), incident_id))


@app.get("/incidents/<incident_id>/report")
def report(incident_id: str) -> Response[str]:
    """Its report."""
    return web_response(api().report(request(), incident_id))


@app.get("/incidents/<incident_id>/postmortem")
def post_mortem(incident_id: str) -> Response[str]:
    """Its post-mortem draft."""
    return web_response(api().post_mortem(request(), incident_id))


@app.get("/incidents/<incident_id>/events")
def events(incident_id: str) -> Response[str]:
    """What is new."""
    return web_response(api().events(request(), incident_id))


@app.not_found
def nowhere(_: NotFoundError) -> Response[str]:
    """No route."""
    return web_response(problem(404, "Not Found", "There is nothing here."))


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Delegate to the routes."""
    return app.resolve(event, context)
