"""Notifications through SNS, received by a queue."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from incident_squad.adapters.sns_notifier import SnsNotifier
from incident_squad.domain.errors import InvalidConfiguration, TransientFailure
from incident_squad.ports import Message
from tests.integration.stubs import scripted

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass
class Inbox:
    notifier: SnsNotifier
    sqs: "SQSClient"
    queue: str

    def received(self) -> dict[str, Any]:
        (message,) = self.sqs.receive_message(QueueUrl=self.queue)["Messages"]
        found: dict[str, Any] = json.loads(message["Body"])
        return found


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with mock_aws():
        sns, sqs = (boto3.client("sns", "us-east-1"), boto3.client("sqs", "us-east-1"))
        topic = sns.create_topic(Name="squad")["TopicArn"]
        queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])
        yield Inbox(SnsNotifier(sns, topic), sqs, queue)
        sns.close()
        sqs.close()


def a_message(**fields: Any) -> Message:
    known = {
        "id": "m1",
        "incident_id": "INC-20261122-7F3KQ",
        "kind": "page",
        "recipients": ("ada@example.com", "#incidents"),
        "subject": "[SEV1] Orders is down",
        "body": "Look.",
    }
    return Message.model_validate({**known, **fields})


def test_the_whole_message_arrives_with_attributes_to_filter_by(inbox: Inbox) -> None:
    message = a_message(urgent=True, link="https://squad.example/x")
    inbox.notifier.send(message)
    received = inbox.received()
    assert Message.model_validate_json(received["Message"]) == message
    assert received["Subject"] == message.subject
    attributes = {name: part["Value"] for name, part in received["MessageAttributes"].items()}
    assert json.loads(attributes.pop("recipients")) == ["ada@example.com", "#incidents"]
    assert attributes == {
        "id": "m1",
        "incident": "INC-20261122-7F3KQ",
        "kind": "page",
        "urgent": "true",
    }


@pytest.mark.parametrize(
    ("subject", "header"),
    [
        ("Clé\r\nBcc: x@y.z", "Cle Bcc: x@y.z"),
        ("日本", "Incident Squad"),
        ("", "Incident Squad"),
        ("x" * 200, "x" * 99),
        ("a\x00\x1b[31mb", "a [31mb"),
    ],
)
def test_a_subject_is_one_short_line(inbox: Inbox, subject: str, header: str) -> None:
    inbox.notifier.send(a_message(subject=subject))
    received = inbox.received()
    assert received["Subject"] == header
    assert Message.model_validate_json(received["Message"]).subject == subject


def test_a_message_to_nobody_in_particular_is_still_sent(inbox: Inbox) -> None:
    inbox.notifier.send(a_message(recipients=()))
    assert inbox.received()["MessageAttributes"]["recipients"]["Value"] == "[]"


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("Throttled", 429, TransientFailure),
        ("InternalError", 500, TransientFailure),
        ("KMSThrottling", 503, TransientFailure),
        ("NotFound", 404, InvalidConfiguration),
        ("AuthorizationError", 403, InvalidConfiguration),
    ],
)
def test_nobody_took_it_is_never_silent(code: str, status: int, error: type[Exception]) -> None:
    with scripted("sns") as (client, script):
        script.add_client_error("publish", code, http_status_code=status)
        with pytest.raises(error):
            SnsNotifier(client, "arn:aws:sns:us-east-1:123456789012:squad").send(a_message())
