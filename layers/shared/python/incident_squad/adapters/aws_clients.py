"""Clients of AWS services, made when first asked for and kept."""

import threading
from typing import Any

from incident_squad.adapters.aws import CLIENT


class LazyClients:
    """Gives the client of a service, in a region or in the function's own.

    A service's model takes time and memory to load: only what a step needs is loaded.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[str, str | None], Any] = {}
        self._lock = threading.Lock()

    def __call__(self, service: str, region: str | None = None) -> Any:  # noqa: ANN401 - boto3
        """The client."""
        with self._lock:  # making one is not safe beside another, and checks run side by side
            return self._client(service, region)

    def _client(self, service: str, region: str | None) -> Any:  # noqa: ANN401 - boto3
        key = (service, region)
        if key not in self._made:
            import boto3  # noqa: PLC0415 - most functions never need it

            make: Any = boto3.client
            self._made[key] = make(service, region_name=region, config=CLIENT)
        return self._made[key]
