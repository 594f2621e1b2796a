"""DecideApproval: the page behind an approval link, and the decision that is posted to it."""

from functools import lru_cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from incident_squad import bootstrap
from incident_squad.pages.views import neutral_page
from incident_squad.steps.approval_api import ApprovalApi
from incident_squad.web_entrypoint import web_failure, web_request, web_response

app = APIGatewayRestResolver()
app.exception_handler(Exception)(web_failure)


@lru_cache(maxsize=1)
def api() -> ApprovalApi:
    """The interface of this process."""
    return bootstrap.approval_api()


@app.get("/approvals/<link>")
def show(link: str) -> Response[str]:
    """Show what there is to decide; never decides."""
    return web_response(api().show(web_request(app.current_event), link))


@app.post("/approvals/<link>")
def decide(link: str) -> Response[str]:
    """Take the decision."""
    return web_response(api().decide(web_request(app.current_event), link))


@app.not_found
def nowhere(_: NotFoundError) -> Response[str]:
    """No link of ours."""
    return web_response(neutral_page())


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Delegate to the routes."""
    return app.resolve(event, context)
