"""The product from outside: a running stack, its API, its links, and what people are sent."""

import json
import re
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from incident_squad.ports import Message
from infra.client import SquadClient
from infra.local.practice import IDLE_SECONDS, Practice
from infra.local.stack import LocalStack
from tests.stack.http import Answer, call

EVENTS = Path(__file__).resolve().parents[2] / "events"
ENDED = frozenset({"resolved", "handed_over"})
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

Found = TypeVar("Found")


def wait_for(look: Callable[[], Found | None], seconds: float = 60) -> Found:
    """What the look finds, as soon as it finds something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    message = f"nothing came within {seconds} s"
    raise AssertionError(message)


class Site:
    """One running squad with practice targets."""

    def __init__(self, stack: LocalStack, practice: Practice) -> None:
        self.stack = stack
        self.practice = practice
        self.client = SquadClient(url=stack.url, token=stack.token)

    def break_the_pool(self) -> None:
        """All connections are held by sessions that have been stuck for long enough."""
        self.practice.database.use_up()
        time.sleep(IDLE_SECONDS + 0.5)

    def alert(self, name: str = "pool-01", **labels: str) -> str:
        """Send a captured Alertmanager body as a new alert; gives the incident."""
        payload = json.loads(next((EVENTS / "alertmanager").glob(f"{name}-*.json")).read_text())
        for alert in payload["alerts"]:
            alert["fingerprint"] = uuid.uuid4().hex[:16]
            alert["startsAt"] = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
            alert["labels"] |= labels
        answer = self.client.post_alert("alertmanager", payload, self.stack.secrets["alertmanager"])
        assert answer["outcomes"][0]["outcome"] == "opened", answer
        self.payload = payload
        return str(answer["incidentId"])

    def resolve(self) -> None:
        """Alertmanager says that the last alert is over."""
        self.payload["status"] = "resolved"
        for alert in self.payload["alerts"]:
            alert["status"] = "resolved"
            alert["endsAt"] = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        self.client.post_alert("alertmanager", self.payload, self.stack.secrets["alertmanager"])

    def incident(self, incident_id: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.client.incident(incident_id)
        return found

    def until(self, incident_id: str, *statuses: str, seconds: float = 60) -> str:
        """Wait for one of these statuses."""
        wanted = statuses or tuple(ENDED)

        def look() -> str | None:
            status = str(self.incident(incident_id)["status"])
            return status if status in wanted else None

        return wait_for(look, seconds)

    def report(self, incident_id: str) -> Any:
        return self.client.incident(incident_id, "report")

    def events(self, incident_id: str) -> list[str]:
        timeline = self.client.incident(incident_id, "timeline")
        assert timeline["sound"], timeline["problems"]
        return [str(event["event"]) for event in timeline["events"]]

    def message(self, incident_id: str, kind: str) -> Message:
        """The first message of a kind about an incident.

        Who was killed while telling holds the turn for a minute; the schedule comes each minute.
        """
        found = self.stack.inbox.wait_for(
            lambda m: m.incident_id == incident_id and m.kind == kind, 180
        )
        assert found is not None, f"no {kind} message about {incident_id}"
        return found

    def link(self, incident_id: str) -> str:
        """The address that the first approver was sent."""
        return str(self.message(incident_id, "approval").link)

    def look(self, link: str) -> Answer:
        return call(self._here(link), headers={"Accept": "text/html"})

    def decide(self, link: str, decision: str) -> Answer:
        body = f"decision={decision}&comment=".encode()
        return call(self._here(link), method="POST", body=body, headers=FORM)

    def _here(self, link: str) -> str:
        return self.stack.url + re.sub(r"^https?://[^/]+", "", link)

    def let_go(self, incident_id: str) -> None:
        """End an incident that a test left to a human, so that the next alert opens its own."""
        self.resolve()
        self.stack.sweep()
        self.until(incident_id, "resolved")
