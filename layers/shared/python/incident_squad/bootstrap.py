"""The composition root: the one place that chooses adapters and wires use cases.

`Squad` builds every use case from a `World` of filled ports: tests and the laptop give it worlds
of their own. The functions at the end serve the Lambda handlers: they build from AWS, once a
process, and only what the function at hand needs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Protocol

from incident_squad import ports
from incident_squad.domain.alert import Alert
from incident_squad.domain.triage import Triage as TriageResult
from incident_squad.domain.values import IncidentType
from incident_squad.settings import Settings, settings
from incident_squad.steps.approval_api import ApprovalApi
from incident_squad.steps.close_incident import CloseIncident
from incident_squad.steps.decide_approval import DecideApproval
from incident_squad.steps.draft_update import DraftUpdate
from incident_squad.steps.hand_over import HandOver
from incident_squad.steps.incidents_api import IncidentsApi
from incident_squad.steps.intake_api import IntakeApi
from incident_squad.steps.investigate import Investigate
from incident_squad.steps.notify_on_call import NotifyOnCall
from incident_squad.steps.planning import Planner
from incident_squad.steps.post_mortem import PostMortem
from incident_squad.steps.publish_update import PublishUpdate
from incident_squad.steps.read_incidents import ReadIncidents
from incident_squad.steps.read_record import ReadRecord
from incident_squad.steps.receive_alert import ReceiveAlert
from incident_squad.steps.record_failure import RecordFailure
from incident_squad.steps.remediate import Remediate
from incident_squad.steps.report import BuildReport
from incident_squad.steps.request_approval import RequestApproval
from incident_squad.steps.sweep import Sweep
from incident_squad.steps.synthesize import Synthesize
from incident_squad.steps.triage import Triage
from incident_squad.steps.undo_remediation import UndoRemediation
from incident_squad.steps.verify_recovery import VerifyRecovery
from incident_squad.steps.view_links import ViewLinks


class World(Protocol):
    """All ports. Attributes may be built when they are first asked for."""

    @property
    def incidents(self) -> ports.IncidentStore:
        """Incidents and what belongs to them."""
        ...

    @property
    def timeline(self) -> ports.Timeline:
        """The chained record."""
        ...

    @property
    def approvals(self) -> ports.Approvals:
        """Requests for approval."""
        ...

    @property
    def workflow(self) -> ports.Workflow:
        """The state machine."""
        ...

    @property
    def notifier(self) -> ports.Notifier:
        """The way to people."""
        ...

    @property
    def signer(self) -> ports.Signer:
        """Signatures of links."""
        ...

    @property
    def secrets(self) -> ports.Secrets:
        """Secrets by name."""
        ...

    @property
    def knowledge(self) -> ports.Knowledge:
        """Runbooks and catalogue."""
        ...

    @property
    def probers(self) -> ports.Probers:
        """Eyes: they read."""
        ...

    @property
    def executors(self) -> ports.Executors:
        """Hands: they write."""
        ...

    @property
    def clock(self) -> ports.Clock:
        """The time."""
        ...

    @property
    def triager(self) -> Callable[[Alert], TriageResult]:
        """The floor of triage."""
        ...

    @property
    def public_url(self) -> Callable[[], str]:
        """Gives the address under which people reach the API."""
        ...


@dataclass(frozen=True)
class Squad:
    """Every use case, wired from one world."""

    world: World

    def receive_alert(self) -> ReceiveAlert:
        """Alerts in, incidents out."""
        w = self.world
        return ReceiveAlert(
            incidents=w.incidents,
            timeline=w.timeline,
            workflow=w.workflow,
            knowledge=w.knowledge,
            clock=w.clock,
            triager=w.triager,
        )

    def triage(self) -> Triage:
        """The router."""
        w = self.world
        return Triage(incidents=w.incidents, timeline=w.timeline, triager=w.triager)

    def investigate(self, specialist: IncidentType) -> Investigate:
        """One specialist."""
        w = self.world
        return Investigate(
            specialist=specialist,
            incidents=w.incidents,
            timeline=w.timeline,
            knowledge=w.knowledge,
            probers=w.probers,
        )

    def notify_on_call(self) -> NotifyOnCall:
        """The first page."""
        w = self.world
        return NotifyOnCall(
            incidents=w.incidents,
            timeline=w.timeline,
            notifier=w.notifier,
            knowledge=w.knowledge,
            clock=w.clock,
            view_link=self.view_links().address,
        )

    def draft_update(self) -> DraftUpdate:
        """The communicator's drafts."""
        w = self.world
        return DraftUpdate(
            incidents=w.incidents,
            timeline=w.timeline,
            knowledge=w.knowledge,
            clock=w.clock,
            read_record=self.read_record(),
        )

    def publish_update(self) -> PublishUpdate:
        """The communicator's publications."""
        w = self.world
        return PublishUpdate(
            incidents=w.incidents,
            timeline=w.timeline,
            notifier=w.notifier,
            draft_update=self.draft_update(),
            view_link=self.view_links().address,
        )

    def synthesize(self) -> Synthesize:
        """Diagnosis and plan in one."""
        w = self.world
        return Synthesize(
            incidents=w.incidents,
            approvals=w.approvals,
            timeline=w.timeline,
            knowledge=w.knowledge,
            planner=Planner(knowledge=w.knowledge, executors=w.executors),
            clock=w.clock,
        )

    def request_approval(self) -> RequestApproval:
        """Links to approvers."""
        w = self.world
        return RequestApproval(
            incidents=w.incidents,
            approvals=w.approvals,
            timeline=w.timeline,
            notifier=w.notifier,
            signer=w.signer,
            knowledge=w.knowledge,
            clock=w.clock,
            decide=self.decide_approval(),
            public_url=w.public_url,
        )

    def decide_approval(self) -> DecideApproval:
        """Decisions by link."""
        w = self.world
        return DecideApproval(
            incidents=w.incidents,
            approvals=w.approvals,
            timeline=w.timeline,
            workflow=w.workflow,
            signer=w.signer,
            clock=w.clock,
        )

    def remediate(self) -> Remediate:
        """One step of a plan."""
        w = self.world
        return Remediate(
            incidents=w.incidents,
            timeline=w.timeline,
            approvals=w.approvals,
            knowledge=w.knowledge,
            probers=w.probers,
            executors=w.executors,
            clock=w.clock,
        )

    def undo_remediation(self) -> UndoRemediation:
        """Steps taken back."""
        w = self.world
        return UndoRemediation(
            incidents=w.incidents,
            timeline=w.timeline,
            knowledge=w.knowledge,
            executors=w.executors,
            clock=w.clock,
        )

    def verify_recovery(self) -> VerifyRecovery:
        """Whether the symptom is gone."""
        w = self.world
        return VerifyRecovery(
            incidents=w.incidents,
            timeline=w.timeline,
            knowledge=w.knowledge,
            probers=w.probers,
            clock=w.clock,
        )

    def close_incident(self) -> CloseIncident:
        """The end of an incident."""
        w = self.world
        return CloseIncident(
            incidents=w.incidents,
            timeline=w.timeline,
            clock=w.clock,
            build_report=self.build_report(),
        )

    def hand_over(self) -> HandOver:
        """A human takes over."""
        w = self.world
        return HandOver(
            incidents=w.incidents,
            approvals=w.approvals,
            timeline=w.timeline,
            notifier=w.notifier,
            knowledge=w.knowledge,
            clock=w.clock,
        )

    def record_failure(self) -> RecordFailure:
        """Executions that died."""
        return RecordFailure(incidents=self.world.incidents, hand_over=self.hand_over())

    def sweep(self) -> Sweep:
        """What a crash left behind."""
        w = self.world
        return Sweep(
            incidents=w.incidents,
            approvals=w.approvals,
            timeline=w.timeline,
            workflow=w.workflow,
            decide=self.decide_approval(),
            hand_over=self.hand_over(),
            clock=w.clock,
        )

    def read_record(self) -> ReadRecord:
        """All that is stored of an incident."""
        w = self.world
        return ReadRecord(incidents=w.incidents, approvals=w.approvals, timeline=w.timeline)

    def build_report(self) -> BuildReport:
        """The report."""
        w = self.world
        return BuildReport(read_record=self.read_record(), knowledge=w.knowledge, clock=w.clock)

    def post_mortem(self) -> PostMortem:
        """The post-mortem draft."""
        w = self.world
        return PostMortem(read_record=self.read_record(), knowledge=w.knowledge, clock=w.clock)

    def view_links(self) -> ViewLinks:
        """Signed links to look at an incident."""
        w = self.world
        return ViewLinks(signer=w.signer, clock=w.clock, public_url=w.public_url)

    def incidents_api(self) -> IncidentsApi:
        """Incidents over HTTP."""
        w = self.world
        return IncidentsApi(
            read=ReadIncidents(
                incidents=w.incidents, timeline=w.timeline, knowledge=w.knowledge, clock=w.clock
            ),
            read_record=self.read_record(),
            build_report=self.build_report(),
            post_mortem_of=self.post_mortem(),
            timeline_of=w.timeline,
            links=self.view_links(),
            clock=w.clock,
            tokens=lambda: w.secrets.get("api-token"),
        )

    def approval_api(self) -> ApprovalApi:
        """Approvals over HTTP."""
        return ApprovalApi(
            decide_approval=self.decide_approval(),
            read_record=self.read_record(),
            clock=self.world.clock,
        )


class AwsWorld:
    """The world of a Lambda function; each port is built when it is first asked for.

    Imports stand inside on purpose: a function must not pay at its cold start for what it
    never uses.
    """

    def __init__(self, found: Settings) -> None:
        self._settings = found
        self._clients: dict[str, Any] = {}

    @cached_property
    def clock(self) -> ports.Clock:
        """The machine's clock."""
        from incident_squad.adapters.system_clock import SystemClock

        return SystemClock()

    @cached_property
    def incidents(self) -> ports.IncidentStore:
        """Incidents in DynamoDB."""
        from incident_squad.adapters.dynamodb_incidents import DynamoIncidents

        return DynamoIncidents(self._client("dynamodb"), self._settings.table, self.clock)

    @cached_property
    def timeline(self) -> ports.Timeline:
        """The timeline in DynamoDB."""
        from incident_squad.adapters.dynamodb_timeline import DynamoTimeline

        return DynamoTimeline(self._client("dynamodb"), self._settings.table, self.clock)

    @cached_property
    def approvals(self) -> ports.Approvals:
        """Approvals in DynamoDB."""
        from incident_squad.adapters.dynamodb_approvals import DynamoApprovals

        return DynamoApprovals(self._client("dynamodb"), self._settings.table, self.clock)

    @cached_property
    def workflow(self) -> ports.Workflow:
        """Step Functions."""
        from incident_squad.adapters.step_functions import StepFunctionsWorkflow

        return StepFunctionsWorkflow(self._client("stepfunctions"), self._settings.machine_arn)

    @cached_property
    def notifier(self) -> ports.Notifier:
        """The notifications topic."""
        from incident_squad.adapters.sns_notifier import SnsNotifier

        return SnsNotifier(self._client("sns"), self._settings.topic_arn)

    @cached_property
    def signer(self) -> ports.Signer:
        """The KMS key of links."""
        from incident_squad.adapters.kms_signer import KmsSigner

        return KmsSigner(self._client("kms"), self._settings.key_id)

    @cached_property
    def secrets(self) -> ports.Secrets:
        """Secrets Manager."""
        from incident_squad.adapters.aws_secrets import AwsSecrets

        client = self._client("secretsmanager")
        return AwsSecrets(client, self._settings.secrets_prefix, self.clock)

    @cached_property
    def knowledge(self) -> ports.Knowledge:
        """The runbook files of the layer."""
        from incident_squad.adapters.runbook_files import RunbookFiles

        return RunbookFiles(self._settings.runbooks, self._settings.catalog_overlay)

    @cached_property
    def probers(self) -> ports.Probers:
        """Probers of every kind that exists."""
        from incident_squad.adapters.probers import CatalogProbers

        return CatalogProbers(self.knowledge, self.secrets, self.clock)

    @cached_property
    def executors(self) -> ports.Executors:
        """Executors of every kind that exists."""
        from incident_squad.adapters.executors import KindExecutors

        return KindExecutors(self.knowledge, self.secrets)

    @cached_property
    def triager(self) -> Callable[[Alert], TriageResult]:
        """The floor, compiled from the runbooks."""
        from incident_squad.policy.triage import Triager

        return Triager(self.knowledge.catalog, self.knowledge.runbooks)

    @cached_property
    def public_url(self) -> Callable[[], str]:
        """The address in the parameter store."""
        from incident_squad.adapters.aws_parameters import PublicUrl

        parameter = self._settings.public_url_parameter
        return PublicUrl(self._client("ssm"), parameter, self.clock)

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3 clients are made at run time
        if service not in self._clients:
            import boto3

            from incident_squad.adapters.aws import CLIENT

            make: Any = boto3.client
            self._clients[service] = make(service, config=CLIENT)
        return self._clients[service]


@lru_cache(maxsize=1)
def squad() -> Squad:
    """The squad of this Lambda process."""
    return Squad(AwsWorld(settings()))


def intake_api() -> IntakeApi:
    """The doors for alerts."""
    from incident_squad.adapters.sns_topics import SnsTopics, certificate

    found, topics = squad(), settings().alert_topics.split(",")
    return IntakeApi(
        receive=found.receive_alert(),
        secrets=found.world.secrets,
        clock=found.world.clock,
        certificates=certificate,
        confirm=SnsTopics().confirm,
        topics=frozenset(topic.strip() for topic in topics if topic.strip()),
    )


def triage() -> Triage:
    """The use case of the state Triage."""
    return squad().triage()


def investigate(specialist: IncidentType) -> Investigate:
    """The use case of a specialist's state."""
    return squad().investigate(specialist)


def notify_on_call() -> NotifyOnCall:
    """The use case of the state NotifyOnCall."""
    return squad().notify_on_call()


def draft_update() -> DraftUpdate:
    """The use case of the state DraftUpdate."""
    return squad().draft_update()


def publish_update() -> PublishUpdate:
    """The use case of the states that publish."""
    return squad().publish_update()


def synthesize() -> Synthesize:
    """The use case of the state Synthesize."""
    return squad().synthesize()


def request_approval() -> RequestApproval:
    """The use case of the state RequestApproval."""
    return squad().request_approval()


def remediate() -> Remediate:
    """The use case of the state RemediateStep."""
    return squad().remediate()


def undo_remediation() -> UndoRemediation:
    """The use case of the state UndoRemediation."""
    return squad().undo_remediation()


def verify_recovery() -> VerifyRecovery:
    """The use case of the state VerifyRecovery."""
    return squad().verify_recovery()


def close_incident() -> CloseIncident:
    """The use case of the state CloseIncident."""
    return squad().close_incident()


def hand_over() -> HandOver:
    """The use case of the state HandOver."""
    return squad().hand_over()


def record_failure() -> RecordFailure:
    """The use case behind the rule on failed executions."""
    return squad().record_failure()


def sweep() -> Sweep:
    """The use case behind the schedule."""
    return squad().sweep()


def incidents_api() -> IncidentsApi:
    """What reads incidents over HTTP."""
    return squad().incidents_api()


def approval_api() -> ApprovalApi:
    """What shows and takes approvals over HTTP."""
    return squad().approval_api()
