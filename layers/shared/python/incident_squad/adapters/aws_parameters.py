"""Parameters of the Systems Manager: what is only known once the stack stands."""

from datetime import timedelta
from typing import TYPE_CHECKING

from incident_squad.adapters.aws import translated
from incident_squad.adapters.fresh import Fresh
from incident_squad.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

LIFETIME = timedelta(minutes=5)


class PublicUrl:
    """The address under which people reach the API; call it to get it, without a last `/`."""

    def __init__(self, client: "SSMClient", parameter: str, clock: Clock) -> None:
        self._client = client
        self._parameter = parameter
        self._fresh = Fresh(clock, LIFETIME)

    def __call__(self) -> str:
        """The address; raises InvalidConfiguration when the parameter is missing."""
        return self._fresh.get(self._parameter, self._read)

    def _read(self) -> str:
        with translated(f"reading the parameter '{self._parameter}'"):
            answer = self._client.get_parameter(Name=self._parameter)
        return answer["Parameter"]["Value"].rstrip("/")
