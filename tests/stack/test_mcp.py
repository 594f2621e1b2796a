"""MCP on the embedded stack: the SDK's client, through the gateway, into the deployed function."""

import asyncio
import json
from typing import Any

import pytest

from infra.local.stack import LocalStack
from tests.mcp_client import MODES, connected
from tests.stack.http import call

pytestmark = pytest.mark.stack

ALERT = "Checkout fails for 70% of customers. Connection pool exhausted on prod-db-01. Service: {}"
STEP = {"runbookId": "db-connection-pool", "stepIndex": 0, "targetEnvironment": "production"}


@pytest.mark.parametrize("mode", MODES)
def test_a_client_of_any_era_works_on_the_stack(local_stack: LocalStack, mode: str) -> None:
    async def run() -> None:
        async with connected(f"{local_stack.url}/api/mcp", local_stack.token, mode) as client:
            assert len((await client.list_tools()).tools) == 10
            said = await client.call_tool("triage_alert", {"alert": ALERT.format("payment-api")})
            assert said.structured_content["type"] == "database"
            listed = await client.call_tool("list_incidents", {})
            assert listed.is_error is False

    asyncio.run(run())


def test_a_preview_is_made_by_the_function_that_may_look(local_stack: LocalStack) -> None:
    shown = tool(local_stack, "execute_runbook", **STEP, service="payment-api")
    content = shown.structured_content
    assert (shown.is_error, content["target"]) == (False, "payments-db")
    unknown = {**STEP, "runbookId": "db-connection-pol"}
    assert "did you mean" in tool(local_stack, "execute_runbook", **unknown).content[0].text


def test_a_critical_step_without_an_approval_is_refused_and_noted(local_stack: LocalStack) -> None:
    opened = tool(local_stack, "submit_alert", alert=ALERT.format("payment-api"))
    incident_id = opened.structured_content["incidentId"]
    asked = {"dryRun": False, "approvedBy": "eve@example.com", "incidentId": incident_id}
    refused = tool(local_stack, "execute_runbook", **STEP, **asked)
    assert refused.is_error
    events = tool(local_stack, "get_timeline", incidentId=incident_id).structured_content
    assert events["sound"]
    noted = [event for event in events["events"] if event["event"] == "ToolRefused"]
    assert [event["data"]["claimedApprover"] for event in noted] == ["eve@example.com"]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_streams_and_sessions_are_not_offered(local_stack: LocalStack, method: str) -> None:
    assert call(f"{local_stack.url}/api/mcp", method=method).status == 405


def test_a_stranger_is_asked_for_the_token(local_stack: LocalStack) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode()
    answer = call(f"{local_stack.url}/api/mcp", method="POST", body=body)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def tool(stack: LocalStack, name: str, **arguments: Any) -> Any:
    async def run() -> Any:
        async with connected(f"{stack.url}/api/mcp", stack.token, "auto") as client:
            return await client.call_tool(name, arguments)

    return asyncio.run(run())
