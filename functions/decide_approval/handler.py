"""DecideApproval: the pages behind signed links, and the decisions that are posted to them."""

from functools import lru_cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from incident_squad import bootstrap
from incident_squad.pages.views import neutral_page
from incident_squad.steps.approval_api import ApprovalApi
from incident_squad.steps.public_text_api import PublicTextApi
from incident_squad.web_entrypoint import web_failure, web_request, web_response

app = APIGatewayRestResolver()
app.exception_handler(Exception)(web_failure)


@lru_cache(maxsize=1)
def api() -> ApprovalApi:
    """The interface of this process."""
    return bootstrap.approval_api()


@lru_cache(maxsize=1)
def public_texts() -> PublicTextApi:
    """The interface to texts that customers would read."""
    return bootstrap.public_text_api()


@app.get("/publications/<link>")
def show_text(link: str) -> Response[str]:
    """Show a text that waits; never decides."""
    return web_response(public_texts().show(web_request(app.current_event), link))


@app.post("/publications/<link>")
def decide_text(link: str) -> Response[str]:
    """Take the decision about a text."""
    return web_response(public_texts().decide(web_request(app.current_event), link))


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
