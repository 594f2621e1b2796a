"""Find a deployed squad on AWS: its address and its token."""

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.client import ApiError, SquadClient


def on_aws(stack: str, profile: str | None) -> SquadClient:
    """The client of a deployed stack, by its outputs; raises ApiError with the reason."""
    try:
        session = boto3.Session(profile_name=profile)
        outputs = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        found = {o["OutputKey"]: o["OutputValue"] for o in outputs.get("Outputs", [])}
        token = session.client("secretsmanager").get_secret_value(SecretId=f"{stack}/api-token")
        return SquadClient(url=found["ApiUrl"], token=token["SecretString"].strip())
    except KeyError as error:
        raise ApiError(f"the stack '{stack}' has no output {error}: is it a squad?") from error
    except (BotoCoreError, ClientError) as error:
        raise ApiError(f"the stack '{stack}' cannot be read: {error}") from error
