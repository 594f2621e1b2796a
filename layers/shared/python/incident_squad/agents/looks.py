"""The tools of an investigating model: eyes, and nothing else.

Each tool gives an observation. What a tool cannot do is answered with an error result that the
model sees; nothing that a model asks for raises.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, ValidationError

from incident_squad.domain.errors import InvalidParameter, SquadError
from incident_squad.domain.evidence import Evidence
from incident_squad.domain.model import ToolCall, ToolSpec

Run = Callable[[Any], Sequence[Evidence] | str]
"""Gives observations, or a text that is known anyway and so is no evidence."""


class _Arguments(BaseModel):
    """Base of what a tool takes: nothing that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TimeRange(_Arguments):
    """A span of time, ISO 8601 with a time zone."""

    start: datetime
    end: datetime


class QueryMetrics(_Arguments):
    """Ask a metric source."""

    source: Literal["datadog", "cloudwatch", "prometheus", "pagerduty"]
    query: str = Field(min_length=1, max_length=1000)
    timeRange: TimeRange | None = None  # noqa: N815 - the customer's name
    aggregation: Literal["avg", "max", "min", "sum", "count"] = "avg"


class GetRunbook(_Arguments):
    """Read a runbook."""

    runbookId: str = Field(max_length=64)  # noqa: N815 - the customer's name


class RunChecks(GetRunbook):
    """Run the diagnostic checks of a runbook; they only read."""


class ExecuteRunbook(_Arguments):
    """Show what a step of a runbook would do. Only dry runs are possible here."""

    runbookId: str = Field(max_length=64)  # noqa: N815 - the customer's name
    stepIndex: StrictInt = Field(ge=0, le=100)  # noqa: N815
    targetEnvironment: Literal["production", "staging"] = "production"  # noqa: N815
    dryRun: StrictBool = True  # noqa: N815
    approvedBy: str | None = Field(default=None, max_length=254)  # noqa: N815


class RecentChanges(_Arguments):
    """What changed around the service lately."""

    hours: StrictInt = Field(default=24, ge=1, le=168)


class SimilarIncidents(_Arguments):
    """What happened to this service before, and what helped."""

    limit: StrictInt = Field(default=5, ge=1, le=10)


@dataclass(frozen=True)
class Looks:
    """What the tools do. Each gives observations without ids, or raises a SquadError."""

    query_metrics: Callable[[QueryMetrics], Sequence[Evidence]]
    get_runbook: Callable[[GetRunbook], str]
    run_checks: Callable[[RunChecks], Sequence[Evidence]]
    preview_step: Callable[[ExecuteRunbook], Sequence[Evidence]]
    recent_changes: Callable[[RecentChanges], Sequence[Evidence]]
    similar_incidents: Callable[[SimilarIncidents], Sequence[Evidence]]

    def tools(self) -> Mapping[str, tuple[type[_Arguments], Run]]:
        """The closed set of tools by name."""
        return {
            "query_metrics": (QueryMetrics, self.query_metrics),
            "get_runbook": (GetRunbook, self.get_runbook),
            "run_checks": (RunChecks, self.run_checks),
            "execute_runbook": (ExecuteRunbook, self._preview_only),
            "recent_changes": (RecentChanges, self.recent_changes),
            "similar_incidents": (SimilarIncidents, self.similar_incidents),
        }

    def carry_out(self, calls: Sequence[ToolCall], seconds: float) -> "list[Seen]":
        """What came of the calls, each within so many seconds."""
        return look(self, calls, seconds)

    def _preview_only(self, asked: ExecuteRunbook) -> Sequence[Evidence]:
        if not asked.dryRun:
            raise InvalidParameter(
                "nothing is changed here: a fix is proposed, then policy and people decide. "
                "Ask with dryRun true to see what the step would do"
            )
        return self.preview_step(asked)


def tool_specs(looks: Looks) -> tuple[ToolSpec, ...]:
    """The tools as the model sees them, always in the same order: they are cached."""
    return tuple(
        ToolSpec(
            name=name, description=" ".join(str(takes.__doc__).split()), parameters=_schema(takes)
        )
        for name, (takes, _) in looks.tools().items()
    )


@dataclass(frozen=True)
class Seen:
    """What came of a call: observations, a text that is no evidence, or why there is neither."""

    call: ToolCall
    evidence: tuple[Evidence, ...] = ()
    text: str = ""
    error: str = ""


def look(looks: Looks, calls: Sequence[ToolCall], seconds: float) -> list[Seen]:
    """Carry out calls side by side; what is not back in time is an error result."""
    if not calls:
        return []
    pool = ThreadPoolExecutor(max_workers=min(6, len(calls)))
    try:
        futures = [(call, pool.submit(_one, looks, call)) for call in calls]
        return [_in_time(call, future, seconds) for call, future in futures]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _in_time(call: ToolCall, future: Any, seconds: float) -> Seen:  # noqa: ANN401 - a future
    try:
        found: Seen = future.result(timeout=max(0.0, seconds))
    except FutureTimeout:
        return Seen(call, error="it took too long")
    return found


def _one(looks: Looks, call: ToolCall) -> Seen:
    known = looks.tools()
    if call.name not in known:
        return Seen(call, error=f"there is no such tool; the tools are {', '.join(known)}")
    takes, run = known[call.name]
    try:
        found = run(takes.model_validate(call.arguments))
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()[:5]
        )
        return Seen(call, error=f"wrong arguments: {wrong}"[:500])
    except SquadError as error:
        return Seen(call, error=str(error)[:500])
    return Seen(call, text=found) if isinstance(found, str) else Seen(call, tuple(found))


def _schema(takes: type[_Arguments]) -> dict[str, Any]:
    schema = takes.model_json_schema()
    schema.pop("title", None)
    schema.pop("description", None)
    return schema
