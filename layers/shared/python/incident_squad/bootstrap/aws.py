"""The world of a Lambda function, built from AWS."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from incident_squad import ports
from incident_squad.domain.alert import Alert
from incident_squad.domain.triage import Triage as TriageResult
from incident_squad.settings import Settings


class AwsWorld:
    """The world of a Lambda function; each port is built when it is first asked for.

    Imports stand inside on purpose: a function must not pay at its cold start for what it
    never uses.
    """

    def __init__(self, found: Settings) -> None:
        self._settings = found
        self._clients: dict[str, Any] = {}

    def prepare(self) -> None:
        """Build what nearly every function needs."""
        _ = self.incidents, self.timeline, self.knowledge.catalog, self.knowledge.runbooks

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
    def ledger(self) -> ports.Ledger:
        """What models have cost, in DynamoDB."""
        from incident_squad.adapters.dynamodb_ledger import DynamoLedger

        return DynamoLedger(self._client("dynamodb"), self._settings.table, self.clock)

    @cached_property
    def transcripts(self) -> ports.Transcripts | None:
        """Transcripts in a table of their own, or None where none are kept."""
        found = self._settings
        if not found.transcripts:
            return None
        import boto3

        from incident_squad.adapters.dynamodb_transcripts import ONE_TRY, DynamoTranscripts

        make: Any = boto3.client
        client = make("dynamodb", config=ONE_TRY)
        return DynamoTranscripts(client, found.transcripts, self.clock, found.transcript_days)

    @cached_property
    def workflow(self) -> ports.Workflow:
        """Step Functions."""
        from incident_squad.adapters.step_functions import StepFunctionsWorkflow

        return StepFunctionsWorkflow(self._client("stepfunctions"), self._settings.machine_arn)

    @cached_property
    def notifier(self) -> ports.Notifier:
        """The outbox, whose deliverer is woken after each message."""
        from incident_squad.adapters.lambda_waker import LambdaWaker
        from incident_squad.steps.post_message import PostMessage

        prefix = self._settings.function_prefix
        wake = LambdaWaker(self._client("lambda"), f"{prefix}deliver_messages" if prefix else "")
        return PostMessage(outbox=self.outbox, knowledge=self.knowledge, wake=wake)

    @cached_property
    def outbox(self) -> ports.Outbox:
        """Messages on their way, in DynamoDB."""
        from incident_squad.adapters.dynamodb_outbox import DynamoOutbox

        return DynamoOutbox(self._client("dynamodb"), self._settings.table, self.clock)

    @cached_property
    def channels(self) -> ports.Channels:
        """The notifications topic, and what the catalogue declares."""
        from incident_squad.adapters.channels.catalog_channels import CatalogChannels
        from incident_squad.adapters.sns_notifier import SnsNotifier

        return CatalogChannels(
            self.knowledge,
            self.secrets,
            self.clock,
            SnsNotifier(self._sender("sns"), self._settings.topic_arn),
            lambda: self._sender("sesv2"),
        )

    @cached_property
    def public_texts(self) -> ports.Approvals:
        """Requests about public texts in DynamoDB, apart from those about plans."""
        from incident_squad.adapters.dynamodb_approvals import PUBLIC_TEXTS, DynamoApprovals

        client = self._client("dynamodb")
        return DynamoApprovals(client, self._settings.table, self.clock, PUBLIC_TEXTS)

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
    def telemetry(self) -> ports.Telemetry:
        """The metric sources of the catalogue."""
        from incident_squad.adapters.metrics.telemetry import CatalogTelemetry

        return CatalogTelemetry(self.knowledge, self.secrets, self.clock)

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

    def _sender(self, service: str) -> Any:  # noqa: ANN401 - boto3 clients are made at run time
        """A client that tries once: the outbox itself tries again, and knows that it does."""
        import boto3

        from incident_squad.adapters.aws import SENDING

        make: Any = boto3.client
        return make(service, config=SENDING)

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3 clients are made at run time
        if service not in self._clients:
            import boto3

            from incident_squad.adapters.aws import CLIENT

            make: Any = boto3.client
            self._clients[service] = make(service, config=CLIENT)
        return self._clients[service]
