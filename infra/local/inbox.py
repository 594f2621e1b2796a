"""The laptop's inbox: every notification of the squad, as it is sent."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from incident_squad.ports import Message

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

QUEUE = "squad-local-inbox"
POLL_SECONDS = 1
PAUSE_SECONDS = 0.5


class Inbox:
    """A queue subscribed to the notifications topic, read into memory by a thread.

    A message that is sent again (the same id) counts once.
    """

    def __init__(self, sns: "SNSClient", sqs: "SQSClient", topic_arn: str) -> None:
        """Subscribe and begin to read."""
        self._sqs = sqs
        self._queue = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=found["Attributes"]["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )
        self._messages: dict[str, Message] = {}
        self._arrived = threading.Condition()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def messages(self, after: int = 0) -> Sequence[Message]:
        """All messages, the oldest first, without the first `after` ones."""
        with self._arrived:
            return tuple(self._messages.values())[after:]

    def wait_for(self, wanted: Callable[[Message], bool], seconds: float) -> Message | None:
        """The first message that is wanted, as soon as it is there; None when time is over."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while True:
                found = next((m for m in self._messages.values() if wanted(m)), None)
                left = deadline - time.monotonic()
                if found or left <= 0:
                    return found
                self._arrived.wait(left)

    def close(self) -> None:
        """Stop reading; what has arrived stays readable."""
        self._closed.set()
        self._thread.join(POLL_SECONDS + 2)

    def _read(self) -> None:
        while not self._closed.is_set():
            try:
                self._take()
            except (BotoCoreError, ClientError):  # the emulator is going, or gone: others say so
                self._closed.wait(PAUSE_SECONDS)

    def _take(self) -> None:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=POLL_SECONDS
        )
        for raw in answer.get("Messages", []):
            self._keep(raw["Body"])
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=raw["ReceiptHandle"])

    def _keep(self, body: str) -> None:
        try:
            message = Message.model_validate_json(body)
        except ValidationError:  # CloudWatch publishes alarms to the same topic
            message = Message(
                id=str(hash(body)), incident_id="", kind="other", recipients=(),
                subject="A message of another kind", body=body[:20_000],
            )  # fmt: skip
        with self._arrived:
            self._messages.setdefault(message.id, message)
            self._arrived.notify_all()
