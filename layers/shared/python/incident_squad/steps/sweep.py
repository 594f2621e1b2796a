"""Sweep: find what a crash left behind and take it up again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from incident_squad.contracts import Contract, HandOverInput
from incident_squad.domain.alert import Alert
from incident_squad.domain.approval import ApprovalStatus, Decision
from incident_squad.domain.incident import Incident, IncidentStatus, Stage
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.ports import (
    Approvals,
    Clock,
    IncidentQuery,
    IncidentStore,
    Timeline,
    Workflow,
)
from incident_squad.steps.aftermath import Aftermath
from incident_squad.steps.alert_record import AlertLog, opening_alert
from incident_squad.steps.decide_approval import DecideApproval
from incident_squad.steps.hand_over import HandOver

ATTEMPTS = 5
"""Executions that one incident is given before a human takes over."""

GRACE = timedelta(seconds=5)
"""A younger change may still be on its way to the workflow."""

_WORKED_ON = tuple(
    status
    for status in IncidentStatus
    if status not in {IncidentStatus.RESOLVED, IncidentStatus.HANDED_OVER}
)


class Swept(Contract):
    """Incidents that were taken up again, handed over, or whose decision was delivered."""

    resumed: tuple[str, ...] = ()
    handed_over: tuple[str, ...] = ()
    delivered: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sweep:
    """Every open incident has an execution that is alive, or is in a human's hands.

    What still fires a while after its recovery is received again.
    """

    incidents: IncidentStore
    approvals: Approvals
    timeline: Timeline
    workflow: Workflow
    decide: DecideApproval
    hand_over: HandOver
    clock: Clock
    receive: Callable[[Sequence[Alert]], object]

    def __call__(self, event: dict[str, Any]) -> Swept:
        """Look at all open incidents once; `{"now": true}` waives the grace period."""
        resumed, handed, delivered = [], [], []
        grace = timedelta(0) if event.get("now") else GRACE
        for incident in self._open():
            if self.clock.now() - incident.updated_at < grace:
                continue
            if self.workflow.is_running(incident):
                delivered += self._deliver(incident) + self._recovered(incident)
            elif incident.attempt >= ATTEMPTS:
                self._give_up(incident)
                handed.append(incident.id)
            else:
                self._resume(incident, incident.stage)
                resumed.append(incident.id)
        resumed += self._close_recovered()
        Aftermath(self.incidents, self.clock).release(self.receive)
        return Swept(resumed=tuple(resumed), handed_over=tuple(handed), delivered=tuple(delivered))

    def _open(self) -> Iterator[Incident]:
        for status in _WORKED_ON:
            yield from self._with(status)

    def _with(self, status: IncidentStatus) -> Iterator[Incident]:
        after = None
        while True:
            page = self.incidents.list(IncidentQuery(status=status, limit=100, after=after))
            yield from page.incidents
            after = page.next
            if after is None:
                return

    def _deliver(self, incident: Incident) -> list[str]:
        """Repeat decisions that were stored but may not have reached the workflow."""
        decided = [
            approval
            for approval in self.approvals.of_incident(incident.id)
            if approval.status in {ApprovalStatus.APPROVED, ApprovalStatus.REJECTED}
            and not approval.sent
        ]
        for approval in decided:
            self.decide.deliver(approval, self.approvals.task_token(approval))
        return [incident.id for _ in decided]

    def _recovered(self, incident: Incident) -> list[str]:
        """An incident whose source says that all is well needs nobody's decision any more."""
        if incident.source_resolved_at is None:
            return []
        return [
            incident.id
            for approval in self.approvals.of_incident(incident.id)
            if approval.status is ApprovalStatus.PENDING
            and self.decide.withdraw(approval, Decision.RECOVERED)
        ]

    def _resume(self, incident: Incident, stage: Stage) -> None:
        if stage is Stage.TRIAGE:
            # Intake may have died after it stored the incident and before it told of the alert.
            alert = opening_alert(self.incidents, incident)
            AlertLog(self.incidents, self.timeline).begin(incident, alert)
        self.timeline.append(
            incident.id,
            Entry(
                event="WorkflowResumed",
                summary=f"The workflow is taken up again at: {stage.value}",
                actor=Actor.system("sweep"),
                data={"attempt": incident.attempt + 1},
            ),
        )
        again = self.incidents.change(incident.id, attempt=incident.attempt + 1, stage=stage)
        self.workflow.start(again)

    def _give_up(self, incident: Incident) -> None:
        reason = f"the workflow broke off {incident.attempt} times"
        self.hand_over(HandOverInput(incident_id=incident.id, reason=reason))

    def _close_recovered(self) -> list[str]:
        """Handed-over incidents whose source has since said that all is well."""
        closed = []
        for incident in self._with(IncidentStatus.HANDED_OVER):
            if incident.source_resolved_at is not None and not self.workflow.is_running(incident):
                self._resume(incident, Stage.CLOSE)
                closed.append(incident.id)
        return closed
