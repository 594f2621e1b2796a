"""Metric sources that follow a script."""

from collections.abc import Mapping, Sequence

from incident_squad.domain.metric import (
    Changes,
    MetricQuery,
    MetricResult,
    MetricStatus,
    TimeRange,
)
from incident_squad.policy.measure import RawAnswer, RawSeries, failed, measure
from incident_squad.ports import Clock


class MemoryTelemetry:
    """Implements `Telemetry`: a query's values, or how it ends; `asked` records the questions.

    What the script does not name is not configured.
    """

    def __init__(
        self,
        clock: Clock,
        script: Mapping[str, Sequence[float] | MetricStatus] | None = None,
        changes: Sequence[Changes] = (),
    ) -> None:
        self._clock = clock
        self._script = dict(script or {})
        self._changes = tuple(changes)
        self.asked: list[MetricQuery] = []

    def query(self, query: MetricQuery) -> MetricResult:
        """The scripted answer."""
        self.asked.append(query)
        answer = self._script.get(query.query, MetricStatus.NOT_CONFIGURED)
        now = self._clock.now()
        if isinstance(answer, MetricStatus):
            return failed(query, answer, "the script says so", now)
        start = query.time_range.start.timestamp()
        points = [(start + place, value) for place, value in enumerate(answer)]
        return measure(query, RawAnswer(series=[RawSeries(query.query, points)]), now)

    def changes(self, service: str, time_range: TimeRange) -> Sequence[Changes]:
        """The scripted changes, of whatever service."""
        del service, time_range
        return self._changes
