"""The tool query_metrics, over whatever metric sources there are."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from incident_squad.domain.errors import InvalidParameter, TargetUnavailable
from incident_squad.domain.metric import MetricQuery, MetricResult, MetricStatus
from incident_squad.domain.metric import TimeRange as Span
from incident_squad.ports import Clock
from incident_squad.steps.report import plain
from incident_squad.steps.tools.inputs import QueryMetricsInput

USUAL = timedelta(minutes=15)


@dataclass(frozen=True)
class MetricTools:
    """Questions to metric sources; `ask` is the use case behind them."""

    ask: Callable[[MetricQuery], MetricResult]
    clock: Clock

    def query(self, asked: QueryMetricsInput) -> dict[str, Any]:
        """The answer in one form for all sources; raises InvalidParameter."""
        now = self.clock.now()
        given = asked.time_range
        try:
            query = MetricQuery(
                source=asked.source,
                query=asked.query,
                time_range=Span(
                    start=given.start if given else now - USUAL, end=given.end if given else now
                ),
                aggregation=asked.aggregation,
            )
        except ValidationError as error:
            said = "; ".join(str(item["msg"]) for item in error.errors()[:3])
            raise InvalidParameter(said.replace("Value error, ", "")) from error
        answer = self.ask(query)
        if answer.status not in {MetricStatus.OK, MetricStatus.NO_DATA}:
            words = answer.message or "no reason was given"
            raise TargetUnavailable(f"{answer.status.value.replace('_', ' ')}: {words}")
        shown: dict[str, Any] = plain(answer)
        return shown


def no_source(_: MetricQuery) -> MetricResult:
    """The answer where no source is connected: raises TargetUnavailable."""
    raise TargetUnavailable("no metric source is configured")
