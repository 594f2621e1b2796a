"""The wiring of the tools, and of the protocol that they are reached by."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from incident_squad.bootstrap.squad import Squad
    from incident_squad.bootstrap.world import World
    from incident_squad.pages.web import Answer
    from incident_squad.ports import Scout
    from incident_squad.settings import Settings
    from incident_squad.steps.preview_step import PreviewStep
    from incident_squad.steps.tools.documents import Documents
    from incident_squad.steps.tools.prompts import Prompts
    from incident_squad.steps.tools.toolbox import Toolbox


def endpoint(
    squad: Squad, scout: Callable[[], Scout]
) -> Callable[[Mapping[str, str], bytes], Answer]:
    """What serves MCP. The SDK is imported by the first request, not here."""

    @cache
    def made() -> Callable[[Mapping[str, str], bytes], Answer]:
        from incident_squad.mcp_server.endpoint import Endpoint
        from incident_squad.mcp_server.server import Offer

        return Endpoint(
            Offer(
                toolbox=toolbox(squad, scout()), documents=documents(squad), prompts=prompts(squad)
            )
        )

    def serve(headers: Mapping[str, str], body: bytes) -> Answer:
        return made()(headers, body)

    return serve


def toolbox(squad: Squad, scout: Scout) -> Toolbox:
    """All tools over one world."""
    from incident_squad.steps.tools.alerts import AlertTools
    from incident_squad.steps.tools.cleaning import cleaner
    from incident_squad.steps.tools.execute_runbook import ExecuteRunbook
    from incident_squad.steps.tools.incidents import IncidentTools
    from incident_squad.steps.tools.metrics import MetricTools
    from incident_squad.steps.tools.runbooks import RunbookTools
    from incident_squad.steps.tools.shelf import toolbox as filled

    w = squad.world
    return filled(
        metrics=MetricTools(ask=scout.measure),
        execute=ExecuteRunbook(
            incidents=w.incidents,
            approvals=w.approvals,
            timeline=w.timeline,
            knowledge=w.knowledge,
            scout=scout,
            clock=w.clock,
        ),
        incidents=IncidentTools(
            incidents=w.incidents,
            timeline=w.timeline,
            read_record=squad.read_record(),
            build_report=squad.build_report(),
        ),
        runbooks=RunbookTools(knowledge=w.knowledge),
        alerts=AlertTools(
            triager=w.triager,
            receive=squad.receive_alert(),
            clock=w.clock,
            count=w.incidents.count,
        ),
        clean=cleaner(w.knowledge),
    )


def documents(squad: Squad) -> Documents:
    """What can be read by address."""
    from incident_squad.steps.tools.cleaning import cleaner
    from incident_squad.steps.tools.documents import Documents

    return Documents(
        clean=cleaner(squad.world.knowledge),
        knowledge=squad.world.knowledge,
        build_report=squad.build_report(),
        post_mortem=squad.post_mortem(),
    )


def prompts(squad: Squad) -> Prompts:
    """The prompts that clients offer."""
    from incident_squad.steps.tools.cleaning import cleaner
    from incident_squad.steps.tools.prompts import Prompts

    return Prompts(build_report=squad.build_report(), clean=cleaner(squad.world.knowledge))


def preview_step_of(world: World) -> PreviewStep:
    """The look at one step."""
    from incident_squad.steps.planning import Planner
    from incident_squad.steps.preview_step import PreviewStep

    return PreviewStep(
        incidents=world.incidents,
        knowledge=world.knowledge,
        planner=Planner(knowledge=world.knowledge, executors=world.executors, clock=world.clock),
        clock=world.clock,
    )


def aws_scout(found: Settings) -> Scout:
    """The function that looks, on AWS."""
    import boto3

    from incident_squad.adapters.lambda_scout import PATIENCE, LambdaScout

    make: Any = boto3.client
    return LambdaScout(make("lambda", config=PATIENCE), found.function_prefix)
