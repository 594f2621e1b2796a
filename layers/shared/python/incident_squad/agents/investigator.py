"""The specialist's model: looks further than the floor, then concludes from evidence alone.

Two talks. In the first it looks, in a bounded loop of read-only tools. In the second it has no
tools and gets all evidence in one block, so that it always ends in an answer.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from incident_squad.agents.fence import Fence
from incident_squad.agents.looks import Looks, Seen, tool_specs
from incident_squad.agents.rails import Desk
from incident_squad.agents.redaction import redacted_row
from incident_squad.agents.router import runbook_list
from incident_squad.agents.specialist import Investigation
from incident_squad.domain.alert import Alert
from incident_squad.domain.errors import ModelFailed
from incident_squad.domain.evidence import Evidence
from incident_squad.domain.model import ModelReply, ToolCall, Trouble
from incident_squad.domain.triage import Triage
from incident_squad.policy.conclusion import Reading, concluded
from incident_squad.ports import Knowledge

LOOKING, CONCLUDING = "investigator", "specialist"
TURNS = 4
CALLS = 12
"""Tool calls of one incident; the rest are answered with an error result."""

_FOR_CONCLUDING = 15.0
"""With fewer seconds than this nothing more is looked at."""
_TOOL_SECONDS = 8.0
_ROWS, _RESULT = 20, 4000


class FindingAnswer(BaseModel):
    """One observed fact."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    statement: str = Field(max_length=600)
    evidenceIds: list[str] = Field(max_length=10)  # noqa: N815 - the report's name


class HypothesisAnswer(BaseModel):
    """One cause that was considered."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    runbookId: str | None  # noqa: N815 - the report's name
    statement: str = Field(max_length=600)
    supportedBy: list[str] = Field(max_length=10)  # noqa: N815
    contradictedBy: list[str] = Field(max_length=10)  # noqa: N815


class DiagnosisAnswer(BaseModel):
    """The model's diagnosis."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    rootCause: str = Field(max_length=1200)  # noqa: N815 - the report's name
    runbookId: str | None  # noqa: N815
    confidence: float = Field(ge=0, le=1)
    findings: list[FindingAnswer] = Field(max_length=12)
    hypotheses: list[HypothesisAnswer] = Field(max_length=4)


@dataclass(frozen=True)
class Case:
    """What is investigated, and what the floor has found."""

    alert: Alert
    triage: Triage
    floor: Investigation
    knowledge: Knowledge


def investigate_further(case: Case, looks: Looks, desk: Desk) -> Investigation:
    """The floor's investigation, refined; raises ModelFailed when the model gives nothing to use.

    A floor that is sure needs no further looks, only the wording of its evidence.
    """
    fence = desk.fence()
    evidence = list(case.floor.evidence)
    if not case.floor.diagnosis.conclusive:
        evidence += _gathered(case, looks, desk, fence)
    reading, model = _conclusion(case, evidence, desk, fence)
    diagnosis = concluded(
        case.floor.diagnosis, reading, evidence, case.knowledge.runbooks, engine=f"claude:{model}"
    )
    return Investigation(evidence=tuple(evidence), diagnosis=diagnosis)


def _gathered(case: Case, looks: Looks, desk: Desk, fence: Fence) -> list[Evidence]:
    """What the model looked at. When it fails midway, what was seen by then still counts."""
    talk: list[dict[str, Any]] = [_user(_situation(case, case.floor.evidence, fence))]
    system = desk.prompts.filled(LOOKING, runbooks=runbook_list(case.knowledge))
    gathered: list[Evidence] = []
    calls_left = CALLS
    for _ in range(TURNS):
        if desk.left < _FOR_CONCLUDING:
            break
        try:
            reply = desk.ask(LOOKING, system, talk, tools=tool_specs(looks))
        except ModelFailed as failure:
            if gathered and failure.trouble != Trouble.BUDGET:
                break
            raise
        if not reply.calls:
            break
        calls = reply.calls[:calls_left]
        calls_left -= len(calls)
        results = looks.carry_out(calls, min(_TOOL_SECONDS, desk.left))
        first = len(case.floor.evidence) + len(gathered) + 1
        numbered = _numbered(results, first)
        known = {one.id for one in gathered}
        gathered += [one for seen in numbered for one in seen.evidence if one.id not in known]
        talk += _turn(reply, numbered, fence)
    return gathered


def _numbered(results: Sequence[Seen], first: int) -> list[Seen]:
    """Observations with their ids; those of the metric record have theirs already."""
    numbered = []
    for seen in results:
        evidence = []
        for one in seen.evidence:
            evidence.append(one if one.id else one.model_copy(update={"id": f"E{first}"}))
            first += 1
        numbered.append(replace(seen, evidence=tuple(evidence)))
    return numbered


def _turn(reply: ModelReply, results: Sequence[Seen], fence: Fence) -> list[dict[str, Any]]:
    """The model's turn, and one turn with a result for each of its calls."""
    by_call = {seen.call.id: seen for seen in results}
    answers = [_result(call, by_call.get(call.id), fence) for call in reply.calls]
    return [
        {"role": "assistant", "content": list(reply.content)},
        {"role": "user", "content": answers},
    ]


def _result(call: ToolCall, seen: Seen | None, fence: Fence) -> dict[str, Any]:
    if seen is None:
        seen = Seen(call, error="no more calls: conclude from what you know")
    found = "\n".join(shown(one) for one in seen.evidence)
    text = seen.error or seen.text or found or "nothing was found"
    return {
        "type": "tool_result",
        "tool_use_id": call.id,
        "content": fence.around("result", text, _RESULT),
        "is_error": bool(seen.error),
    }


def _conclusion(
    case: Case, evidence: Sequence[Evidence], desk: Desk, fence: Fence
) -> tuple[Reading, str]:
    """The answer, with one turn for repair when it is not in form."""
    system = desk.prompts.filled(CONCLUDING, runbooks=runbook_list(case.knowledge))
    talk = [_user(f"{_situation(case, evidence, fence)}\n\nGive the diagnosis.")]
    schema = DiagnosisAnswer.model_json_schema()
    reply = desk.ask(CONCLUDING, system, talk, answer_schema=schema)
    try:
        return _reading(reply), reply.model
    except ValidationError as error:
        wrong = "; ".join(".".join(str(p) for p in e["loc"]) for e in error.errors()[:5])
    said = fence.around("answer", reply.text, 4000)
    talk = [_user(f"{talk[0]['content']}\n\nYou answered:\n{said}\nWrong in form at: {wrong}.")]
    reply = desk.ask(CONCLUDING, system, talk, answer_schema=schema)
    try:
        return _reading(reply), reply.model
    except ValidationError:
        raise ModelFailed(Trouble.MALFORMED, "the diagnosis is not in form") from None


def _reading(reply: ModelReply) -> Reading:
    return Reading.model_validate(DiagnosisAnswer.model_validate_json(reply.text).model_dump())


def _user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def _situation(case: Case, evidence: Sequence[Evidence], fence: Fence) -> str:
    triage, floor = case.triage, case.floor.diagnosis
    judged = json.dumps(
        {
            "type": triage.type,
            "severity": triage.severity,
            "service": triage.service,
            "runbooks": [candidate.runbook_id for candidate in triage.runbooks[:5]],
            "ruleEngine": {
                "rootCause": floor.root_cause,
                "runbookId": floor.runbook_id,
                "conclusive": floor.conclusive,
            },
        },
        ensure_ascii=False,
    )
    return "\n\n".join(
        (
            "The alert:",
            fence.around("alert", case.alert.text()),
            "Triage, and what the rule engine concludes:",
            fence.around("triage", judged, 4000),
            "Evidence so far:",
            fence.around("evidence", "\n".join(shown(one) for one in evidence), 24_000),
        )
    )


def shown(evidence: Evidence) -> str:
    """An observation in a few lines, without secrets."""
    value = f"{evidence.value:g}" if isinstance(evidence.value, float) else evidence.value
    head = f"{evidence.id} [{evidence.status.value}] {evidence.source}: {evidence.asked[:300]}"
    lines = [head, f"  value: {str(value)[:500]}" if value is not None else ""]
    verdict = f"it {evidence.verdict.value} {evidence.runbook_id}"
    lines += [f"  means: {evidence.meaning[:300]}; {verdict}" if evidence.runbook_id else ""]
    lines += [f"  {evidence.detail[:1500]}" if evidence.detail else ""]
    lines += [f"  {json.dumps(redacted_row(row))[:600]}" for row in evidence.rows[:_ROWS]]
    return "\n".join(line for line in lines if line)
