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
from incident_squad.steps.message_facts import calls, details_of

ONCALL_NOTIFIED = "OnCallNotified"


@dataclass(frozen=True)
class NotifyOnCall:
    """Page or inform, once: a repeated message has the same id. `view_link` gives the page."""

    incidents: IncidentStore
    timeline: Timeline
    notifier: Notifier
    knowledge: Knowledge
    clock: Clock
    view_link: Callable[..., str]

    def __call__(self, request: IncidentInput) -> NotifyOnCallOutput:
        """Send the pager card; the intent is on the timeline before anybody is woken."""
        incident = self.incidents.get(request.incident_id)
        if incident.triage is None:
            raise PolicyViolation("nobody is told before triage has said how bad it is")
        return NotifyOnCallOutput(recipients=self._tell(incident, incident.triage))

    def ahead(self, incident: Incident, triage: Triage) -> None:
        """Page by what the floor knows, before a model is asked."""
        self._tell(incident, triage)

    def _tell(self, incident: Incident, triage: Triage) -> tuple[str, ...]:
        """Tell those who were not told yet; otherwise send the last message again, which is one."""
        told = audience(triage, self.knowledge.catalog)
        before = [e for e in self.timeline.read(incident.id) if e.event == ONCALL_NOTIFIED]
        known = {name for event in before for name in event.data["recipients"]}
        fresh = tuple(name for name in told.recipients if name not in known)
        if fresh or not before:
            message = f"{incident.id}:page" + (f":{triage.severity.value}" if before else "")
            self._record(incident, triage, told, fresh, message)
        else:
            message = str(before[-1].data.get("message", f"{incident.id}:page"))
            fresh = tuple(before[-1].data["recipients"])
        if fresh:
            page = self._card(incident, triage, fresh, message)
            self.notifier.send(page)
            for call in calls(page, self.view_link):
                self.notifier.send(call)
        return told.recipients

    def _record(
        self,
        incident: Incident,
        triage: Triage,
        told: Audience,
        fresh: tuple[str, ...],
        message: str,
    ) -> None:
        who = ", ".join(fresh)
        verb = "Paged" if told.page else "Informed"
        self.timeline.append(
            incident.id,
            Entry(
                event=ONCALL_NOTIFIED,
                summary=f"{verb} {who}" if who else f"Nobody is told of a {triage.severity.value}",
                actor=Actor.agent("communicator"),
                data={"recipients": list(fresh), "message": message},
            ),
        )

    def _card(
        self, incident: Incident, triage: Triage, recipients: tuple[str, ...], message: str
    ) -> Message:
        pages = any("@" in recipient for recipient in recipients)
        alerts = self.incidents.alerts(incident.id, limit=1)
        service = triage.service or "unknown service"
        return Message(
            id=message,
            incident_id=incident.id,
            kind="page" if pages else "notice",
            recipients=recipients,
            subject=f"[{triage.severity.value}] {service}: {' '.join(incident.title.split())}"[
                :200
            ],
            body=pager_card(
                incident,
                alerts[0] if alerts else None,
                triage,
                self.clock.now(),
                self.knowledge.catalog.policies.language_of("colleagues"),
            ),
            urgent=pages,
            link=self.view_link(incident.id),
            details=details_of(incident, alerts[0] if alerts else None)
            | {"severity": triage.severity.value, "type": triage.type.value},
        )
