"""Everything that is stored about one incident, read together."""

from incident_squad.domain.alert import Alert
from incident_squad.domain.approval import Approval
from incident_squad.domain.evidence import Diagnosis, Evidence
from incident_squad.domain.incident import Incident
from incident_squad.domain.plan import Plan, StepRecord, StepStatus
from incident_squad.domain.runbook import StepCondition
from incident_squad.domain.timeline import TimelineEvent
from incident_squad.domain.update import StatusUpdate, UpdateKind, UpdateState
from incident_squad.domain.values import Value


class IncidentRecord(Value):
    """The incident and all that stands beside it, each in its own order: the oldest first."""

    incident: Incident
    alerts: tuple[Alert, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    diagnosis: Diagnosis | None = None
    plan: Plan | None = None
    steps: tuple[StepRecord, ...] = ()
    updates: tuple[StatusUpdate, ...] = ()
    approvals: tuple[Approval, ...] = ()
    public_texts: tuple[Approval, ...] = ()
    events: tuple[TimelineEvent, ...] = ()

    @property
    def alert(self) -> Alert | None:
        """The alert that opened the incident."""
        return self.alerts[0] if self.alerts else None

    @property
    def approval(self) -> Approval | None:
        """The latest request for approval."""
        return self.approvals[-1] if self.approvals else None

    @property
    def runbook_id(self) -> str | None:
        """The runbook of the diagnosis, or the first that triage thought of."""
        triage = self.incident.triage
        chosen = self.diagnosis.runbook_id if self.diagnosis else None
        return chosen or (triage.runbook_id if triage else None)

    def step_status(self, place: int) -> StepStatus:
        """Where a step of the plan stands; records of an older plan do not count."""
        record = self.step_record(place)
        if record is not None:
            return record.status
        when = self.plan.steps[place].when if self.plan else StepCondition.ALWAYS
        return StepStatus.PLANNED if when is StepCondition.ALWAYS else StepStatus.CONDITIONAL

    def step_record(self, place: int) -> StepRecord | None:
        """What became of a step of this very plan, or None while nothing did."""
        wanted = self.plan.hash if self.plan else None
        found = (r for r in self.steps if r.place == place and r.plan_hash == wanted)
        return next(found, None)

    def update(self, state: UpdateState) -> StatusUpdate | None:
        """The latest update that announces a state, published or drafted."""
        announcing = (u for u in reversed(self.updates) if u.kind is UpdateKind.STATE)
        return next((u for u in announcing if u.state is state), None)

    def event_at(self, *names: str) -> TimelineEvent | None:
        """The first event of one of these names."""
        return next((event for event in self.events if event.event in names), None)
