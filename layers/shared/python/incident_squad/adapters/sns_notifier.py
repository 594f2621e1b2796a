"""Notifications through one SNS topic; subscribers filter by attributes."""

import json
import unicodedata
from typing import TYPE_CHECKING

from incident_squad.adapters.aws import translated
from incident_squad.ports import Message

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

_LONGEST_SUBJECT = 99


class SnsNotifier:
    """Implements `Notifier`.

    The message is the notification as JSON; the attributes are `id`, `incident`, `kind`,
    `recipients` (a string array) and `urgent` (`true` or `false`).
    """

    def __init__(self, client: "SNSClient", topic_arn: str) -> None:
        self._client = client
        self._topic = topic_arn

    def send(self, message: Message) -> None:
        """Publish; raises TransientFailure, or InvalidConfiguration when SNS refuses for good."""
        with translated("publishing a notification"):
            self._client.publish(
                TopicArn=self._topic,
                Subject=_header(message.subject),
                Message=message.model_dump_json(),
                MessageAttributes={
                    "id": _text(message.id),
                    "incident": _text(message.incident_id),
                    "kind": _text(message.kind),
                    "recipients": {
                        "DataType": "String.Array",
                        "StringValue": json.dumps(message.recipients),
                    },
                    "urgent": _text(str(message.urgent).lower()),
                },
            )


def _text(value: str) -> "MessageAttributeValueTypeDef":
    return {"DataType": "String", "StringValue": value or "-"}


def _header(subject: str) -> str:
    """The subject as SNS takes it: one line of ASCII, short; the JSON holds the whole one."""
    folded = unicodedata.normalize("NFKD", subject).encode("ascii", "ignore").decode()
    line = " ".join("".join(c if c.isprintable() else " " for c in folded).split())
    return line[:_LONGEST_SUBJECT] or "Incident Squad"
