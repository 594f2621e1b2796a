"""E-mail by Amazon SES: for approvers and executives."""

from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    SSLError,
)

from incident_squad.adapters.aws import THROTTLES, code_of, failure
from incident_squad.domain.channels import EmailChannel
from incident_squad.domain.delivery import Delivery
from incident_squad.domain.errors import ChannelDown, MessageRefused

_FOR_GOOD = frozenset({"MessageRejected", "BadRequestException"})
_MOST, _BROKEN = 50, 500
_NEVER_LEFT = (ConnectTimeoutError, EndpointConnectionError, NoCredentialsError, SSLError)


class SesClient(Protocol):
    """What we need of SES, version 2."""

    def send_email(self, **request: Any) -> Mapping[str, Any]:  # noqa: ANN401 - boto3's form
        """Send one e-mail."""
        ...


class Email:
    """Implements `Channel`.

    SES has no idempotency and shows nobody what it sent: what an e-mail that was cut off becomes is
    decided by its kind. Both of two have the same `X-Incident-Squad-Message`.
    """

    knows = False

    def __init__(self, config: EmailChannel, client: SesClient) -> None:
        self._config, self._client = config, client

    def deliver(self, waiting: Delivery, memory: Mapping[str, str]) -> Mapping[str, str]:
        """Send to those recipients that are e-mail addresses."""
        message = waiting.message
        to = [recipient for recipient in message.recipients if "@" in recipient][:_MOST]
        text = message.body if not message.link or message.link in message.body else (
            f"{message.body}\n\n{message.link}"
        )  # fmt: skip
        mark = {"Name": "X-Incident-Squad-Message", "Value": message.id}
        simple = {
            "Subject": {"Data": " ".join(message.subject.split()), "Charset": "UTF-8"},
            "Body": {"Text": {"Data": text, "Charset": "UTF-8"}},
            "Headers": [mark],
        }
        try:
            self._client.send_email(
                FromEmailAddress=self._config.sender,
                Destination={"ToAddresses": to},
                Content={"Simple": simple},
            )
        except ClientError as error:
            raise _meant(error) from error
        except BotoCoreError as error:
            why = str(failure(error, "sending an e-mail"))
            raise ChannelDown(why, doubtful=not isinstance(error, _NEVER_LEFT)) from error
        return memory


def _meant(error: ClientError) -> ChannelDown | MessageRefused:
    code = code_of(error)
    if code in _FOR_GOOD:
        return MessageRefused(f"SES refused the e-mail: {code}")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", _BROKEN)
    doubtful = status >= _BROKEN and code not in THROTTLES
    return ChannelDown(f"SES does not take e-mail: {code}", doubtful=doubtful)
