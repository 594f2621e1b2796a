"""Everything that tells people, over stores in memory that can be watched at every step."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar, cast

from incident_squad.contracts import HandOverInput, IncidentInput, UpdateInput
from incident_squad.domain.delivery import Message
from incident_squad.domain.incident import IncidentStatus
from incident_squad.domain.update import StatusUpdate, UpdateState
from incident_squad.domain.values import Severity
from incident_squad.ports import Knowledge
from incident_squad.steps.acknowledge import Acknowledge
from incident_squad.steps.ask_public import AskPublic
from incident_squad.steps.decide_public import DecidePublic
from incident_squad.steps.draft_update import DraftUpdate
from incident_squad.steps.hand_over import HandOver
from incident_squad.steps.keep_promises import KeepPromises
from incident_squad.steps.notify_on_call import NotifyOnCall
from incident_squad.steps.post_message import PostMessage
from incident_squad.steps.public_text_api import PublicTextApi
from incident_squad.steps.public_texts import PublicTexts
from incident_squad.steps.publish_update import PublishUpdate
from incident_squad.steps.read_incidents import ReadIncidents
from incident_squad.steps.read_record import ReadRecord
from incident_squad.steps.refusals import Refusals
from tests.builders import (
    INCIDENT_ID,
    NOW,
    a_catalog,
    a_runbook,
    a_triage,
    an_alert,
    an_incident,
)
from tests.fakes import (
    FixedClock,
    MemoryApprovals,
    MemoryIncidents,
    MemoryKnowledge,
    MemoryOutbox,
    MemorySigner,
    MemoryTimeline,
)

CHANNELS: dict[str, Any] = {
    "status": {"kind": "statuspage", "api_key": "channels/statuspage", "page": "page1"},
    "slack": {"kind": "slack_webhook", "url": "channels/slack"},
    "hook": {"kind": "webhook", "url": "https://hook.example.com/x", "secret": "channels/hook"},
}
HELD = {"approve_public_texts": ["SEV1"]}
S = TypeVar("S")


class Watched:
    """A store that calls `step` before each of its calls."""

    def __init__(self, store: object, step: Callable[[], None]) -> None:
        self._store, self._step = store, step

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if not callable(found):
            return found

        def call(*args: Any, **named: Any) -> Any:
            self._step()
            return found(*args, **named)

        return call


def watched(store: S, step: Callable[[], None] | None) -> S:
    """The store itself, or one that tells of each step."""
    return cast("S", Watched(store, step)) if step else store


@dataclass
class Voice:
    """One incident and all who tell of it. `step` is called before each store's call."""

    severity: Severity = Severity.SEV1
    policies: dict[str, Any] = field(default_factory=dict)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    stores: "Voice | None" = None
    step: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        self._store()
        incidents, timeline = watched(self.incidents, self.step), watched(self.timeline, self.step)
        outbox, requests = watched(self.outbox, self.step), watched(self.requests, self.step)
        notifier = PostMessage(outbox, self.knowledge, lambda: None)
        self.signer = MemorySigner(b"a key")
        self.texts = PublicTexts(incidents, requests, timeline, notifier, self.clock)
        approvals = MemoryApprovals(self.clock)
        record = ReadRecord(incidents, approvals, timeline, requests)
        self.publish = PublishUpdate(
            incidents,
            timeline,
            notifier,
            DraftUpdate(incidents, timeline, self.knowledge, self.clock, record),
            _page,
            AskPublic(self.texts, self.knowledge, self.signer, lambda: "https://squad.example.com"),
        )
        self.keep = KeepPromises(
            incidents=incidents,
            timeline=timeline,
            notifier=notifier,
            knowledge=self.knowledge,
            clock=self.clock,
            publish=self.publish,
            view_link=_page,
            texts=self.texts,
        )
        self.notify = NotifyOnCall(
            incidents=incidents,
            timeline=timeline,
            notifier=notifier,
            knowledge=self.knowledge,
            clock=self.clock,
            view_link=_page,
        )
        self.hand_over = HandOver(
            incidents=incidents,
            approvals=approvals,
            timeline=timeline,
            notifier=notifier,
            knowledge=self.knowledge,
            clock=self.clock,
        )
        self.acknowledge = Acknowledge(incidents, timeline, notifier)
        self.decide = DecidePublic(self.texts, self.signer, Refusals(incidents, timeline))
        self.api = PublicTextApi(self.decide, self.clock)
        self.read = ReadIncidents(incidents, timeline, self.knowledge, self.clock, requests)

    def _store(self) -> None:
        """Stores of its own with an incident in them, or those of another process."""
        if self.stores is not None:
            other = self.stores
            self.clock = other.clock
            self.incidents: MemoryIncidents = other.incidents
            self.timeline: MemoryTimeline = other.timeline
            self.outbox: MemoryOutbox = other.outbox
            self.requests: MemoryApprovals = other.requests
            self.knowledge: Knowledge = other.knowledge
            return
        self.incidents = MemoryIncidents(self.clock)
        self.timeline = MemoryTimeline(self.incidents, self.clock)
        self.outbox = MemoryOutbox(self.clock)
        self.requests = MemoryApprovals(self.clock)
        catalog = a_catalog(policies=self.policies, channels=CHANNELS)
        self.knowledge = MemoryKnowledge(catalog, {"pool": a_runbook()})
        self.open(INCIDENT_ID)

    def open(self, incident_id: str) -> None:
        """One more incident, triaged."""
        now = self.clock.now()
        incident = an_incident(
            id=incident_id, opened_at=now, updated_at=now,
            triage=a_triage(severity=self.severity), severity=self.severity,
            status=IncidentStatus.DIAGNOSING,
        )  # fmt: skip
        alert = an_alert(key=incident_id, received_at=now)
        self.incidents.open(incident, alert, now + timedelta(days=1))

    def page(self) -> None:
        """Wake those on call."""
        self.notify(IncidentInput(incident_id=INCIDENT_ID))

    def give_up(self) -> None:
        """Hand the incident over."""
        self.hand_over(HandOverInput(incident_id=INCIDENT_ID, reason="stuck"))

    def say(self, state: UpdateState, incident_id: str = INCIDENT_ID) -> None:
        """Publish the update of a state."""
        self.publish(UpdateInput(incident_id=incident_id, state=state))

    def tick(self, minutes: int) -> None:
        """Let the schedule run every minute."""
        for _ in range(minutes):
            self.clock.moment += timedelta(minutes=1)
            self.keep({})

    def through(self, channel: str = "topic", incident_id: str = INCIDENT_ID) -> list[Message]:
        """The messages of a channel, in their order."""
        found = self.outbox.of_incident(incident_id)
        return [delivery.message for delivery in found if delivery.channel == channel]

    def links(self) -> list[str]:
        """The links about public texts that were sent so far."""
        asked = [message for message in self.through() if message.kind == "approval"]
        return [str(message.link).rpartition("/")[2] for message in asked]

    def shown(self) -> list[StatusUpdate]:
        """What customers read on our own page, the newest first."""
        return [u for incident in self.read.public_status().incidents for u in incident.updates]

    def on_status_page(self) -> list[str]:
        """What the vendor's page is given, in its order."""
        return [message.details["external"] for message in self.through("status")]

    def events(self, incident_id: str = INCIDENT_ID) -> list[str]:
        """The names of the timeline's events."""
        return [event.event for event in self.timeline.read(incident_id)]


def _page(incident_id: str, person: str = "") -> str:
    return f"/{incident_id}?view={person}"
