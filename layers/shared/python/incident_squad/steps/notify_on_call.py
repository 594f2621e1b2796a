"""NotifyOnCall: tell the people whom the severity asks for, before any model has answered."""

from collections.abc import Callable
from dataclasses import dataclass

from incident_squad.contracts import IncidentInput, NotifyOnCallOutput
from incident_squad.domain.errors import PolicyViolation
from incident_squad.domain.incident import Incident
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.triage import Triage
from incident_squad.policy.notification import Audience, audience, pager_card
from incident_squad.ports import Clock, IncidentStore, Knowledge, Message, Notifier, Timeline
from incident_squad.steps.message_facts import details_of

ONCALL_NOTIFIED = "OnCallNotified"


@dataclass(frozen=True)
class NotifyOnCall:
    """Page or inform, once: a repeated message has the same id. `view_link` gives the page."""

    incidents: IncidentStore
    timeline: Timeline
    notifier: Notifier
    knowledge: Knowledge
    clock: Clock
    view_link: Callable[[str], str]

    def __call__(self, request: IncidentInput) -> NotifyOnCallOutput:
        """Send the pager card; the intent is on the timeline before anybody is woken."""
        incident = self.incidents.get(request.incident_id)
        if incident.triage is None:
            raise PolicyViolation("nobody is told before triage has said how bad it is")
        told = audience(incident.triage, self.knowledge.catalog)
        self._record(incident, incident.triage, told)
        if told.recipients:
            self.notifier.send(self._card(incident, incident.triage, told))
        return NotifyOnCallOutput(recipients=told.recipients)

    def _record(self, incident: Incident, triage: Triage, told: Audience) -> None:
        events = self.timeline.read(incident.id)
        if any(event.event == ONCALL_NOTIFIED for event in events):
            return
        who = ", ".join(told.recipients)
        verb = "Paged" if told.page else "Informed"
        self.timeline.append(
            incident.id,
            Entry(
                event=ONCALL_NOTIFIED,
                summary=f"{verb} {who}" if who else f"Nobody is told of a {triage.severity.value}",
                actor=Actor.agent("communicator"),
                data={"recipients": list(told.recipients)},
            ),
        )

    def _card(self, incident: Incident, triage: Triage, told: Audience) -> Message:
        alerts = self.incidents.alerts(incident.id, limit=1)
        service = triage.service or "unknown service"
        return Message(
            id=f"{incident.id}:page",
            incident_id=incident.id,
            kind="page" if told.page else "notice",
            recipients=told.recipients,
            subject=f"[{triage.severity.value}] {service}: {' '.join(incident.title.split())}"[
                :200
            ],
            body=pager_card(incident, alerts[0] if alerts else None, triage, self.clock.now()),
            urgent=bool(told.page),
            link=self.view_link(incident.id),
            details=details_of(incident, alerts[0] if alerts else None),
        )
