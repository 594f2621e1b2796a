"""The proof of a drill: what the estate itself says, against what the squad planned and did."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.local.drill.application import administering
from infra.local.drill.estate import Estate
from infra.local.drill.faults import Fault

Call = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Before:
    """What the estate was like before the fault."""

    healthy: frozenset[int]
    calls: tuple[int, int]

    @classmethod
    def of(cls, estate: Estate) -> "Before":
        """Look now."""
        return cls(estate.application.pids(), (len(estate.payments.calls), len(estate.tls.calls)))


def problems(
    estate: Estate, fault: Fault, before: Before, report: Mapping[str, Any]
) -> Iterator[str]:
    """Everything that is not as it must be after a repair; nothing at all when all is well."""
    if report["status"] != "resolved":
        yield f"the incident is {report['status']}, not resolved"
    if report["runbookId"] != fault.runbook:
        yield f"the squad followed {report['runbookId']}, not {fault.runbook}"
    if not fault.gone(estate):
        yield f"it is not over: {fault.title}"
    yield from _not_spared(estate, before)
    yield from _not_planned(report, _calls_since(estate, before))


def _not_spared(estate: Estate, before: Before) -> Iterator[str]:
    with administering(estate.primary) as ask:
        there = {int(row[0]) for row in ask("SELECT pid FROM pg_stat_activity")}
    lost = before.healthy - there
    if lost:
        yield f"{len(lost)} healthy sessions were ended"


def _not_planned(report: Mapping[str, Any], calls: Sequence[Call]) -> Iterator[str]:
    """Calls that changed something and that no row of the plan's preview shows."""
    rows = [row for step in report["proposedFix"]["steps"] for row in step["preview"]]
    for call, body in calls:
        shown = any(
            row.get("call", "").startswith(call.split()[0])
            and call.split()[1] in row["call"]
            and all(row.get(f"sends {name}") == str(value) for name, value in body.items())
            for row in rows
            if "call" in row
        )
        if not shown:
            yield f"not in the plan: {call} {body}"


def _calls_since(estate: Estate, before: Before) -> list[Call]:
    payments, tls = before.calls
    return [*estate.payments.calls[payments:], *estate.tls.calls[tls:]]
