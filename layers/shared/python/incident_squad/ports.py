"""What the use cases need from the world, as roles. Adapters fill them; tests write fakes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from pydantic import Field

from incident_squad.domain import delivery
from incident_squad.domain.alert import Alert
from incident_squad.domain.approval import Approval, ApprovalStatus, Decision
from incident_squad.domain.catalog import Catalog
from incident_squad.domain.evidence import Diagnosis, Evidence
from incident_squad.domain.incident import Incident, IncidentStatus
from incident_squad.domain.metric import (
    Changes,
    MetricQuery,
    MetricQuestion,
    MetricResult,
    TimeRange,
)
from incident_squad.domain.model import ModelReply, ModelRequest, Spend
from incident_squad.domain.outcome import Count
from incident_squad.domain.plan import Plan, PlannedStep, StepRecord
from incident_squad.domain.runbook import Condition, ParameterValue, Probe, Runbook, Step
from incident_squad.domain.timeline import Entry, TimelineEvent
from incident_squad.domain.transcript import KnownThen, Transcript
from incident_squad.domain.update import StatusUpdate
from incident_squad.domain.values import IncidentType, Severity, Value


class Clock(Protocol):
    """The time, in UTC."""

    def now(self) -> datetime:
        """The present moment, with a time zone."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class IncidentQuery(Value):
    """Filters of the incident list; `first`/`last` bound the day (`YYYYMMDD`), both included."""

    status: IncidentStatus | None = None
    open_only: bool = False
    service: str | None = None
    severity: Severity | None = None
    type: IncidentType | None = None
    first: str | None = Field(default=None, pattern=r"^\d{8}$")
    last: str | None = Field(default=None, pattern=r"^\d{8}$")
    limit: int = Field(default=50, ge=1, le=100)
    after: str | None = None


class IncidentPage(Value):
    """Some incidents, newest first, and where the next page starts (an opaque cursor)."""

    incidents: tuple[Incident, ...]
    next: str | None = None


class IncidentStore(Protocol):
    """Everything about incidents but their timeline and approvals."""

    def open(
        self,
        incident: Incident,
        alert: Alert,
        claim_until: datetime,
        counts: Sequence[Count] = (),
    ) -> str:
        """Create incident, first alert and the claim on its key, and count: all or nothing.

        Gives the incident that holds the key: this one when it was opened, otherwise the one
        that claimed it first (then nothing was written). Raises TransientFailure when only the
        id was taken: try again with another.
        """
        ...

    def get(self, incident_id: str) -> Incident:
        """The incident; raises UnknownIncident."""
        ...

    def change(self, incident_id: str, **fields: object) -> Incident:
        """Set the named fields of an incident (and `updated_at`); raises UnknownIncident."""
        ...

    def list(self, query: IncidentQuery) -> IncidentPage:
        """Incidents, newest first; raises InvalidParameter on a bad cursor."""
        ...

    def attach(self, incident_id: str, alert: Alert, counts: Sequence[Count] = ()) -> None:
        """Store an alert (or its newer state) with an incident, and count it, as one write."""
        ...

    def alert(self, incident_id: str, key: str) -> Alert | None:
        """The last state of one of its alerts, or None when it has no such alert."""
        ...

    def alerts(self, incident_id: str, limit: int | None = None) -> Sequence[Alert]:
        """Its alerts, the first one first; with a limit, the first one and some of the others."""
        ...

    def still_firing(self, incident_id: str) -> bool:
        """Whether one of its alerts fires; as quick for 10,000 alerts as for one."""
        ...

    def state_severity(self, incident_id: str, severity: Severity) -> bool:
        """Note how bad an alert says it is; True when that raised the incident's severity.

        Atomic: whatever comes at the same moment, neither is ever lowered by it.
        """
        ...

    def number(self, incident_id: str, what: str) -> int:
        """The next number of something that happens to an incident, from 1."""
        ...

    def count(self, counts: Sequence[Count]) -> None:
        """Count alerts that are stored nowhere, for today."""
        ...

    def counted(self, day: str) -> Sequence[Count]:
        """What became of the alerts of a day (`YYYYMMDD`), by source, outcome and cause."""
        ...

    def claim(self, key: str, incident_id: str, until: datetime) -> str:
        """Bind an alert's key to an open incident unless it is bound; gives the holder."""
        ...

    def holder_of(self, key: str) -> str | None:
        """The incident that an alert's key is bound to, or None."""
        ...

    def release(self, key: str, incident_id: str) -> None:
        """Free a key that this incident holds."""
        ...

    def put_evidence(self, incident_id: str, evidence: Evidence) -> None:
        """Store an observation."""
        ...

    def evidence(self, incident_id: str) -> Sequence[Evidence]:
        """All observations, in the order of their ids."""
        ...

    def put_diagnosis(self, incident_id: str, diagnosis: Diagnosis) -> None:
        """Store the diagnosis."""
        ...

    def diagnosis(self, incident_id: str) -> Diagnosis | None:
        """The diagnosis, or None while there is none."""
        ...

    def put_plan(self, plan: Plan) -> None:
        """Store the plan of its incident."""
        ...

    def plan(self, incident_id: str) -> Plan | None:
        """The plan, or None while there is none."""
        ...

    def put_step(self, incident_id: str, record: StepRecord) -> None:
        """Store what became of a step."""
        ...

    def steps(self, incident_id: str) -> Sequence[StepRecord]:
        """Records of steps, in the order of the plan."""
        ...

    def put_update(self, incident_id: str, update: StatusUpdate) -> None:
        """Store a status update."""
        ...

    def place_update(
        self, incident_id: str, update: StatusUpdate, after: int
    ) -> StatusUpdate | None:
        """Store an update as the one that follows number `after`, atomically, and give it so.

        None when something else was said meanwhile, or this very update has its place already.
        """
        ...

    def updates(self, incident_id: str) -> Sequence[StatusUpdate]:
        """Status updates in the order in which they were said, and then the drafts."""
        ...

    def put_report(self, incident_id: str, report: Mapping[str, Any]) -> None:
        """Store the final report (its JSON form)."""
        ...

    def report(self, incident_id: str) -> Mapping[str, Any] | None:
        """The final report, or None while the incident is open."""
        ...


class Timeline(Protocol):
    """The append-only, hash-chained record of each incident."""

    def append(self, incident_id: str, entry: Entry) -> TimelineEvent:
        """Write an event; raises AuditFailure when it can't, and then the act must not happen."""
        ...

    def append_once(
        self, incident_id: str, entry: Entry, known: Callable[[TimelineEvent], bool]
    ) -> TimelineEvent | None:
        """Write an event unless one is there that is `known`; None when there is.

        Atomic: of many that write the same at once, one does. Raises AuditFailure.
        """
        ...

    def read(self, incident_id: str, after: int = 0) -> Sequence[TimelineEvent]:
        """Events in order, those after number `after`."""
        ...

    def problems(self, incident_id: str) -> Sequence[str]:
        """What is wrong with the chain: gaps, edits, a cut tail. Empty means sound."""
        ...


class Approvals(Protocol):
    """Requests for approval, with their task tokens, which never leave the store otherwise."""

    def put(self, approval: Approval, task_token: str) -> None:
        """Store a new request."""
        ...

    def get(self, incident_id: str, approval_id: str) -> Approval | None:
        """One request, or None."""
        ...

    def of_incident(self, incident_id: str) -> Sequence[Approval]:
        """All requests of an incident, the oldest first."""
        ...

    def renew_token(self, approval: Approval, task_token: str) -> None:
        """Bind a still valid request to the task of a new execution."""
        ...

    def decide(
        self, approval: Approval, status: ApprovalStatus, by: str | None, at: datetime, comment: str
    ) -> tuple[Approval, str]:
        """Decide once, atomically: pending, not expired, same plan hash.

        Gives the decided approval and its task token; raises ApprovalRefused when somebody was
        first, time is over or the request no longer stands.
        """
        ...

    def task_token(self, approval: Approval) -> str:
        """The token of the waiting task, to repeat a decision that was not delivered."""
        ...

    def mark_sent(self, approval: Approval) -> None:
        """Note that the workflow knows the decision."""
        ...


class Workflow(Protocol):
    """The state machine that works on incidents."""

    def start(self, incident: Incident) -> None:
        """Start the execution of this attempt at this stage; idempotent by incident and attempt."""
        ...

    def is_running(self, incident: Incident) -> bool:
        """Whether the execution of this attempt is alive."""
        ...

    def decide(self, task_token: str, decision: Decision, approval_id: str) -> bool:
        """Tell the waiting task; False when it is no longer waiting."""
        ...

    def fail_task(self, task_token: str, error: str, cause: str) -> None:
        """Fail a waiting task; a task that no longer waits is left alone."""
        ...


class Signer(Protocol):
    """Keyed signatures of links."""

    def sign(self, message: bytes) -> bytes:
        """The message's MAC."""
        ...

    def verify(self, message: bytes, mac: bytes) -> bool:
        """Whether the MAC is the message's."""
        ...


Message = delivery.Message
"""What a notifier is given; the value itself belongs to the domain."""


class Notifier(Protocol):
    """Takes messages to people."""

    def send(self, message: Message) -> None:
        """Hand the message over; raises TransientFailure when nobody took it."""
        ...


class Outbox(Protocol):
    """Messages that are on their way, and what became of those that were."""

    def put(self, message: Message, channels: Sequence[str]) -> bool:
        """Store a message once for each channel, all or nothing, after all that is there.

        What is already there is left as it is. Gives whether any of it waits to be delivered.
        """
        ...

    def of_incident(self, incident_id: str) -> Sequence[delivery.Delivery]:
        """All deliveries of an incident, in the order in which they were put."""
        ...

    def lanes(self) -> Sequence[delivery.Lane]:
        """The lanes in which something waits."""
        ...

    def seize(self, lane: delivery.Lane, until: datetime) -> delivery.Lane | None:
        """Take a lane for oneself; None when it is somebody else's turn or not due yet."""
        ...

    def begin(self, waiting: delivery.Delivery, lane: delivery.Lane) -> delivery.Delivery:
        """Note that it is being sent: from now on it is in doubt. Gives its new state.

        Raises TurnLost when it waits no more, or the lane is somebody else's by now.
        """
        ...

    def finish(self, ended: delivery.Delivery, lane: delivery.Lane) -> None:
        """Store the end of a delivery and the lane's memory, all or nothing; raises TurnLost."""
        ...

    def release(self, lane: delivery.Lane, tried: delivery.Delivery | None) -> None:
        """Give the lane back with its next due time, and the state of what could not be sent.

        Raises TurnLost, and then nothing was written.
        """
        ...


class Channel(Protocol):
    """One way to people: a vendor's API."""

    @property
    def knows(self) -> bool:
        """Whether a message that is sent again is known as the same, here or by who receives it."""
        ...

    def deliver(self, waiting: delivery.Delivery, memory: Mapping[str, str]) -> Mapping[str, str]:
        """Hand the message over; gives what to remember for the incident's next message.

        When it is `doubtful` the channel looks first whether the message is there already, if
        its vendor lets it. Raises ChannelDown (try again) or MessageRefused (never will).
        """
        ...


class Channels(Protocol):
    """The channels that are configured."""

    def of(self, name: str) -> Channel:
        """One channel; raises InvalidConfiguration when there is no such channel any more."""
        ...


class Prober(Protocol):
    """Looks at one kind of target, and cannot change it."""

    def probe(self, probe: Probe, target: str | None, parameters: Mapping[str, Any]) -> Evidence:
        """Ask. `target` is a name of the catalogue or None when the service has none.

        Never raises for what the target does: the evidence's status says what happened.
        The evidence's id is empty: the caller numbers it.
        """
        ...


class Executor(Protocol):
    """Runs steps of one kind on real systems. Only Remediate and its undo hold executors."""

    def preview(
        self, step: Step, target: str | None, parameters: Mapping[str, ParameterValue]
    ) -> Sequence[Mapping[str, str]]:
        """The dry run: exactly what `apply` would change; changes nothing."""
        ...

    def apply(self, step: Step, planned: PlannedStep, idempotency_key: str) -> Mapping[str, Any]:
        """Do it, on no more than what `planned.preview` lists; gives what undo needs.

        Raises StepFailed or TargetUnavailable.
        """
        ...

    def undo(
        self, step: Step, planned: PlannedStep, result: Mapping[str, Any], idempotency_key: str
    ) -> Mapping[str, Any]:
        """Take it back."""
        ...


class Executors(Protocol):
    """The executors that exist, by kind of step."""

    def of(self, kind: str) -> Executor | None:
        """The executor of a kind, or None when that kind is not built."""
        ...


class Probers(Protocol):
    """Asks probes and conditions, whatever their kind."""

    def ask(self, probe: Probe, service: str | None, parameters: Mapping[str, Any]) -> Evidence:
        """One observation; the service's targets are looked up in the catalogue."""
        ...

    def holds(
        self, condition: Condition, service: str | None, parameters: Mapping[str, Any]
    ) -> tuple[bool, Evidence]:
        """Whether a condition holds, waiting up to its `within_seconds`."""
        ...


class Scout(Protocol):
    """Looks at systems for somebody who holds no credentials for them, and changes nothing."""

    def preview(
        self, runbook_id: str, step_index: int, *, incident_id: str | None, service: str | None
    ) -> PlannedStep:
        """The step with its parameters and what it would change now, or why it is blocked.

        Raises UnknownRunbook, UnknownIncident, and TransientFailure when no answer came in time.
        """
        ...

    def measure(self, question: MetricQuestion) -> MetricResult:
        """The answer of a metric source.

        Raises InvalidParameter, and TransientFailure when no answer came in time.
        """
        ...


class Telemetry(Protocol):
    """The metric sources of the catalogue. It can only look."""

    def query(self, query: MetricQuery) -> MetricResult:
        """Ask. Never raises for what a source does: the status and message say what happened."""
        ...

    def changes(self, service: str, time_range: TimeRange) -> Sequence[Changes]:
        """What each configured source knows of changes of a service of the catalogue."""
        ...


class Knowledge(Protocol):
    """What the squad knows before any incident: runbooks and the catalogue."""

    @property
    def catalog(self) -> Catalog:
        """The service catalogue."""
        ...

    @property
    def runbooks(self) -> Mapping[str, Runbook]:
        """Runbooks by name."""
        ...

    def runbook(self, name: str) -> Runbook:
        """One runbook; raises UnknownRunbook."""
        ...


class Secrets(Protocol):
    """Secrets by name, cached for a short while so that they can rotate."""

    def get(self, name: str) -> str:
        """The secret's text; raises InvalidConfiguration when there is none."""
        ...


class Model(Protocol):
    """A language model. It sees what it is given and can do nothing by itself."""

    def ask(
        self, request: ModelRequest, seconds: float, on_text: Callable[[str], None] | None = None
    ) -> ModelReply:
        """One call, with the retries that fit into the time; raises ModelFailed.

        An answer that was refused, cut off or is not in form is a ModelFailed too. With `on_text`
        the answer is streamed: it is told all of the text so far, again and again.
        """
        ...


class Ledger(Protocol):
    """What models have cost, by incident and by hour, under hard caps (in micro-dollars)."""

    def reserve(self, incident_id: str, most: int, per_incident: int, per_hour: int) -> bool:
        """Set aside the most that a call can cost; False, and nothing kept, above a cap.

        Raises TransientFailure when the ledger cannot be written: then nobody may spend. Raises
        ModelFailed (circuit_open) while the model is down for everybody.
        """
        ...

    def failed(self, trouble: str) -> None:
        """Note that a call failed; after one that leaves no doubt, or two, it is down for all."""
        ...

    def worked(self) -> None:
        """Note that a call worked again."""
        ...

    def settle(self, incident_id: str, reserved: int, spent: Spend) -> None:
        """Put the real cost in place of what was reserved."""
        ...

    def spent(self, incident_id: str) -> Spend:
        """What the incident has cost so far, with what is reserved."""
        ...


class Transcripts(Protocol):
    """What judging states were told from outside, kept for a while so that it can be replayed."""

    def keep(self, transcript: Transcript) -> None:
        """Add one; raises TransientFailure or InvalidConfiguration."""
        ...

    def keep_knowledge(self, known: KnownThen) -> None:
        """Keep what the squad knows, by its digest, for the whole time from now."""
        ...

    def of_incident(self, incident_id: str) -> Sequence[Transcript]:
        """All of an incident that are not past their time, the oldest first."""
        ...

    def knowledge(self, digest: str) -> KnownThen | None:
        """What the squad knew, or None when it is gone."""
        ...
