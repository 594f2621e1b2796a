"""AWS clients that talk to the embedded stack and to nothing else."""

import os
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
import botocore.session
from botocore.config import Config

from infra.local.emulator_process import REGION

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient


class Clients:
    """One client per service, made when first asked for.

    The user's profile, configuration files and proxies play no part: a wrong AWS_PROFILE must not
    break a laptop's stack, and a right one must not let it touch a real account.
    """

    def __init__(self, endpoint_url: str) -> None:
        """Talk to the emulator at this address."""
        self.endpoint_url = endpoint_url
        nothing = (None, None, None, None)
        files = (None, None, os.devnull, None)
        core = botocore.session.Session(
            session_vars={"profile": nothing, "config_file": files, "credentials_file": files}
        )
        core.set_credentials("test", "test")
        self._session = boto3.Session(botocore_session=core, region_name=REGION)
        self._config = Config(
            proxies={},
            connect_timeout=5,
            read_timeout=120,
            max_pool_connections=32,
            retries={"total_max_attempts": 2, "mode": "standard"},
            s3={"addressing_style": "path"},
        )

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """Stacks."""
        return self._session.client(
            "cloudformation", endpoint_url=self.endpoint_url, config=self._config
        )

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """The incident table."""
        return self._session.client("dynamodb", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def kms(self) -> "KMSClient":
        """The key of the links."""
        return self._session.client("kms", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def functions(self) -> "LambdaClient":
        """Lambda functions."""
        return self._session.client("lambda", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def s3(self) -> "S3Client":
        """The assets."""
        return self._session.client("s3", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def secrets(self) -> "SecretsManagerClient":
        """Secrets."""
        return self._session.client(
            "secretsmanager", endpoint_url=self.endpoint_url, config=self._config
        )

    @cached_property
    def sns(self) -> "SNSClient":
        """The topic of notifications."""
        return self._session.client("sns", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def sqs(self) -> "SQSClient":
        """The inbox."""
        return self._session.client("sqs", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def ssm(self) -> "SSMClient":
        """Parameters."""
        return self._session.client("ssm", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def workflow(self) -> "SFNClient":
        """State machines."""
        return self._session.client(
            "stepfunctions", endpoint_url=self.endpoint_url, config=self._config
        )
