"""An agent with the tools of MCP, and what it cannot do with them: on a real database."""

import asyncio
import time
from typing import Any

import pytest

from infra.local.practice import IDLE_SECONDS
from infra.local.practice_database import HEALTHY, STUCK
from tests.e2e.site import Site, wait_for
from tests.mcp_client import connected

pytestmark = [pytest.mark.stack, pytest.mark.real, pytest.mark.timeout(240)]


def tool(site: Site, name: str, **arguments: Any) -> Any:
    async def run() -> Any:
        async with connected(f"{site.stack.url}/api/mcp", site.stack.token, "auto") as client:
            return await client.call_tool(name, arguments)

    return asyncio.run(run())


def test_an_agent_previews_but_only_an_approved_plan_acts(site: Site) -> None:
    incident = site.alert()
    link = site.link(incident)
    approver = site.message(incident, "approval").recipients[0]
    planned = site.report(incident)["proposedFix"]["steps"]
    index = next(step["stepIndex"] for step in planned if step["mutates"])
    step = {
        "runbookId": "db-connection-pool",
        "stepIndex": index,
        "targetEnvironment": "production",
    }

    seen = tool(site, "execute_runbook", **step).structured_content
    assert (seen["incidentId"], len(seen["preview"])) == (incident, STUCK)

    for claim in ({}, {"approvedBy": approver}, {"approvedBy": "eve@example.com"}):
        refused = tool(site, "execute_runbook", **step, dryRun=False, **claim)
        assert refused.is_error, refused
    assert site.practice.database.stuck_alive() == STUCK
    assert site.events(incident).count("ToolRefused") == 3
    # Asking the stuck sessions whether they live has made them young again.
    time.sleep(IDLE_SECONDS + 0.5)

    assert site.decide(link, "approve").status == 200
    by_name = {"dryRun": False, "incidentId": incident, "approvedBy": approver}

    def ended() -> str | None:
        """The tool waits for the workflow, but not forever: a client asks again."""
        done = tool(site, "execute_runbook", **step, **by_name)
        assert not done.is_error, done.content[0].text
        status = str(done.structured_content["status"])
        return None if status in {"waiting", "applying"} else status

    assert wait_for(ended, seconds=90) == "applied"
    forged = tool(site, "execute_runbook", **step, **{**by_name, "approvedBy": "eve@example.com"})
    assert "no stored approval of this very plan" in forged.content[0].text
    assert site.until(incident) == "resolved"
    assert site.practice.database.stuck_alive() == 0
    assert site.practice.database.healthy_alive() == HEALTHY
    assert site.events(incident).count("StepApplying") == len(
        [step for step in planned if step["when"] == "always"]
    )
