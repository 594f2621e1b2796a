"""Atlassian Statuspage: one incident there for each of ours, with its components."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from incident_squad.adapters.channels.http import Vendor
from incident_squad.domain.channels import StatuspageChannel
from incident_squad.domain.delivery import Delivery, Message
from incident_squad.domain.errors import ChannelDown
from incident_squad.ports import Secrets

_IMPACT = {"SEV1": "critical", "SEV2": "major", "SEV3": "minor"}
_COMPONENT = {"SEV1": "major_outage", "SEV2": "partial_outage", "SEV3": "degraded_performance"}
_OURS = "incident_squad"


class Statuspage:
    """Implements `Channel`. It says `external`, which has passed the leak gate, and nothing else.

    After a doubtful attempt the page is asked first: our incidents carry their id as metadata,
    and an update is known by its text.
    """

    knows = True

    def __init__(self, config: StatuspageChannel, secrets: Secrets) -> None:
        self._config, self._secrets = config, secrets
        self._vendor = Vendor("Statuspage", seconds=config.timeout_seconds)

    def deliver(self, waiting: Delivery, memory: Mapping[str, str]) -> Mapping[str, str]:
        """Create the incident, or add an update to it."""
        message = waiting.message
        known = memory.get("incident") or self._found(waiting)
        if known is None:
            created = self._call("POST", "incidents", {"incident": self._creation(message)})
            return {"incident": str(created["id"])}
        if not (waiting.doubtful and self._says(known, message)):
            path = f"incidents/{quote(known, safe='')}"
            self._call("PATCH", path, {"incident": self._update(message)})
        return {"incident": known}

    def _creation(self, message: Message) -> dict[str, Any]:
        severity = message.details.get("severity", "")
        return {
            **self._update(message),
            "name": message.details.get("publicName") or "Incident",
            "impact_override": _IMPACT.get(severity, "minor"),
            "metadata": {_OURS: {"id": message.incident_id}},
        }

    def _update(self, message: Message) -> dict[str, Any]:
        details = message.details
        update: dict[str, Any] = {
            "status": details.get("state", "Investigating").lower(),
            "body": details["external"],
            "deliver_notifications": True,
        }
        component = self._config.components.get(details.get("service", ""))
        if component:
            worst = _COMPONENT.get(details.get("severity", ""), "degraded_performance")
            over = details.get("state") == "Resolved"
            update["component_ids"] = [component]
            update["components"] = {component: "operational" if over else worst}
        return update

    def _found(self, waiting: Delivery) -> str | None:
        """The incident that a doubtful attempt may have created."""
        if not waiting.doubtful:
            return None
        for incident in self._get("incidents?limit=100"):
            ours = (incident.get("metadata") or {}).get(_OURS, {})
            if ours.get("id") == waiting.message.incident_id:
                return str(incident["id"])
        return None

    def _says(self, incident: str, message: Message) -> bool:
        found = self._get(f"incidents/{quote(incident, safe='')}")
        updates = found.get("incident_updates", [])
        wanted = message.details["external"].split()
        # They may keep a text with other line ends than it was sent with.
        return any(str(update.get("body") or "").split() == wanted for update in updates)

    def _call(self, method: str, path: str, content: object) -> dict[str, Any]:
        reply = self._vendor.send_json(method, self._address(path), self._headers(), content)
        if not isinstance(reply.content, dict) or "id" not in reply.content:
            raise ChannelDown("Statuspage did not answer with an incident", doubtful=True)
        return reply.content

    def _get(self, path: str) -> Any:  # noqa: ANN401 - an incident, or a list of them
        reply = self._vendor.call("GET", self._address(path), self._headers())
        content = self._vendor.accepted(reply).content
        if not isinstance(content, dict | list):
            raise ChannelDown("Statuspage did not answer with JSON")
        return content

    def _address(self, path: str) -> str:
        return f"{self._config.base_url}/pages/{self._config.page}/{path}"

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"OAuth {self._secrets.get(self._config.api_key).strip()}"}
