"""The channels of the catalogue, made when they are first needed."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from incident_squad.adapters.channels.sns import Topic
from incident_squad.domain.channels import (
    ChannelConfig,
    EmailChannel,
    PagerDutyChannel,
    SlackChannel,
    SlackWebhookChannel,
    StatuspageChannel,
    WebhookChannel,
)
from incident_squad.domain.delivery import TOPIC
from incident_squad.domain.errors import InvalidConfiguration
from incident_squad.ports import Channel, Clock, Knowledge, Notifier, Secrets

if TYPE_CHECKING:
    from incident_squad.adapters.channels.email_ses import SesClient


class CatalogChannels:
    """Implements `Channels`. `topic` publishes; `ses` gives SES's client when it is needed."""

    def __init__(
        self,
        knowledge: Knowledge,
        secrets: Secrets,
        clock: Clock,
        topic: Notifier,
        ses: "Callable[[], SesClient]",
    ) -> None:
        self._knowledge, self._secrets, self._clock = knowledge, secrets, clock
        self._ses = ses
        self._made: dict[str, Channel] = {TOPIC: Topic(topic)}

    def of(self, name: str) -> Channel:
        """One channel; raises InvalidConfiguration when there is no such channel any more."""
        if name not in self._made:
            config = self._knowledge.catalog.channels.get(name)
            if config is None:
                raise InvalidConfiguration(f"the catalogue has no channel '{name}' any more")
            self._made[name] = self._make(config)
        return self._made[name]

    def _make(self, config: ChannelConfig) -> Channel:  # noqa: PLR0911 - one line a vendor
        # Imports stand inside: most stacks use one or two of these.
        from incident_squad.adapters.channels import (  # noqa: PLC0415
            email_ses,
            pagerduty,
            slack,
            statuspage,
            webhook,
        )

        match config:
            case PagerDutyChannel():
                return pagerduty.PagerDuty(config, self._secrets)
            case SlackChannel():
                return slack.Slack(config, self._secrets)
            case SlackWebhookChannel():
                return slack.SlackWebhook(config, self._secrets)
            case StatuspageChannel():
                return statuspage.Statuspage(config, self._secrets)
            case EmailChannel():
                return email_ses.Email(config, self._ses())
            case WebhookChannel():
                return webhook.Webhook(config, self._secrets, self._clock)
        return self._made[TOPIC]
