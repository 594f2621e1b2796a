"""What each permission of the catalogue means in IAM: actions, and the resources they are for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_iam as iam

from infra.functions import May

ACTIONS: Mapping[May, tuple[str, ...]] = {
    May.READ: ("dynamodb:GetItem", "dynamodb:Query"),
    May.WRITE: ("dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
    May.START: ("states:StartExecution",),
    May.WATCH: ("states:DescribeExecution",),
    May.ANSWER: ("states:SendTaskFailure", "states:SendTaskSuccess"),
    May.CONFIRM: ("sns:ConfirmSubscription",),
    May.SIGN: ("kms:GenerateMac",),
    May.VERIFY: ("kms:VerifyMac",),
    May.NOTIFY: ("sns:Publish",),
    May.WAKE: ("lambda:InvokeFunction",),
    May.MAIL: ("ses:SendEmail",),
    May.KNOW_CHANNELS: ("secretsmanager:GetSecretValue",),
    May.KNOW_URL: ("ssm:GetParameter",),
    May.KNOW_SENDERS: ("secretsmanager:GetSecretValue",),
    May.KNOW_READERS: ("secretsmanager:GetSecretValue",),
    May.HAVE_LOOKED: ("lambda:InvokeFunction",),
    May.MEASURE: ("cloudwatch:GetMetricData",),
    May.KNOW_METRICS: ("secretsmanager:GetSecretValue",),
    May.LOOK: ("secretsmanager:GetSecretValue",),
    May.ACT: ("secretsmanager:GetSecretValue",),
    May.ASK: ("secretsmanager:GetSecretValue",),
    May.INVOKE: ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"),
    May.TRANSCRIBE: ("dynamodb:PutItem",),
}

# Publishing to an encrypted topic takes its key too.
_TOPIC_KEY = ("kms:Decrypt", "kms:GenerateDataKey")


@dataclass(frozen=True, kw_only=True)
class Resources:
    """ARNs. `by_permission` are those of the main actions, one list a permission.

    `wildcards` are the reviewed ones: how the security review calls an ARN with a `*`, and why.
    """

    by_permission: Mapping[May, Sequence[str]]
    topic_key: str
    wildcards: Mapping[May, tuple[str, str]]


def statements(may: frozenset[May], resources: Resources) -> list[iam.PolicyStatement]:
    """The statements of a role; a permission for which there is no resource gives none."""
    allowed = [
        (ACTIONS[permission], resources.by_permission[permission])
        for permission in May
        if permission in may
    ]
    if May.NOTIFY in may:
        allowed.append((_TOPIC_KEY, [resources.topic_key]))
    return [
        iam.PolicyStatement(actions=list(actions), resources=list(arns))
        for actions, arns in allowed
        if arns
    ]
