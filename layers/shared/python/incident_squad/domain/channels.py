"""Channels to people, as the catalogue's section `channels` declares them.

Credentials are named, never written: secrets live in Secrets Manager under the stack's prefix.
`base_url` is for vendors' other regions; `kinds` replaces what the channel takes by default.
"""

from typing import Annotated, Literal

from pydantic import Field

from incident_squad.domain.values import Value

Url = Annotated[str, Field(pattern=r"^https?://[^\s?#]+$", max_length=500)]
SecretName = Annotated[str, Field(pattern=r"^channels/[A-Za-z0-9/_.-]+$", max_length=200)]
Kind = Literal[
    "page",
    "notice",
    "update",
    "correction",
    "public",
    "approval",
    "handover",
    "escalation",
    "call",
    "acknowledged",
    "promise",
    "summary",
]
"""What a message is about."""


class HttpChannel(Value):
    """A vendor behind HTTP: a call that takes longer counts as failed, and is tried again."""

    timeout_seconds: float = Field(default=8, gt=0, le=10)


class TopicChannel(Value):
    """The SNS topic, which is always there. `rest` gives it only what no other channel takes."""

    kind: Literal["topic"]
    takes: Literal["everything", "rest"] = "everything"


class PagerDutyChannel(HttpChannel):
    """PagerDuty: `routing_key` names the secret of an Events API v2 integration.

    With `api_token` and `from_email`, incidents that PagerDuty itself sent us are annotated,
    acknowledged and resolved there; no second one is opened.
    """

    kind: Literal["pagerduty"]
    routing_key: SecretName
    api_token: SecretName | None = None
    from_email: str | None = None
    base_url: Url = "https://events.pagerduty.com"
    api_url: Url = "https://api.pagerduty.com"
    kinds: tuple[Kind, ...] = ("page", "handover", "escalation", "acknowledged", "update")


class SlackChannel(HttpChannel):
    """Slack: a thread an incident in `channel` (its id), by the bot `token`.

    Approvers and those who are paged get a link of their own by direct message. The bot needs the
    scopes chat:write, channels:history, im:history, im:write and users:read.email.
    """

    kind: Literal["slack"]
    token: SecretName
    channel: str = Field(pattern=r"^[CG][A-Z0-9]{2,20}$")
    base_url: Url = "https://slack.com/api"
    kinds: tuple[Kind, ...] = (
        "page",
        "notice",
        "update",
        "correction",
        "public",
        "approval",
        "handover",
        "escalation",
        "call",
        "acknowledged",
        "promise",
    )


class SlackWebhookChannel(HttpChannel):
    """Slack's incoming webhook: `url` names the secret that holds its address. No threads."""

    kind: Literal["slack_webhook"]
    url: SecretName
    kinds: tuple[Kind, ...] = (
        "page",
        "notice",
        "update",
        "correction",
        "public",
        "handover",
        "escalation",
        "promise",
    )


class StatuspageChannel(HttpChannel):
    """Atlassian Statuspage: `components` maps services of the catalogue to component ids."""

    kind: Literal["statuspage"]
    api_key: SecretName
    page: str = Field(pattern=r"^[A-Za-z0-9]+$")
    components: dict[str, str] = Field(default_factory=dict)
    base_url: Url = "https://api.statuspage.io/v1"
    kinds: tuple[Kind, ...] = ("update", "correction", "public")


class EmailChannel(Value):
    """E-mail by SES, from an address that SES has verified: approvers and executives."""

    kind: Literal["email"]
    sender: str = Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)
    kinds: tuple[Kind, ...] = ("approval", "summary")


class WebhookChannel(HttpChannel):
    """Anybody else: JSON, signed as https://www.standardwebhooks.com describes."""

    kind: Literal["webhook"]
    url: Url
    secret: SecretName
    kinds: tuple[Kind, ...] = (
        "page",
        "notice",
        "update",
        "correction",
        "public",
        "handover",
        "escalation",
        "acknowledged",
        "promise",
        "summary",
    )


ChannelConfig = Annotated[
    TopicChannel
    | PagerDutyChannel
    | SlackChannel
    | SlackWebhookChannel
    | StatuspageChannel
    | EmailChannel
    | WebhookChannel,
    Field(discriminator="kind"),
]
