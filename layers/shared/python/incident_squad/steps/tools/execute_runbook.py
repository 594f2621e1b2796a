"""The tool execute_runbook: show what a step would do, or ask for it under the laws.

There is no second way to an executor here. A dry run is a look by the function that makes
previews. What is not a dry run is a step of an incident's stored plan: the workflow applies it,
once its plan is approved, and this tool checks that and says what became of the step.
"""

from dataclasses import dataclass
from typing import Any

from incident_squad.domain.approval import Approval, ApprovalStatus
from incident_squad.domain.errors import InvalidParameter, PolicyViolation, SquadError, StepFailed
from incident_squad.domain.incident import Incident, IncidentStatus
from incident_squad.domain.plan import Plan, StepRecord, StepStatus
from incident_squad.domain.runbook import Runbook, Step
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.values import Environment, Severity
from incident_squad.policy.permission import ENDED, require_permission, runbook_step
from incident_squad.policy.whereabouts import require_environment, services_for
from incident_squad.ports import (
    Approvals,
    Clock,
    IncidentQuery,
    IncidentStore,
    Knowledge,
    Scout,
    Timeline,
)
from incident_squad.steps.tools import step_answers
from incident_squad.steps.tools.inputs import ExecuteRunbookInput
from incident_squad.steps.tools.runbooks import find_runbook, find_step

REFUSALS_NOTED = 20
"""Refused attempts that are written to one incident's timeline: a flood must not bury it."""

REFUSED = "ToolRefused"
_PATIENCE_SECONDS, _POLL_SECONDS = 8, 0.5
_NAMED = frozenset({Severity.SEV1, Severity.SEV2, None})
_UNDER_WAY = frozenset({StepStatus.PLANNED, StepStatus.APPLYING})


@dataclass(frozen=True)
class _Asked:
    """What was asked for, found in the library."""

    request: ExecuteRunbookInput
    runbook: Runbook
    step: Step

    def place_in(self, plan: Plan | None) -> int | None:
        """Where the step stands in a plan for the same environment, or None."""
        if plan is None or plan.environment is not self.request.target_environment:
            return None
        wanted = (self.runbook.name, self.request.step_index)
        steps = enumerate(plan.steps)
        return next((n for n, s in steps if (s.runbook_id, s.step_index) == wanted), None)


@dataclass(frozen=True)
class ExecuteRunbook:
    """Previews for everybody who may call it; acts only as far as stored approvals go."""

    incidents: IncidentStore
    approvals: Approvals
    timeline: Timeline
    knowledge: Knowledge
    scout: Scout
    clock: Clock

    def __call__(self, request: ExecuteRunbookInput) -> dict[str, Any]:
        """The preview, or what became of the step.

        Raises UnknownRunbook, UnknownIncident, InvalidParameter, and PolicyViolation with the
        reason, which is on the timeline too; StepFailed when the step was tried in vain.
        """
        runbook = find_runbook(self.knowledge, request.runbook_id)
        asked = _Asked(request, runbook, find_step(runbook, request.step_index))
        incident = self._incident(asked)
        if request.dry_run:
            return self._dry_run(asked, incident)
        if incident is None:
            raise PolicyViolation(
                "only a step of an incident's stored plan is ever executed, and no open incident "
                f"has this step in a plan for {request.target_environment.value}; a dry run "
                "(dryRun true) shows what it would do"
            )
        try:
            plan, place = self._admit(asked, incident)
        except (PolicyViolation, InvalidParameter) as refusal:
            self._note(asked, incident, refusal)
            raise
        return self._outcome(asked, incident, plan, place)

    def _incident(self, asked: _Asked) -> Incident | None:
        request = asked.request
        if request.incident_id is not None:
            return self.incidents.get(request.incident_id)
        service = self._service(asked)
        query = IncidentQuery(open_only=True, service=service, limit=50)
        fitting = [
            incident
            for incident in self.incidents.list(query).incidents
            if asked.place_in(self.incidents.plan(incident.id)) is not None
        ]
        if len(fitting) > 1:
            names = ", ".join(incident.id for incident in fitting[:5])
            raise InvalidParameter(f"several plans hold this step: say which incidentId, {names}")
        return fitting[0] if fitting else None

    def _service(self, asked: _Asked) -> str | None:
        """The catalogue's name of the service that was named; raises InvalidParameter."""
        named = asked.request.service
        if named is None:
            return None
        found = self.knowledge.catalog.find_service(named)
        if found is None:
            known = ", ".join(sorted(self.knowledge.catalog.services))
            raise InvalidParameter(f"the catalogue has no service '{named}', but {known}")
        return found

    def _dry_run(self, asked: _Asked, incident: Incident | None) -> dict[str, Any]:
        request, catalog = asked.request, self.knowledge.catalog
        environment = request.target_environment
        choices = services_for(catalog, asked.step, environment)
        service = incident.service if incident else self._service(asked)
        if incident is None and service is None and len(choices) == 1:
            service = choices[0]
        if service is not None:
            require_environment(catalog, asked.step, service, environment)
        elif incident is None and getattr(asked.step.action, "target", None):
            return step_answers.unaimed(asked.runbook, request, choices)
        planned = self.scout.preview(
            asked.runbook.name,
            request.step_index,
            incident_id=incident.id if incident else None,
            service=service,
        )
        return step_answers.previewed(asked.step, planned, request, incident, service)

    def _admit(self, asked: _Asked, incident: Incident) -> tuple[Plan, int]:
        """The plan and the step's place in it, if it has run or may run; raises PolicyViolation."""
        plan = self.incidents.plan(incident.id)
        place = asked.place_in(plan)
        if plan is None or place is None:
            raise PolicyViolation(
                f"the stored plan of {incident.id} has no step {asked.request.step_index} of "
                f"'{asked.runbook.name}' for {asked.request.target_environment.value}"
            )
        if place not in plan.indexes_to_run():
            raise PolicyViolation("the step is only for a fault that recurs: it is not planned now")
        catalog = self.knowledge.catalog
        require_environment(catalog, asked.step, incident.service, plan.environment)
        approvals = self._approvals(asked, incident, plan)
        record = self._record(incident, plan, place)
        if record is not None and record.status in ENDED:
            return plan, place
        require_permission(
            incident,
            plan,
            runbook_step(plan.steps[place], asked.runbook, catalog, incident.service),
            approvals=approvals,
            policies=catalog.policies,
            now=self.clock.now(),
        )
        return plan, place

    def _approvals(self, asked: _Asked, incident: Incident, plan: Plan) -> tuple[Approval, ...]:
        """The approvals of this very plan by whom the caller names; who is named must be there."""
        stored = tuple(self.approvals.of_incident(incident.id))
        named = asked.request.approved_by
        if named is None:
            production = plan.environment is Environment.PRODUCTION
            if production and incident.severity in _NAMED:
                raise PolicyViolation(
                    f"{_severity(incident)} in production: 'approvedBy' must name who approved "
                    f"this very plan{_pending(incident)}"
                )
            return stored
        fitting = tuple(
            one
            for one in stored
            if one.status is ApprovalStatus.APPROVED
            and one.plan_hash == plan.hash
            and (one.decided_by or "").casefold() == named.casefold()
        )
        if not fitting:
            raise PolicyViolation(
                f"no stored approval of this very plan is by {named}{_pending(incident)}"
            )
        return fitting

    def _record(self, incident: Incident, plan: Plan, place: int) -> StepRecord | None:
        records = self.incidents.steps(incident.id)
        return next((r for r in records if r.place == place and r.plan_hash == plan.hash), None)

    def _outcome(self, asked: _Asked, incident: Incident, plan: Plan, place: int) -> dict[str, Any]:
        """Wait a little for the workflow, which applies the plan in its order."""
        record = self._record(incident, plan, place)
        waited = 0.0
        while (record is None or record.status in _UNDER_WAY) and waited < _PATIENCE_SECONDS:
            self.clock.sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
            record = self._record(incident, plan, place)
        if record is not None and record.status not in ENDED | _UNDER_WAY:
            raise StepFailed(f"the step ended as {record.status.value}: {record.detail}")
        return step_answers.became(asked.request, incident, plan.steps[place], record)

    def _note(self, asked: _Asked, incident: Incident, refusal: SquadError) -> None:
        noted = [e for e in self.timeline.read(incident.id) if e.event == REFUSED]
        if len(noted) >= REFUSALS_NOTED:
            return
        request = asked.request
        self.timeline.append(
            incident.id,
            Entry(
                event=REFUSED,
                summary=f"Refused to run step {request.step_index} of {asked.runbook.name} for a "
                f"tool call: {refusal}"[:2000],
                actor=Actor.system("mcp"),
                data={
                    "runbook": asked.runbook.name,
                    "stepIndex": request.step_index,
                    "environment": request.target_environment.value,
                    "claimedApprover": request.approved_by,
                },
            ),
        )


def _severity(incident: Incident) -> str:
    return incident.severity.value if incident.severity else "an incident without a severity yet"


def _pending(incident: Incident) -> str:
    if incident.status is IncidentStatus.AWAITING_APPROVAL:
        return "; the approvers have links and have not decided yet"
    return ""
