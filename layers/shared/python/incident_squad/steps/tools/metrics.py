"""The tool query_metrics, over the metric sources of the catalogue."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from incident_squad.domain.errors import InvalidParameter, TargetUnavailable
from incident_squad.domain.metric import MetricQuestion, MetricResult, MetricStatus
from incident_squad.domain.metric import TimeRange as Span
from incident_squad.steps.report import plain
from incident_squad.steps.tools.inputs import QueryMetricsInput


@dataclass(frozen=True)
class MetricTools:
    """Questions to metric sources; `ask` is the use case behind them."""

    ask: Callable[[MetricQuestion], MetricResult]

    def query(self, asked: QueryMetricsInput) -> dict[str, Any]:
        """The answer in one form for all sources.

        Raises InvalidParameter, and TargetUnavailable with what to mend when there is no answer.
        """
        given = asked.time_range
        try:
            question = MetricQuestion(
                source=asked.source,
                query=asked.query,
                time_range=Span(start=given.start, end=given.end) if given else None,
                aggregation=asked.aggregation,
            )
        except ValidationError as error:
            said = "; ".join(str(item["msg"]) for item in error.errors()[:3])
            raise InvalidParameter(said.replace("Value error, ", "")) from error
        answer = self.ask(question)
        if answer.status not in {MetricStatus.OK, MetricStatus.NO_DATA}:
            words = answer.message or "no reason was given"
            raise TargetUnavailable(f"{answer.status.value.replace('_', ' ')}: {words}")
        shown: dict[str, Any] = plain(answer)
        return shown
