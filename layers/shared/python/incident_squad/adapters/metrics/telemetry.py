"""Asks the metric sources that the catalogue configures."""

import threading
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from incident_squad.adapters.http_client import Refused
from incident_squad.domain.errors import InvalidConfiguration, SquadError
from incident_squad.domain.metric import (
    Change,
    Changes,
    MetricQuery,
    MetricResult,
    MetricSource,
    MetricStatus,
    TimeRange,
)
from incident_squad.policy.measure import RawAnswer, failed, measure
from incident_squad.ports import Clock, Knowledge, Secrets

if TYPE_CHECKING:
    from incident_squad.adapters.metrics.cloudwatch import Measures
    from incident_squad.adapters.metrics.datadog import Datadog
    from incident_squad.adapters.metrics.pagerduty import PagerDuty

_MAKING = threading.Lock()


class Reader(Protocol):
    """One source."""

    def ask(self, query: MetricQuery) -> RawAnswer:
        """The source's answer; raises a SquadError that says what to mend."""
        ...


class ChangeReader(Protocol):
    """A source that knows of deployments."""

    def changes(self, service: str, time_range: TimeRange) -> list[Change]:
        """Changes of a service; raises a SquadError."""
        ...


class CatalogTelemetry:
    """Implements `Telemetry`; a source is built when it is first asked."""

    def __init__(self, knowledge: Knowledge, secrets: Secrets, clock: Clock) -> None:
        self._knowledge = knowledge
        self._secrets = secrets
        self._clock = clock
        self._build: dict[MetricSource, Callable[[], Reader | None]] = {
            "prometheus": self._prometheus,
            "cloudwatch": self._cloudwatch,
            "datadog": self._datadog,
            "pagerduty": self._pagerduty,
        }

    def query(self, query: MetricQuery) -> MetricResult:
        """The normalised answer; what goes wrong is in its status and message."""
        try:
            reader = self._build[query.source]()
            if reader is None:
                why = f"the catalogue configures no {query.source} under metrics"
                return self._failed(query, MetricStatus.NOT_CONFIGURED, why)
            return measure(query, reader.ask(query), self._clock.now())
        except SquadError as error:
            return self._failed(query, _status(error), str(error))

    def changes(self, service: str, time_range: TimeRange) -> list[Changes]:
        """What Datadog and PagerDuty know, each with how the look ended."""
        datadog, pagerduty = self._datadog(), self._pagerduty()
        readers: dict[str, ChangeReader | None] = {"datadog": datadog, "pagerduty": pagerduty}
        return [
            self._changes(name, reader, service, time_range)
            for name, reader in readers.items()
            if reader is not None
        ]

    def _changes(
        self, name: str, reader: ChangeReader, service: str, time_range: TimeRange
    ) -> Changes:
        asked = f"changes of {service}"
        try:
            found = reader.changes(service, time_range)
        except SquadError as error:
            status, said = _status(error), str(error)[:500]
            return Changes(source=name, query=asked, status=status, message=said)
        status = MetricStatus.OK if found else MetricStatus.NO_DATA
        return Changes(source=name, query=asked, status=status, changes=tuple(found[:20]))

    def _failed(self, query: MetricQuery, status: MetricStatus, why: str) -> MetricResult:
        return failed(query, status, why, self._clock.now())

    def _prometheus(self) -> Reader | None:
        from incident_squad.adapters.metrics.prometheus import Prometheus  # noqa: PLC0415

        source = self._knowledge.catalog.metrics.prometheus
        return Prometheus(source, self._secrets, self._clock) if source else None

    def _cloudwatch(self) -> Reader | None:
        from incident_squad.adapters.metrics.cloudwatch import CloudWatch  # noqa: PLC0415

        source = self._knowledge.catalog.metrics.cloudwatch
        return CloudWatch(source, _client) if source else None

    def _datadog(self) -> "Datadog | None":
        from incident_squad.adapters.metrics.datadog import Datadog  # noqa: PLC0415

        source = self._knowledge.catalog.metrics.datadog
        return Datadog(source, self._secrets, self._clock) if source else None

    def _pagerduty(self) -> "PagerDuty | None":
        from incident_squad.adapters.metrics.pagerduty import PagerDuty  # noqa: PLC0415

        source = self._knowledge.catalog.metrics.pagerduty
        return PagerDuty(source, self._secrets, self._clock) if source else None


def _client(region: str | None) -> "Measures":
    # Checks run side by side, and boto3 cannot make two clients at once.
    with _MAKING:
        return _cloudwatch_client(region)


@lru_cache(maxsize=4)
def _cloudwatch_client(region: str | None) -> "Measures":
    from incident_squad.adapters.metrics.cloudwatch import cloudwatch_client  # noqa: PLC0415

    return cloudwatch_client(region)


def _status(error: SquadError) -> MetricStatus:
    if isinstance(error, Refused):
        return MetricStatus.DENIED
    if isinstance(error, InvalidConfiguration):
        return MetricStatus.NOT_CONFIGURED
    return MetricStatus.ERROR
