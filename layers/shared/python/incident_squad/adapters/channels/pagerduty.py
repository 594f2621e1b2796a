"""PagerDuty: one alert an incident, and the loop closed with incidents that it sent itself."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from incident_squad.adapters.channels.http import Vendor
from incident_squad.domain.channels import PagerDutyChannel
from incident_squad.domain.delivery import Delivery, Message
from incident_squad.domain.errors import ChannelDown
from incident_squad.ports import Secrets

_LONGEST_SUMMARY = 1024
_LONGEST_NOTE = 2000
_SEVERITY = {"SEV1": "critical", "SEV2": "error", "SEV3": "warning", "SEV4": "info"}
_OK = 200


class PagerDuty:
    """Implements `Channel`. Repeating an event of the Events API changes nothing: one dedup key."""

    knows = True

    def __init__(self, config: PagerDutyChannel, secrets: Secrets) -> None:
        self._config, self._secrets = config, secrets
        self._vendor = Vendor("PagerDuty", seconds=config.timeout_seconds)

    def deliver(self, waiting: Delivery, memory: Mapping[str, str]) -> Mapping[str, str]:
        """Trigger, acknowledge or resolve."""
        message = waiting.message
        action = _action(message)
        theirs = message.details.get("sourceIncident", "")
        if action is None:
            return memory
        if theirs and self._config.api_token and self._config.from_email:
            self._answer(theirs, action, message)
        elif action == "trigger" or memory.get("triggered"):
            self._event(action, message)
            return {"triggered": "yes"}
        return memory

    def _event(self, action: str, message: Message) -> None:
        event: dict[str, Any] = {
            "routing_key": self._secrets.get(self._config.routing_key).strip(),
            "event_action": action,
            "dedup_key": message.incident_id,
        }
        if action == "trigger":
            details = message.details
            event["client"] = "Incident Squad"
            event["payload"] = {
                "summary": message.subject[:_LONGEST_SUMMARY],
                "source": details.get("service") or "incident-squad",
                "severity": _SEVERITY.get(details.get("severity", ""), "critical"),
                "component": details.get("service", ""),
                "class": details.get("type", ""),
                "custom_details": {"card": message.body[:4000], "incident": message.incident_id},
            }
            event["links"] = [{"href": message.link, "text": "Incident"}] if message.link else []
        self._vendor.send_json("POST", f"{self._config.base_url}/v2/enqueue", {}, event)

    def _answer(self, theirs: str, action: str, message: Message) -> None:
        """Say on the incident that PagerDuty sent us what we do; acknowledge and resolve it."""
        base = f"{self._config.api_url}/incidents/{quote(theirs, safe='')}"
        headers = self._headers()
        note = "\n".join(part for part in (message.body, message.link) if part)[:_LONGEST_NOTE]
        if not self._noted(base, note, headers):
            self._vendor.send_json("POST", f"{base}/notes", headers, {"note": {"content": note}})
        if action != "trigger":
            status = {"acknowledge": "acknowledged", "resolve": "resolved"}[action]
            change = {"incident": {"type": "incident_reference", "status": status}}
            self._vendor.send_json("PUT", base, headers, change)

    def _noted(self, base: str, note: str, headers: Mapping[str, str]) -> bool:
        """Whether an earlier attempt got through: notes have no key of their own."""
        reply = self._vendor.call("GET", f"{base}/notes", headers)
        if reply.status != _OK:
            reply = self._vendor.accepted(reply)
        if not isinstance(reply.content, dict):
            raise ChannelDown("PagerDuty did not answer with JSON")
        return any(known.get("content") == note for known in reply.content.get("notes", []))

    def _headers(self) -> dict[str, str]:
        token = self._secrets.get(self._config.api_token or "").strip()
        return {
            "Authorization": f"Token token={token}",
            "Accept": "application/vnd.pagerduty+json;version=2",
            "From": self._config.from_email or "",
        }


def _action(message: Message) -> str | None:
    if message.kind == "acknowledged":
        return "acknowledge"
    if message.kind == "update":
        return "resolve" if message.details.get("state") == "Resolved" else None
    return "trigger"
