"""The router's model: refines the floor's triage within what code allows."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from incident_squad.agents.fence import Fence
from incident_squad.agents.prompt_files import PromptFolder
from incident_squad.agents.rails import Desk
from incident_squad.domain.alert import Alert
from incident_squad.domain.errors import ModelFailed
from incident_squad.domain.model import Trouble
from incident_squad.domain.triage import Triage
from incident_squad.policy.refinement import Opinion, refined
from incident_squad.ports import Knowledge

SEAT = "router"


class RouterAnswer(BaseModel):
    """What the model may say of an alert: words of closed sets, and reasons."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    type: Literal["database", "network", "application", "security"]
    severity: Literal["SEV1", "SEV2", "SEV3", "SEV4"]
    service: str | None = Field(max_length=200)
    runbooks: list[str] = Field(max_length=20)
    confidence: float = Field(ge=0, le=1)
    why: list[str] = Field(max_length=20)


def route(alert: Alert, floor: Triage, knowledge: Knowledge, desk: Desk) -> Triage:
    """The floor's triage, refined; raises ModelFailed when the model gives nothing to use."""
    fence = desk.fence()
    reply = desk.ask(
        SEAT,
        _system(knowledge, desk.prompts),
        [{"role": "user", "content": _question(alert, floor, fence)}],
        answer_schema=RouterAnswer.model_json_schema(),
    )
    try:
        answer = RouterAnswer.model_validate_json(reply.text)
    except ValidationError:
        raise ModelFailed(Trouble.MALFORMED, "the router's answer is not in form") from None
    opinion = Opinion.model_validate(answer.model_dump())
    return refined(
        floor,
        opinion,
        alert,
        catalog=knowledge.catalog,
        runbooks=knowledge.runbooks,
        engine=f"claude:{reply.model}",
    )


def _system(knowledge: Knowledge, prompts: PromptFolder) -> str:
    services = "\n".join(
        f"- {name}: {service.public_name.get('en', name)} ({service.tier.value})"
        for name, service in sorted(knowledge.catalog.services.items())
    )
    return prompts.filled(SEAT, services=services, runbooks=runbook_list(knowledge))


def runbook_list(knowledge: Knowledge) -> str:
    """All runbooks, one a line: the same text for every incident, so that it is cached."""
    return "\n".join(
        f"- {name} ({runbook.type.value if runbook.type else 'any'}): {runbook.description}"
        for name, runbook in sorted(knowledge.runbooks.items())
    )


def _question(alert: Alert, floor: Triage, fence: Fence) -> str:
    judged = floor.model_dump_json(
        include={"type", "severity", "service", "confidence", "impact", "why"}
    )
    picks = ", ".join(candidate.runbook_id for candidate in floor.runbooks[:5]) or "none"
    about = f"source: {alert.source.value}\nstarted: {alert.started_at}\n{alert.text()}"
    return "\n\n".join(
        (
            "The alert:",
            fence.around("alert", about),
            "What the rule engine says of it:",
            fence.around("floor", f"{judged}\nrunbooks, best first: {picks}", 4000),
            "Give your judgement.",
        )
    )
