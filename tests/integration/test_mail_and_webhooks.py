"""E-mail, Slack's simple webhook, and what every HTTP channel makes of answers."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from incident_squad.adapters.channels.email_ses import Email
from incident_squad.adapters.channels.http import Reply, Vendor, seconds_of
from incident_squad.adapters.channels.slack import SlackWebhook
from incident_squad.adapters.channels.slack_blocks import blocks_of
from incident_squad.adapters.channels.webhook import Webhook
from incident_squad.domain.channels import EmailChannel, SlackWebhookChannel, WebhookChannel
from incident_squad.domain.delivery import Delivery, Message
from incident_squad.domain.errors import ChannelDown, InvalidConfiguration, MessageRefused
from incident_squad.policy.routing import channels_for, next_try
from tests.builders import NOW, a_catalog, a_message
from tests.fakes import FixedClock, MemorySecrets
from tests.vendors_of_messages import Vendors, vendors

MAIL = EmailChannel(kind="email", sender="squad@example.com")


@pytest.fixture
def fake() -> Iterator[Vendors]:
    with vendors() as found:
        yield found


class Ses:
    """Keeps what it is given, or fails as it is told."""

    def __init__(self, error: Exception | None = None) -> None:
        self.sent: list[Mapping[str, Any]] = []
        self._error = error

    def send_email(self, **request: Any) -> Mapping[str, Any]:
        if self._error:
            raise self._error
        self.sent.append(request)
        return {"MessageId": "m"}


def waiting(**fields: Any) -> Delivery:
    return Delivery(message=a_message(**fields), channel="any", created_at=NOW)


def refused(code: str, status: int = 400) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": "x"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "SendEmail")


def test_an_e_mail_goes_to_addresses_only_and_holds_the_link_once() -> None:
    ses = Ses()
    link = "https://squad.example.com/x"
    told = waiting(recipients=("ada@example.com", "#incidents"), link=link, subject="a\nb")
    assert Email(MAIL, ses).deliver(told, {"a": "b"}) == {"a": "b"}
    (mail,) = ses.sent
    assert mail["Destination"] == {"ToAddresses": ["ada@example.com"]}
    simple = mail["Content"]["Simple"]
    assert simple["Subject"]["Data"] == "a b"
    assert simple["Body"]["Text"]["Data"].count(link) == 1
    assert simple["Headers"] == [{"Name": "X-Incident-Squad-Message", "Value": "a-message"}]


@pytest.mark.parametrize(
    ("error", "meaning", "doubtful"),
    [
        (refused("MessageRejected"), MessageRefused, False),
        (refused("TooManyRequestsException"), ChannelDown, False),
        (refused("MailFromDomainNotVerifiedException"), ChannelDown, False),
        (refused("InternalFailure", 500), ChannelDown, True),
        (EndpointConnectionError(endpoint_url="https://ses"), ChannelDown, False),
        (ReadTimeoutError(endpoint_url="https://ses"), ChannelDown, True),
    ],
)
def test_what_ses_says_is_understood(
    error: Exception, meaning: type[Exception], doubtful: bool
) -> None:
    with pytest.raises(meaning) as caught:
        Email(MAIL, Ses(error)).deliver(waiting(), {})
    assert getattr(caught.value, "doubtful", False) is doubtful


def test_slacks_simple_webhook_gets_the_same_blocks(fake: Vendors) -> None:
    config = SlackWebhookChannel(kind="slack_webhook", url="channels/hook")
    secrets = MemorySecrets({"channels/hook": f"{fake.url}/nowhere/secret-part"})
    with pytest.raises(ChannelDown) as caught:
        SlackWebhook(config, secrets).deliver(waiting(), {})
    assert "secret-part" not in str(caught.value)


def test_a_webhooks_key_must_be_a_key() -> None:
    config = WebhookChannel(kind="webhook", url="https://x.example/y", secret="channels/x")
    channel = Webhook(config, MemorySecrets({"channels/x": "whsec_%%%"}), FixedClock(NOW))
    with pytest.raises(InvalidConfiguration, match="whsec_"):
        channel.deliver(waiting(), {})


def test_a_vendor_that_cannot_be_reached_got_nothing() -> None:
    with pytest.raises(ChannelDown) as caught:
        Vendor("x", connect_seconds=0.2).call("POST", "http://127.0.0.1:1/", {})
    assert not caught.value.doubtful


@pytest.mark.parametrize(
    ("status", "meaning", "doubtful"),
    [
        (302, ChannelDown, False), (400, MessageRefused, False), (401, ChannelDown, False),
        (404, ChannelDown, False), (410, MessageRefused, False), (420, ChannelDown, False),
        (429, ChannelDown, False), (500, ChannelDown, True), (503, ChannelDown, True),
    ],
)  # fmt: skip
def test_an_answer_is_judged_by_its_status(
    status: int, meaning: type[Exception], doubtful: bool
) -> None:
    with pytest.raises(meaning) as caught:
        Vendor("x").accepted(Reply(status, None, "no", 7.0))
    assert getattr(caught.value, "doubtful", False) is doubtful


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(None, None), ("", None), ("30", 30), ("soon", None), ("Mon, 01 Jan 2001 00:00:00 GMT", 0)],
)
def test_retry_after_is_seconds_or_a_date(given: str | None, seconds: float | None) -> None:
    assert seconds_of(given) == seconds


def test_tries_come_further_apart_and_never_before_what_was_asked() -> None:
    gaps = [(next_try(n, None, NOW, 1.0) - NOW).total_seconds() for n in range(1, 12)]
    assert gaps == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert (next_try(1, 40.0, NOW, 0.0) - NOW).total_seconds() == 40
    assert (next_try(1, 99_999.0, NOW, 0.0) - NOW).total_seconds() == 900
    assert (next_try(5, None, NOW, 0.0) - NOW).total_seconds() == 8


def test_the_topic_may_have_the_rest_only() -> None:
    declared = {
        "topic": {"kind": "topic", "takes": "rest"},
        "mail": {"kind": "email", "sender": "a@b.example"},
    }
    catalog = a_catalog(channels=declared)
    approval = a_message(kind="approval", recipients=("ada@example.com",))
    assert channels_for(approval, catalog) == ("mail",)
    assert channels_for(a_message(kind="page"), catalog) == ("topic",)


def test_an_approvers_link_is_given_to_no_machine_whatever_is_configured() -> None:
    hook = {
        "kind": "webhook", "url": "https://x.example/y", "secret": "channels/x",
        "kinds": ["approval"],
    }  # fmt: skip
    assert "hook" not in channels_for(
        a_message(kind="approval"), a_catalog(channels={"hook": hook})
    )


@pytest.mark.parametrize("body", ["", "x" * 20_000, "&<>" * 6000, "\n" * 5000])
@pytest.mark.parametrize("link", [None, "https://x.example/" + "y" * 4000, "javascript:alert(1)"])
def test_blocks_stay_within_slacks_limits(body: str, link: str | None) -> None:
    message: Message = a_message(body=body, link=link, subject="s" * 200)
    blocks = blocks_of(message)
    assert len(blocks) <= 50
    for block in blocks:
        assert len(str(block)) < 3300
        assert "javascript" not in str(block.get("elements"))
