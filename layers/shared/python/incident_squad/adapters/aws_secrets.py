"""Secrets from Secrets Manager, remembered for a minute so that they can rotate."""

from datetime import timedelta
from typing import TYPE_CHECKING

from incident_squad.adapters.aws import translated
from incident_squad.adapters.fresh import Fresh
from incident_squad.domain.errors import InvalidConfiguration
from incident_squad.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

LIFETIME = timedelta(seconds=60)


class AwsSecrets:
    """Implements `Secrets`; `prefix` stands before every name."""

    def __init__(self, client: "SecretsManagerClient", prefix: str, clock: Clock) -> None:
        self._client = client
        self._prefix = prefix
        self._fresh = Fresh(clock, LIFETIME)

    def get(self, name: str) -> str:
        """The secret's text; raises InvalidConfiguration when there is none."""
        return self._fresh.get(name, lambda: self._read(f"{self._prefix}{name}"))

    def _read(self, secret_id: str) -> str:
        with translated(f"reading the secret '{secret_id}'"):
            try:
                answer = self._client.get_secret_value(SecretId=secret_id)
            except self._client.exceptions.ResourceNotFoundException:
                raise InvalidConfiguration(f"the secret '{secret_id}' is missing") from None
        text = answer.get("SecretString", "")
        if not text.strip():
            raise InvalidConfiguration(f"the secret '{secret_id}' holds no text")
        return text
