"""An outgoing webhook, signed as https://www.standardwebhooks.com describes."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping

from incident_squad.adapters.channels.http import Vendor
from incident_squad.domain.channels import WebhookChannel
from incident_squad.domain.delivery import Delivery, Message
from incident_squad.domain.errors import InvalidConfiguration
from incident_squad.domain.values import iso
from incident_squad.ports import Clock, Secrets

_PREFIX = "whsec_"


class Webhook:
    """Implements `Channel`. `webhook-id` is the same when a message is sent again."""

    knows = True

    def __init__(self, config: WebhookChannel, secrets: Secrets, clock: Clock) -> None:
        self._config, self._secrets, self._clock = config, secrets, clock
        self._vendor = Vendor("the webhook", seconds=config.timeout_seconds)

    def deliver(self, waiting: Delivery, memory: Mapping[str, str]) -> Mapping[str, str]:
        """Post the message as JSON; any 2xx counts."""
        message = waiting.message
        content = {
            "type": f"incident.{message.kind}",
            "timestamp": iso(waiting.created_at),
            "data": message.model_dump(mode="json"),
        }
        body = json.dumps(content, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", **self._signed(message, body)}
        self._vendor.accepted(self._vendor.call("POST", self._config.url, headers, body))
        return memory

    def _signed(self, message: Message, body: bytes) -> dict[str, str]:
        own = f"{message.incident_id}\n{message.id}".encode()
        name = f"msg_{hashlib.sha256(own).hexdigest()[:32]}"
        at = str(int(self._clock.now().timestamp()))
        mac = hmac.new(self._key(), f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
        signature = f"v1,{base64.b64encode(mac).decode()}"
        return {"webhook-id": name, "webhook-timestamp": at, "webhook-signature": signature}

    def _key(self) -> bytes:
        text = self._secrets.get(self._config.secret).strip()
        try:
            return base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            name = self._config.secret
            raise InvalidConfiguration(
                f"the secret '{name}' must be whsec_ and base64, as Standard Webhooks says"
            ) from None
