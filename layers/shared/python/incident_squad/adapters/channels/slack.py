"""Slack: one thread an incident, its head edited in place; approvers get their link in private."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from incident_squad.adapters.channels.http import Vendor
from incident_squad.adapters.channels.slack_blocks import blocks_of, fallback
from incident_squad.domain.channels import SlackChannel, SlackWebhookChannel
from incident_squad.domain.delivery import Delivery, Message
from incident_squad.domain.errors import ChannelDown, MessageRefused
from incident_squad.policy.routing import PERSONAL
from incident_squad.ports import Secrets

_FOR_GOOD = frozenset(
    {
        "msg_too_long",
        "msg_blocks_too_long",
        "invalid_blocks",
        "invalid_blocks_format",
        "no_text",
        "invalid_arguments",
        "users_not_found",
        "message_not_found",
        "cant_update_message",
    }
)
_EDITS = frozenset({"page", "notice", "update"})
_MOST_PAGES = 30
_METADATA = "incident_squad_message"


class Slack:
    """Implements `Channel` with a bot token.

    Posting has no idempotency key: after a doubtful attempt the thread is searched for the
    message's id, which each message carries as metadata.
    """

    knows = True

    def __init__(self, config: SlackChannel, secrets: Secrets) -> None:
        self._config, self._secrets = config, secrets
        self._vendor = Vendor("Slack", seconds=config.timeout_seconds)

    def deliver(self, waiting: Delivery, memory: Mapping[str, str]) -> Mapping[str, str]:
        """Post into the incident's thread, and bring its head up to date."""
        message = waiting.message
        if message.kind in PERSONAL:
            self._tell_in_private(waiting)
            return memory
        head = memory.get("ts")
        if head is None:
            return {"ts": self._post_once(waiting, self._config.channel, None)}
        self._post_once(waiting, self._config.channel, head)
        if message.kind in _EDITS:
            self._api("chat.update", {**_content(message), "channel": self._config.channel,
                                      "ts": head})  # fmt: skip
        return memory

    def _tell_in_private(self, waiting: Delivery) -> None:
        # The link speaks in its reader's name: it never stands in a channel.
        for recipient in waiting.message.recipients:
            if "@" not in recipient:
                continue
            user = self._ask("users.lookupByEmail", {"email": recipient})["user"]["id"]
            room = self._api("conversations.open", {"users": user})["channel"]["id"]
            self._post_once(waiting, room, None)

    def _post_once(self, waiting: Delivery, room: str, thread: str | None) -> str:
        found = self._find(waiting, room, thread) if waiting.doubtful else None
        if found is not None:
            return found
        message = waiting.message
        sent = {
            **_content(message),
            "channel": room,
            "metadata": {"event_type": _METADATA, "event_payload": {"id": message.id}},
            "unfurl_links": False,
            **({"thread_ts": thread} if thread else {}),
            **({"reply_broadcast": True} if thread and message.urgent else {}),
        }
        return str(self._api("chat.postMessage", sent)["ts"])

    def _find(self, waiting: Delivery, room: str, thread: str | None) -> str | None:
        """The message that a doubtful attempt may have left, by its id."""
        method = "conversations.replies" if thread else "conversations.history"
        query = {"channel": room, "include_all_metadata": "true", "limit": "100"}
        query |= {"oldest": str(int(waiting.created_at.timestamp()) - 60)}
        query |= {"ts": thread} if thread else {}
        for posted in self._pages(method, query):
            payload = posted.get("metadata", {}).get("event_payload", {})
            if payload.get("id") == waiting.message.id:
                return str(posted["ts"])
        return None

    def _pages(self, method: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """All messages since then, however busy the room is; raises ChannelDown at too many."""
        cursor: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            answer = self._ask(method, {**query, **cursor})
            yield from answer.get("messages", [])
            following = (answer.get("response_metadata") or {}).get("next_cursor")
            if not following:
                return
            cursor = {"cursor": str(following)}
        raise ChannelDown("Slack has too many messages to look through")

    def _api(self, method: str, content: Mapping[str, object]) -> dict[str, Any]:
        address = f"{self._config.base_url}/{method}"
        reply = self._vendor.send_json("POST", address, self._headers(), content)
        return _checked(method, reply.content)

    def _ask(self, method: str, query: Mapping[str, str]) -> dict[str, Any]:
        address = f"{self._config.base_url}/{method}?{urlencode(query)}"
        reply = self._vendor.accepted(self._vendor.call("GET", address, self._headers()))
        return _checked(method, reply.content)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._secrets.get(self._config.token).strip()}"}


class SlackWebhook:
    """Implements `Channel` with an incoming webhook: it can only add, and shows nothing."""

    knows = False

    def __init__(self, config: SlackWebhookChannel, secrets: Secrets) -> None:
        self._config, self._secrets = config, secrets
        self._vendor = Vendor("Slack", seconds=config.timeout_seconds)

    def deliver(self, waiting: Delivery, memory: Mapping[str, str]) -> Mapping[str, str]:
        """Post into the webhook's channel."""
        address = self._secrets.get(self._config.url).strip()
        self._vendor.send_json("POST", address, {}, _content(waiting.message))
        return memory


def _content(message: Message) -> dict[str, object]:
    return {"text": fallback(message), "blocks": blocks_of(message)}


def _checked(method: str, answer: object) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise ChannelDown("Slack did not answer with JSON", doubtful=True)
    if answer.get("ok"):
        return answer
    error = str(answer.get("error", "unknown"))
    why = f"Slack refused {method}: {error}"
    if error in _FOR_GOOD:
        raise MessageRefused(why)
    raise ChannelDown(why, doubtful=error in {"internal_error", "fatal_error"})
