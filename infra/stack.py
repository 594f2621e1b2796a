"""The stack: composes the constructs and adds nothing of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import aws_cdk as cdk
from constructs import Construct

from incident_squad.agents.models import SEATS
from infra.components.alerts import Alerts
from infra.components.api import Api
from infra.components.bridges import Bridges
from infra.components.functions import Functions
from infra.components.layers import OVERLAY, RUNBOOKS, Layers
from infra.components.monitoring import Monitoring
from infra.components.names import Names
from infra.components.notifications import Notifications
from infra.components.permissions import Resources
from infra.components.secrets import Secrets
from infra.components.signing import Signing
from infra.components.storage import Storage
from infra.components.transcripts import Transcripts
from infra.components.triggers import Triggers
from infra.components.workflow import Workflow
from infra.functions import May
from infra.stage import Stage
from infra.targets import deployed_catalog, target_secrets

MODEL_KEY = "model/anthropic-api-key"
MODELS = sorted({seat.model for seat in SEATS.values()})


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What an operator may choose.

    `dependencies` is the built folder of the dependencies layer, or None to go without it.
    `public_url` stands in front of the API when there is a domain name; `on_call_email` is
    subscribed to the notifications. `alert_topics` are the ARNs of SNS topics, besides the
    stack's own, whose alarms are believed. `alarms` are the beginnings of names of CloudWatch
    alarms that come in by EventBridge, or `all`.
    `model` is `off`, `anthropic` (an operator puts the key into the secret MODEL_KEY) or `bedrock`
    (by the functions' own roles, in the stack's region).
    Transcripts are kept for `transcript_days`. `streaming` is `off` (live events by answers that
    wait) or `lwa` (one long answer, behind the Lambda Web Adapter). `catalog` is laid over the
    catalogue that ships; the roles of the functions are made from both.
    """

    stage: Stage
    dependencies: Path | None = None
    public_url: str | None = None
    on_call_email: str | None = None
    alert_topics: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    model: Literal["off", "anthropic", "bedrock"] = "off"
    transcript_days: int = 30
    streaming: Literal["off", "lwa"] = "off"
    catalog: Mapping[str, Any] = field(default_factory=dict)


class IncidentSquadStack(cdk.Stack):
    """Everything that Incident Squad is in AWS."""

    def __init__(self, scope: Construct, construct_id: str, *, choices: Choices) -> None:
        super().__init__(scope, construct_id, description="Incident Squad")
        self._names = names = Names(construct_id)
        stage = choices.stage
        self._catalog = deployed_catalog(choices.catalog)
        self._storage = Storage(self, "Storage", stage=stage)
        self._transcripts = Transcripts(self, "Transcripts", stage=stage)
        self._secrets = Secrets(self, "Secrets", names=names, stage=stage)
        self._signing = Signing(self, "Signing", names=names, stage=stage)
        self._notifications = Notifications(
            self, "Notifications", stage=stage, on_call_email=choices.on_call_email
        )
        self._alerts = Alerts(self, "Alerts", key=self._notifications.key)
        functions = Functions(
            self,
            "Functions",
            names=names,
            stage=stage,
            layers=Layers(
                self, "Layers", dependencies=choices.dependencies, overlay=choices.catalog
            ).all,
            environment=self._environment(choices),
            resources=self._resources(choices),
            catalog=self._catalog,
            streaming=choices.streaming == "lwa",
        ).by_name
        workflow = Workflow(self, "Workflow", names=names, stage=stage, functions=functions)
        api = Api(
            self,
            "Api",
            names=names,
            stage=stage,
            functions=functions,
            public_url=choices.public_url,
        )
        self._alerts.deliver_to(api.api)
        Triggers(self, "Triggers", machine=workflow.machine, functions=functions)
        Bridges(
            self,
            "Bridges",
            intake=functions["intake"],
            stack_name=construct_id,
            alarms=choices.alarms,
        )
        Monitoring(
            self,
            "Monitoring",
            machine=workflow.machine,
            functions=functions,
            api=api.api,
            topic=self._notifications.topic,
        )
        self._output("ApiUrl", api.api.url)
        self._output("TableName", self._storage.table.table_name)
        self._output("TranscriptsTable", self._transcripts.table.table_name)
        self._output("ReplayReaderPolicy", self._transcripts.reader.managed_policy_arn)
        self._output("MachineArn", workflow.machine.state_machine_arn)
        self._output("TopicArn", self._notifications.topic.topic_arn)
        self._output("AlertTopicArn", self._alerts.topic.topic_arn)

    def _output(self, name: str, value: str) -> None:
        cdk.CfnOutput(self, name, value=value)

    def _environment(self, choices: Choices) -> dict[str, str]:
        topics = (self._alerts.topic.topic_arn, *choices.alert_topics)
        return {
            "SQUAD_ALERT_TOPICS": ",".join(topics),
            "SQUAD_MODEL": choices.model,
            "SQUAD_MODEL_REGION": self.region,
            "SQUAD_TABLE": self._storage.table.table_name,
            "SQUAD_TRANSCRIPTS": self._transcripts.table.table_name,
            "SQUAD_TRANSCRIPT_DAYS": str(choices.transcript_days),
            "SQUAD_MACHINE_ARN": self._names.machine_arn(self),
            "SQUAD_KEY_ID": self._signing.key.key_id,
            "SQUAD_TOPIC_ARN": self._notifications.topic.topic_arn,
            "SQUAD_RUNBOOKS": RUNBOOKS,
            **({"SQUAD_CATALOG_OVERLAY": OVERLAY} if choices.catalog else {}),
            "SQUAD_PUBLIC_URL_PARAMETER": self._names.public_url,
            "SQUAD_SECRETS_PREFIX": self._names.secrets,
            "SQUAD_FUNCTION_PREFIX": self._names.functions,
        }

    def _resources(self, choices: Choices) -> Resources:
        in_bedrock = choices.model == "bedrock"
        table = self._storage.table.table_arn
        machine = self._names.machine_arn(self)
        key = self._signing.key.key_arn
        targets = target_secrets(self._catalog)
        return Resources(
            by_permission={
                May.READ: [table, f"{table}/index/*"],
                May.WRITE: [table],
                May.START: [machine],
                May.WATCH: [self._names.executions_arn(self)],
                May.ANSWER: [machine],
                May.CONFIRM: [self._alerts.topic.topic_arn, *choices.alert_topics],
                May.SIGN: [key],
                May.VERIFY: [key],
                May.NOTIFY: [self._notifications.topic.topic_arn],
                May.WAKE: [self._names.function_arn(self, "deliver_messages")],
                May.MAIL: [self._names.identities_arn(self)],
                May.KNOW_CHANNELS: [self._names.channel_secrets_arn(self)],
                May.KNOW_URL: [self._names.public_url_arn(self)],
                May.KNOW_SENDERS: [secret.secret_arn for secret in self._secrets.webhooks],
                May.KNOW_READERS: [self._secrets.api_token.secret_arn],
                May.HAVE_LOOKED: [
                    self._names.function_arn(self, name)
                    for name in ("preview_step", "query_metrics")
                ],
                May.MEASURE: ["*"],
                May.KNOW_METRICS: [self._names.metric_secrets_arn(self)],
                May.LOOK: self._target_arns(targets.readers),
                May.ACT: self._target_arns(targets.writers),
                May.ASK: [] if in_bedrock else self._target_arns((MODEL_KEY,)),
                May.INVOKE: self._names.model_arns(self, MODELS) if in_bedrock else [],
                May.TRANSCRIBE: [self._transcripts.table.table_arn],
            },
            topic_key=self._notifications.key.key_arn,
            wildcards=self._wildcards(),
        )

    def _wildcards(self) -> dict[May, tuple[str, str]]:
        table = self.get_logical_id(cast("cdk.CfnElement", self._storage.table.node.default_child))
        pseudo = "arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>"
        executions = f"{pseudo}:execution:{self._names.machine}:*"
        channels = (
            "arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:"
            f"{self._names.secrets}channels/*"
        )
        metrics = channels.replace("channels/", "metrics/")
        identities = "arn:<AWS::Partition>:ses:<AWS::Region>:<AWS::AccountId>:identity/*"
        return {
            May.KNOW_CHANNELS: (channels, "credentials that the catalogue names at run time"),
            May.MEASURE: ("*", "CloudWatch knows no resources for reading metrics"),
            May.KNOW_METRICS: (metrics, "credentials that the catalogue names at run time"),
            May.MAIL: (identities, "the sender that the catalogue names; SES has verified it"),
            May.READ: (f"<{table}.Arn>/index/*", "the indexes of this one table"),
            May.WATCH: (executions, "executions of this one machine, named at run time"),
        }

    def _target_arns(self, secrets: tuple[str, ...]) -> list[str]:
        return [self._names.target_secret_arn(self, secret) for secret in secrets]
