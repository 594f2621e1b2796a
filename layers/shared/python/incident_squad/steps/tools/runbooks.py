"""Tools that read the library of runbooks."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from incident_squad.domain.errors import UnknownRunbook
from incident_squad.domain.runbook import Runbook, Step
from incident_squad.ports import Knowledge
from incident_squad.steps.tools.inputs import GetRunbookInput, ListRunbooksInput


def find_runbook(knowledge: Knowledge, name: str) -> Runbook:
    """The runbook of this name; underscores may stand for hyphens.

    Raises UnknownRunbook, naming what comes close.
    """
    wanted = name.strip().lower().replace("_", "-")
    found = knowledge.runbooks.get(wanted)
    if found is not None:
        return found
    close = difflib.get_close_matches(wanted, knowledge.runbooks, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else "list_runbooks names them all"
    raise UnknownRunbook(f"there is no runbook '{name}': {hint}")


def find_step(runbook: Runbook, index: int) -> Step:
    """The step at this index, counted from 0; raises UnknownRunbook."""
    if not 0 <= index < len(runbook.steps):
        last = len(runbook.steps) - 1
        raise UnknownRunbook(f"'{runbook.name}' has the steps 0 to {last}, and no step {index}")
    return runbook.steps[index]


@dataclass(frozen=True)
class RunbookTools:
    """The closed set of what may be looked at and done."""

    knowledge: Knowledge

    def find(self, asked: ListRunbooksInput) -> dict[str, Any]:
        """Runbooks by name; the general ones fit every type."""
        fitting = [
            _summary(runbook)
            for _, runbook in sorted(self.knowledge.runbooks.items())
            if asked.type is None or runbook.type in {asked.type, None}
        ]
        return {"runbooks": fitting}

    def get(self, asked: GetRunbookInput) -> dict[str, Any]:
        """One runbook; raises UnknownRunbook."""
        runbook = find_runbook(self.knowledge, asked.runbook_id)
        return {
            **_summary(runbook),
            "rootCause": runbook.root_cause,
            "checks": [
                {"id": check.id, "title": check.title, "means": check.means}
                for check in runbook.checks
            ],
            "steps": [_step(place, step) for place, step in enumerate(runbook.steps)],
            "recovery": [condition.title for condition in runbook.recovery],
            "guide": runbook.guide,
        }


def as_markdown(runbook: Runbook) -> str:
    """The runbook for people."""
    return "\n\n".join(_parts(runbook)) + "\n"


def _parts(runbook: Runbook) -> Iterator[str]:
    kind = runbook.type.value if runbook.type else "any type"
    yield f"# {runbook.title}"
    yield f"`{runbook.name}`, {kind}, takes {runbook.estimated_time}"
    yield runbook.description
    if runbook.checks:
        yield "## Checks\n\n" + "\n".join(f"- {c.title}: {c.means}" for c in runbook.checks)
    yield "## Steps"
    for place, step in enumerate(runbook.steps):
        does = f"risk {step.risk.value}" if step.mutates else "changes nothing"
        undo = f"\n\nUndo: {step.undo.title}" if step.undo else ""
        yield f"### {place}. {step.title} ({does}, {step.when.value})\n\n    " + (
            step.command.strip().replace("\n", "\n    ") + undo
        )
    if runbook.guide:
        yield runbook.guide.strip()


def _summary(runbook: Runbook) -> dict[str, Any]:
    return {
        "runbookId": runbook.name,
        "title": runbook.title,
        "description": runbook.description,
        "type": runbook.type.value if runbook.type else None,
        "estimatedTime": runbook.estimated_time,
        "stepCount": len(runbook.steps),
    }


def _step(place: int, step: Step) -> Mapping[str, Any]:
    return {
        "stepIndex": place,
        "title": step.title,
        "command": step.command,
        "kind": step.kind,
        "mutates": step.mutates,
        "risk": step.risk.value,
        "when": step.when.value,
        "undo": step.undo.title if step.undo else None,
        "parameters": {name: one.description for name, one in step.parameters.items()},
    }
