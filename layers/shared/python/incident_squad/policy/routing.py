"""Which channels take a message, and when one that failed is tried again."""

from collections.abc import Collection
from datetime import datetime, timedelta

from incident_squad.domain.catalog import Catalog
from incident_squad.domain.channels import (
    ChannelConfig,
    EmailChannel,
    SlackChannel,
    StatuspageChannel,
    TopicChannel,
)
from incident_squad.domain.delivery import TOPIC, Message

KEPT_TRYING = timedelta(days=3)
"""How long a channel may be dead before a message to it is given up."""

_TWICE_RATHER_THAN_NEVER = frozenset({"page", "approval", "handover", "escalation", "call"})
"""Kinds that somebody must act on."""

_FIRST, _LONGEST = 1.0, 300.0
_LONGEST_ASKED = 900.0
_NOT_BY_TOPIC = frozenset({"acknowledged", "summary", "call"})
"""Kinds that tell machines what people did, that only executives wait for, or one person."""

PERSONAL = frozenset({"approval", "call"})
"""Kinds whose link speaks in the name of their only reader: no machine and no room gets them."""


def channels_for(message: Message, catalog: Catalog) -> tuple[str, ...]:
    """The names of the channels that take a message; the topic takes what nobody else does."""
    taking = [name for name, channel in catalog.channels.items() if _takes(channel, message)]
    topic = catalog.channels.get(TOPIC)
    everything = not isinstance(topic, TopicChannel) or topic.takes == "everything"
    if message.kind not in _NOT_BY_TOPIC and (everything or not taking):
        taking.append(TOPIC)
    return tuple(taking)


def repeated_in_doubt(message: Message) -> bool:
    """Whether a message that may have arrived is sent again where nobody can find out.

    What somebody must act on comes twice rather than never, news once rather than twice.
    """
    return message.kind in _TWICE_RATHER_THAN_NEVER


def next_try(failures: int, retry_after: float | None, now: datetime, chance: float) -> datetime:
    """When to try again after so many failures in a row.

    Doubles from one second to five minutes, with jitter (`chance` is 0 to 1); never before what
    the channel asked for, up to a quarter of an hour.
    """
    longest = min(_LONGEST, _FIRST * 2 ** min(failures - 1, 20))
    seconds = longest * (0.5 + chance / 2)
    if retry_after is not None:
        seconds = max(seconds, min(retry_after, _LONGEST_ASKED))
    return now + timedelta(seconds=seconds)


def _wants(kinds: Collection[str], kind: str, *, public: bool) -> bool:
    # An approved text is an update that waited: whoever shows updates to customers shows it.
    return kind in kinds or (public and kind == "public" and "update" in kinds)


def _takes(channel: ChannelConfig, message: Message) -> bool:
    public = isinstance(channel, StatuspageChannel)
    if isinstance(channel, TopicChannel) or not _wants(channel.kinds, message.kind, public=public):
        return False
    people = any("@" in recipient for recipient in message.recipients)
    if message.kind in PERSONAL:
        return people and isinstance(channel, EmailChannel | SlackChannel)
    if public:
        return bool(message.details.get("external"))
    return people or not isinstance(channel, EmailChannel)
