"""CloudWatch against moto's, and against answers that AWS gives and moto does not."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from moto import mock_aws

from incident_squad.adapters.http_client import Refused
from incident_squad.adapters.memory import FixedClock, MemoryKnowledge, MemorySecrets
from incident_squad.adapters.metrics.cloudwatch import CloudWatch, cloudwatch_client, period
from incident_squad.adapters.metrics.telemetry import CatalogTelemetry
from incident_squad.domain.errors import InvalidParameter, TargetUnavailable
from incident_squad.domain.metric import MetricQuery, MetricStatus
from incident_squad.domain.metric_sources import CloudWatchSource
from tests.builders import NOW, a_catalog

SOURCE = CloudWatchSource(region="eu-west-1", account="123456789012")
CPU = "AWS/RDS:CPUUtilization{DBInstanceIdentifier=orders-primary}"


def a_query(query: str = CPU, **more: Any) -> MetricQuery:
    known = {
        "source": "cloudwatch",
        "query": query,
        "time_range": {"start": NOW - timedelta(minutes=15), "end": NOW},
    }
    return MetricQuery.model_validate({**known, **more})


class Scripted:
    """Answers in turn; the last one stays."""

    def __init__(self, *answers: Mapping[str, Any] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[Mapping[str, Any]] = []

    def get_metric_data(self, **request: Any) -> Mapping[str, Any]:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def result(label: str, *values: float, **more: Any) -> dict[str, Any]:
    times = [NOW - timedelta(minutes=len(values) - n) for n in range(len(values))]
    known = {"Id": "answer", "Label": label, "Timestamps": times, "Values": list(values)}
    return {**known, "StatusCode": "Complete", **more}


def refused(code: str, message: str = "no", status: int = 400) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "GetMetricData")


@pytest.fixture
def moto() -> Iterator[Any]:
    with mock_aws():
        make: Any = boto3.client
        client = make("cloudwatch", region_name="eu-west-1")
        now = datetime.now(UTC)
        client.put_metric_data(
            Namespace="AWS/RDS",
            MetricData=[
                {
                    "MetricName": "CPUUtilization",
                    "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "orders-primary"}],
                    "Timestamp": now - timedelta(minutes=minutes),
                    "Value": value,
                }
                for minutes, value in ((9, 20.0), (5, 90.0), (2, 40.0))
            ],
        )
        yield client


@pytest.mark.parametrize(("how", "value"), [("max", 90.0), ("min", 20.0), ("avg", 50.0)])
def test_a_metric_with_dimensions_is_read_from_aws(moto: Any, how: Any, value: float) -> None:
    now = datetime.now(UTC)
    knowledge = MemoryKnowledge(a_catalog(metrics={"cloudwatch": {"region": "eu-west-1"}}), {})
    eyes = CatalogTelemetry(knowledge, MemorySecrets({}), FixedClock(now))
    found = eyes.query(
        a_query(aggregation=how, time_range={"start": now - timedelta(minutes=15), "end": now})
    )
    assert (found.status, found.value) == (MetricStatus.OK, value)
    other = eyes.query(
        a_query(
            CPU.replace("orders-primary", "another"),
            time_range={"start": now - timedelta(minutes=15), "end": now},
        )
    )
    assert other.status is MetricStatus.NO_DATA


def test_the_request_holds_what_the_query_says_and_nothing_else() -> None:
    client = Scripted({"MetricDataResults": [result("cpu", 1.0)]})
    query = f"cpu = {CPU}; share = cpu / 100; share * 2"
    CloudWatch(SOURCE, lambda _: client).ask(a_query(query, aggregation="max"))
    metric, share, answer = client.asked[0]["MetricDataQueries"]
    assert metric == {
        "Id": "cpu",
        "ReturnData": False,
        "AccountId": "123456789012",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/RDS",
                "MetricName": "CPUUtilization",
                "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "orders-primary"}],
            },
            "Period": 60,
            "Stat": "Maximum",
        },
    }
    assert share == {"Id": "share", "ReturnData": False, "Expression": "cpu / 100", "Period": 60}
    assert answer == {"Id": "answer", "ReturnData": True, "Expression": "share * 2", "Period": 60}


def test_metrics_insights_go_out_as_they_are() -> None:
    client = Scripted({"MetricDataResults": [result("a", 1.0), result("b", 3.0)]})
    sql = 'SELECT MAX(CPUUtilization) FROM SCHEMA("AWS/RDS", DBInstanceIdentifier) GROUP BY x'
    found = CloudWatch(SOURCE, lambda _: client).ask(a_query(sql))
    assert client.asked[0]["MetricDataQueries"][0]["Expression"] == sql
    assert [one.name for one in found.series] == ["a", "b"]


def test_pages_are_joined_and_bounded() -> None:
    page = {"MetricDataResults": [result("cpu", 1.0)], "NextToken": "more"}
    client = Scripted(page)
    found = CloudWatch(SOURCE, lambda _: client).ask(a_query())
    assert len(client.asked) == 3
    assert len(found.series[0].points) == 3
    assert "too long" in found.note


@pytest.mark.parametrize(
    ("error", "raised", "said"),
    [
        (refused("ValidationError", "Error in expression 'answer'"), InvalidParameter, "mend it"),
        (refused("AccessDenied", status=403), Refused, "cloudwatch:GetMetricData"),
        (refused("Throttling"), TargetUnavailable, "busy"),
        (refused("InternalServiceFault", status=500), TargetUnavailable, "busy"),
        (ConnectTimeoutError(endpoint_url="https://x"), TargetUnavailable, "cannot be asked"),
    ],
)
def test_errors_of_aws_say_what_to_do(error: Exception, raised: type[Exception], said: str) -> None:
    with pytest.raises(raised, match=said):
        CloudWatch(SOURCE, lambda _: Scripted(error)).ask(a_query())


def test_a_part_that_failed_is_no_data_of_ours() -> None:
    message = {"Code": "Forbidden", "Value": "not this account"}
    answer = {"MetricDataResults": [result("x", StatusCode="Forbidden", Messages=[message])]}
    with pytest.raises(TargetUnavailable, match="not this account"):
        CloudWatch(SOURCE, lambda _: Scripted(answer)).ask(a_query())


@pytest.mark.parametrize(
    ("span", "seconds"),
    [
        (timedelta(minutes=5), 60),
        (timedelta(hours=3), 120),
        (timedelta(days=1), 720),
        (timedelta(days=31), 22_500),
    ],
)
def test_the_period_is_one_that_cloudwatch_keeps(span: timedelta, seconds: int) -> None:
    query = a_query(time_range={"start": NOW - span, "end": NOW})
    assert period(query) == seconds
    assert span.total_seconds() / seconds <= 120


def test_a_client_gives_up_long_before_its_function() -> None:
    client: Any = cloudwatch_client("eu-west-1")
    config = client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (1, 3)
    assert config.retries["total_max_attempts"] == 2
