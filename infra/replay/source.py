"""Where transcripts are read: with AWS's own credentials, of a stack there or of the laptop's."""

import json
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from incident_squad.adapters.dynamodb_transcripts import DynamoTranscripts
from incident_squad.adapters.system_clock import SystemClock
from infra.client import RUNNING, ApiError
from infra.local.clients import Clients

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient

_ANY = 1
"""Days of keeping: who only reads keeps nothing."""


def transcripts_of(stack: str | None, profile: str | None) -> DynamoTranscripts:
    """Those of a stack on AWS, or of the `squad up` that runs in this folder; raises ApiError.

    On AWS it takes the stack's policy for replays: the token of the API reads no transcripts.
    """
    try:
        if stack:
            session = boto3.Session(profile_name=profile)
            return opened(session.client("cloudformation"), session.client("dynamodb"), stack)
        name, endpoint = _running()
        clients = Clients(endpoint)
        return opened(clients.cloudformation, clients.dynamodb, name)
    except (BotoCoreError, ClientError) as error:
        raise ApiError(f"the transcripts cannot be found: {error}") from error


def opened(
    cloudformation: "CloudFormationClient", dynamodb: "DynamoDBClient", stack: str
) -> DynamoTranscripts:
    """The transcripts of a stack by its name; raises ApiError."""
    outputs = cloudformation.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
    found = {one["OutputKey"]: one["OutputValue"] for one in outputs}
    if "TranscriptsTable" not in found:
        raise ApiError(f"the stack '{stack}' keeps no transcripts: deploy it anew")
    return DynamoTranscripts(dynamodb, found["TranscriptsTable"], SystemClock(), _ANY)


def _running() -> tuple[str, str]:
    try:
        found = json.loads(RUNNING.read_text())
        return str(found["stack"]), str(found["endpoint_url"])
    except (OSError, ValueError, KeyError) as error:
        raise ApiError(
            "no embedded stack runs in this folder: start one with `squad up`, "
            "or name a stack on AWS with --stack, or a saved incident with --file"
        ) from error
