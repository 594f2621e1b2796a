"""Secrets by which senders and readers prove themselves."""

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.components.names import WEBHOOK_SOURCES, Names
from infra.components.review import accept
from infra.stage import Stage


class Secrets(Construct):
    """One secret for each webhook source, and the token of readers.

    A secret holds one value a line and every line is valid, so that people rotate by adding the
    new value first. PagerDuty issues its own: an operator puts it in.
    """

    def __init__(self, scope: Construct, construct_id: str, *, names: Names, stage: Stage) -> None:
        super().__init__(scope, construct_id)
        self._names, self._stage = names, stage
        self.webhooks = [
            self._secret(source.capitalize(), f"webhooks/{source}") for source in WEBHOOK_SOURCES
        ]
        self.api_token = self._secret("ApiToken", "api-token")

    def _secret(self, construct_id: str, name: str) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            construct_id,
            secret_name=f"{self._names.secrets}{name}",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=48, exclude_punctuation=True
            ),
            removal_policy=self._stage.removal,
        )
        accept(
            secret,
            "AwsSolutions-SMG4",
            "the other end must learn the value too: an operator rotates by adding a line",
        )
        return secret
