"""Turn a runbook into a plan: every step resolved, previewed, or blocked with the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from incident_squad.domain.alert import Alert
from incident_squad.domain.errors import SquadError
from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import ParameterValue, Runbook, Step, StepCondition
from incident_squad.policy.parameters import resolve
from incident_squad.ports import Clock, Executor, Executors, Knowledge

PREVIEW_ROWS = 500
"""More rows than this are no longer something an approver reads."""
LOOK_AGAIN_SECONDS = 0.5
LONGEST_LOOK = 20.0
"""Seconds: a plan must not wait for ever for what may become stuck."""


@dataclass(frozen=True)
class Planner:
    """Resolves steps for one service. It previews, which reads, and never applies."""

    knowledge: Knowledge
    executors: Executors
    clock: Clock

    def plan_steps(
        self, runbook: Runbook, alert: Alert, service: str | None, *, patient: bool = True
    ) -> tuple[PlannedStep, ...]:
        """All steps of the runbook, in its order.

        What is not `patient` looks once: a plan that nobody may apply waits for nothing.
        """
        return tuple(
            self._plan(runbook, place, step, alert, service, patient=patient)
            for place, step in enumerate(runbook.steps)
        )

    def plan_step(
        self, runbook: Runbook, place: int, alert: Alert, service: str | None
    ) -> PlannedStep:
        """One step alone, looked at once; `place` counts from 0 and is one of the runbook's."""
        step = runbook.steps[place]
        return self._plan(runbook, place, step, alert, service, patient=False)

    def _plan(
        self,
        runbook: Runbook,
        place: int,
        step: Step,
        alert: Alert,
        service: str | None,
        *,
        patient: bool,
    ) -> PlannedStep:
        role = getattr(step.action, "target", None)
        target = self.knowledge.catalog.target_of(service, role) if role else None
        planned = PlannedStep(
            runbook_id=runbook.name,
            step_index=place,
            runbook_digest=runbook.digest,
            title=step.title,
            kind=step.kind,
            command=step.command,
            target=target,
            mutates=step.mutates,
            risk=step.risk,
            undo=_undo_of(runbook, step),
            when=step.when,
        )
        if step.when is not StepCondition.ALWAYS:
            return planned
        blocked = self._blocked(step, role, target, service)
        if blocked:
            return planned.model_copy(update={"blocked": blocked})
        return self._resolved(step, planned, alert, service, patient=patient)

    def _blocked(
        self, step: Step, role: str | None, target: str | None, service: str | None
    ) -> str | None:
        if step.kind == "manual":
            return "only a person can do this"
        if self.executors.of(step.kind) is None:
            return f"the squad cannot run steps of the kind '{step.kind}' yet"
        if role and target is None:
            return f"the catalogue gives {service or 'this service'} no target for '{role}'"
        return None

    def _resolved(
        self, step: Step, planned: PlannedStep, alert: Alert, service: str | None, *, patient: bool
    ) -> PlannedStep:
        try:
            parameters = resolve(step, alert, self.knowledge.catalog, service, {})
            preview = (
                self._preview(step, planned.target, parameters, patient=patient)
                if step.mutates
                else ()
            )
        except SquadError as error:
            return planned.model_copy(update={"blocked": str(error)})
        return planned.model_copy(update={"parameters": parameters, "preview": preview})

    def _preview(
        self,
        step: Step,
        target: str | None,
        parameters: dict[str, ParameterValue],
        *,
        patient: bool,
    ) -> tuple[dict[str, str], ...]:
        executor = self.executors.of(step.kind)
        if executor is None:
            return ()
        young = _for_the_young(step, parameters) if patient else None
        if young is None:
            rows = executor.preview(step, target, parameters)
        else:
            rows = self._ripe(executor, step, target, parameters, young)
        return tuple({key: str(value) for key, value in row.items()} for row in rows)[:PREVIEW_ROWS]

    def _ripe(
        self,
        executor: Executor,
        step: Step,
        target: str | None,
        parameters: dict[str, ParameterValue],
        young: dict[str, ParameterValue],
    ) -> Sequence[Mapping[str, str]]:
        """The dry run, again while more is about to pass the step's limit of time.

        What an alert is quicker than would be left out of the plan, and so be left alone.
        """
        deadline = self.clock.now() + timedelta(seconds=_seconds_to_settle(step, parameters))
        before, rows = 0, executor.preview(step, target, parameters)
        while self.clock.now() < deadline and (
            not rows or len(rows) > before or len(executor.preview(step, target, young)) > len(rows)
        ):
            self.clock.sleep(LOOK_AGAIN_SECONDS)
            before, rows = len(rows), executor.preview(step, target, parameters)
        return rows


def _undo_of(runbook: Runbook, step: Step) -> str:
    """How the step is taken back, in words for who approves it."""
    if step.undo is None:
        return ""
    by_itself = runbook.undo_when_not_recovered and step.undo.action is not None
    return step.undo.title + (" (by itself, if the symptom stays)" if by_itself else "")


def _for_the_young(
    step: Step, parameters: Mapping[str, ParameterValue]
) -> dict[str, ParameterValue] | None:
    """The parameters with the smallest limit of time there may be; None for other steps."""
    settles = getattr(step.action, "preview_settles", None)
    least = step.parameters[settles].min if settles else None
    if settles is None or least is None:
        return None
    return {**parameters, settles: type(parameters[settles])(least)}


def _seconds_to_settle(step: Step, parameters: Mapping[str, ParameterValue]) -> float:
    limit = parameters[getattr(step.action, "preview_settles", "")]
    return min(LONGEST_LOOK, float(limit) + 1)
