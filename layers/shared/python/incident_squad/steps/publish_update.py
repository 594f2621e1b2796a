"""PublishUpdate: put the status update of a state out, to customers and to #incidents."""

from collections.abc import Callable
from dataclasses import dataclass

from incident_squad.contracts import UpdateInput, UpdateOutput
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.update import StatusUpdate
from incident_squad.domain.values import Severity, iso
from incident_squad.policy.notification import CHANNEL
from incident_squad.ports import IncidentStore, Message, Notifier, Timeline
from incident_squad.steps.draft_update import DraftUpdate

UPDATE_PUBLISHED = "UpdatePublished"


@dataclass(frozen=True)
class PublishUpdate:
    """Audit, then publish, then tell the channel: safe to repeat at any point."""

    incidents: IncidentStore
    timeline: Timeline
    notifier: Notifier
    draft_update: DraftUpdate
    view_link: Callable[[str], str]

    def __call__(self, request: UpdateInput) -> UpdateOutput:
        """Publish the draft of this state, or write one if there is none."""
        update = self.draft_update.draft(request.incident_id, request.state)
        if not update.published:
            self._record(request.incident_id, update)
            update = update.model_copy(update={"published": True})
            self.incidents.put_update(request.incident_id, update)
        self._tell(request.incident_id, update)
        return UpdateOutput(published=True)

    def _record(self, incident_id: str, update: StatusUpdate) -> None:
        place = {"state": update.state.value, "at": iso(update.at)}
        for event in self.timeline.read(incident_id):
            if event.event == UPDATE_PUBLISHED and place.items() <= event.data.items():
                return
        due = update.next_due_at
        promise = f"; the next one is due by {due:%H:%M} UTC" if due else ""
        self.timeline.append(
            incident_id,
            Entry(
                event=UPDATE_PUBLISHED,
                summary=f"Published the update {update.state.value}{promise}",
                actor=Actor.agent("communicator"),
                data={**place, "nextDueAt": iso(due) if due else None},
                engine=update.engine,
            ),
        )

    def _tell(self, incident_id: str, update: StatusUpdate) -> None:
        incident = self.incidents.get(incident_id)
        if incident.severity is Severity.SEV4:
            return
        title = " ".join(incident.title.split())
        self.notifier.send(
            Message(
                id=f"{incident_id}:update:{update.state.value}",
                incident_id=incident_id,
                kind="update",
                recipients=(CHANNEL,),
                subject=f"[{update.state.value}] {incident_id}: {title}"[:200],
                body=update.internal[:20_000],
                link=self.view_link(incident_id),
            )
        )
