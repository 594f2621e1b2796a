"""CloudWatch: metrics, metric math and Metrics Insights through GetMetricData."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from incident_squad.domain.errors import InvalidParameter, TargetUnavailable
from incident_squad.domain.metric import Aggregation, MetricQuery
from incident_squad.domain.metric_sources import CloudWatchSource
from incident_squad.policy.cloudwatch_query import Part, read_cloudwatch
from incident_squad.policy.measure import RawAnswer, RawSeries

NAME = "CloudWatch"
POINTS, MOST_DATAPOINTS, PAGES = 120, 5000, 3
PAGES_SECONDS = 4.0
"""When no further page is asked for; a page itself has 8 seconds, with its one retry."""
STATISTICS: Mapping[Aggregation, str] = {
    "avg": "Average",
    "max": "Maximum",
    "min": "Minimum",
    "sum": "Sum",
    "count": "SampleCount",
}
_MINUTE, _DETAILED_SECONDS = 60, 15 * 86_400


class Measures(Protocol):
    """The one operation that is used of boto3's CloudWatch client."""

    def get_metric_data(self, **request: Any) -> Mapping[str, Any]:  # noqa: ANN401 - boto3's
        """GetMetricData."""
        ...


class CloudWatch:
    """Reads the metrics of one region, with the function's own role."""

    def __init__(self, source: CloudWatchSource, client: Callable[[str | None], Measures]) -> None:
        self._source = source
        self._client = client

    def ask(self, query: MetricQuery) -> RawAnswer:
        """The series of the query's last part; raises what AWS says as the squad's errors."""
        parts = read_cloudwatch(query.query)
        request = {
            "MetricDataQueries": [self._entry(part, query, parts[-1]) for part in parts],
            "StartTime": query.time_range.start,
            "EndTime": query.time_range.end,
            "ScanBy": "TimestampAscending",
            "MaxDatapoints": MOST_DATAPOINTS,
        }
        results, cut = self._results(request)
        found = [RawSeries(name, points) for name, points in _joined(results).items()]
        note = "; ".join(_messages(results)) or ("the answer was too long: cut" if cut else "")
        return RawAnswer(series=found, link=self._link(), note=note)

    def _entry(self, part: Part, query: MetricQuery, last: Part) -> dict[str, Any]:
        entry: dict[str, Any] = {"Id": part.id, "ReturnData": part is last}
        if part.kind != "metric":
            return {**entry, "Expression": part.expression, "Period": period(query)}
        metric = {
            "Namespace": part.namespace,
            "MetricName": part.metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in part.dimensions],
        }
        stat = {
            "Metric": metric,
            "Period": period(query),
            "Stat": STATISTICS[query.aggregation],
        }
        account = {"AccountId": self._source.account} if self._source.account else {}
        return {**entry, **account, "MetricStat": stat}

    def _results(self, request: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], bool]:
        client, found = self._client(self._source.region), list[Mapping[str, Any]]()
        token: str | None = None
        deadline = time.monotonic() + PAGES_SECONDS
        for _ in range(PAGES):
            more = {"NextToken": token} if token else {}
            answer = _asked(client, {**request, **more})
            found += answer.get("MetricDataResults", [])
            token = answer.get("NextToken")
            if not token or time.monotonic() > deadline:
                break
        return found, bool(token)

    def _link(self) -> str | None:
        region = self._source.region
        if region is None:
            return None
        where = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
        return f"{where}#metricsV2:"


def period(query: MetricQuery) -> int:
    """Seconds between points: what CloudWatch still keeps, and not more than 120 of them."""
    wanted = math.ceil(query.time_range.seconds / POINTS / _MINUTE) * _MINUTE
    kept = 5 * _MINUTE if query.time_range.seconds > _DETAILED_SECONDS else _MINUTE
    return max(kept, math.ceil(wanted / kept) * kept)


def cloudwatch_client(region: str | None) -> Measures:
    """A client that gives up long before its function does."""
    import boto3  # noqa: PLC0415 - only some functions look at metrics
    from botocore.config import Config  # noqa: PLC0415 - as above

    config = Config(
        connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}
    )
    make: Any = boto3.client
    client: Measures = make("cloudwatch", region_name=region, config=config)
    return client


def _asked(client: Measures, request: Mapping[str, Any]) -> Mapping[str, Any]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    try:
        return client.get_metric_data(**request)
    except ClientError as error:
        raise _meaning(error.response) from error
    except BotoCoreError as error:
        raise TargetUnavailable(f"{NAME} cannot be asked: {type(error).__name__}") from error


def _meaning(response: Mapping[str, Any]) -> InvalidParameter | TargetUnavailable:
    from incident_squad.adapters.http_client import Refused  # noqa: PLC0415 - only on errors

    error = response.get("Error", {})
    code, said = str(error.get("Code", "")), " ".join(str(error.get("Message", "")).split())[:300]
    if "AccessDenied" in code or code in {"UnrecognizedClientException", "ExpiredToken"}:
        return Refused(f"{NAME} refused us ({code}): the role needs cloudwatch:GetMetricData")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if "Throttl" in code or status >= 500:  # noqa: PLR2004 - server errors
        return TargetUnavailable(f"{NAME} is busy ({code}), ask later")
    return InvalidParameter(f"{NAME} cannot answer this query, mend it: {said or code}")


def _joined(results: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """Points by label; a series may be spread over pages."""
    series: dict[str, list[tuple[float, float]]] = {}
    for one in results:
        name = str(one.get("Label") or one.get("Id", ""))
        pairs = zip(one.get("Timestamps", ()), one.get("Values", ()), strict=False)
        series.setdefault(name, []).extend((at.timestamp(), float(value)) for at, value in pairs)
    return series


def _messages(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """What CloudWatch says about single results; raises TargetUnavailable when one failed."""
    said = [str(m.get("Value", "")) for one in results for m in one.get("Messages", ())]
    if any(one.get("StatusCode") in {"InternalError", "Forbidden"} for one in results):
        raise TargetUnavailable(f"{NAME} failed on a part of the query: {'; '.join(said)[:300]}")
    return said
