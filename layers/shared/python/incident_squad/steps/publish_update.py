"""PublishUpdate: put the status update of a state out, to customers and to #incidents."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from incident_squad.contracts import UpdateInput, UpdateOutput
from incident_squad.domain.errors import PolicyViolation
from incident_squad.domain.incident import Incident
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.update import StatusUpdate, UpdateKind, UpdateState
from incident_squad.domain.values import Severity, iso
from incident_squad.policy.notification import CHANNEL, concerns_customers
from incident_squad.ports import IncidentStore, Message, Notifier, Timeline
from incident_squad.steps.draft_update import DraftUpdate
from incident_squad.steps.message_facts import details_of, update_details

UPDATE_PUBLISHED = "UpdatePublished"
_NAMES = {
    UpdateKind.STATE: "update",
    UpdateKind.PROGRESS: "promised update",
    UpdateKind.CORRECTION: "correction of",
}
_MARKS = {UpdateKind.STATE: "", UpdateKind.PROGRESS: "", UpdateKind.CORRECTION: "Correction: "}


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
        self._publish(request.incident_id, update, Actor.agent("communicator"))
        return UpdateOutput(published=True)

    def progress(self, incident_id: str, last: StatusUpdate) -> StatusUpdate:
        """Keep the promise that `last` made: an update in the same state."""
        update = self.draft_update.progress(incident_id, last)
        return self._publish(incident_id, update, Actor.agent("communicator"))

    def repeat(self, incident_id: str, update: StatusUpdate) -> None:
        """Tell of a published update again: whoever was told already is not told twice."""
        self._tell(incident_id, update)

    def correct(self, incident_id: str, text: str, by: Actor) -> StatusUpdate:
        """Publish a human's correction.

        Raises UnknownIncident, and PolicyViolation when it leaks or there is nothing to correct.
        """
        last = latest(self.incidents.updates(self.incidents.get(incident_id).id))
        if last is None:
            raise PolicyViolation("nothing has been published that could be corrected")
        update = self.draft_update.correction(incident_id, last, text)
        return self._publish(incident_id, update, by)

    def _publish(self, incident_id: str, update: StatusUpdate, by: Actor) -> StatusUpdate:
        if not update.published:
            self._record(incident_id, update, by)
            update = update.model_copy(update={"published": True})
            self.incidents.put_update(incident_id, update)
        self._tell(incident_id, update)
        return update

    def _record(self, incident_id: str, update: StatusUpdate, by: Actor) -> None:
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
                summary=f"Published the {_NAMES[update.kind]} {update.state.value}{promise}",
                actor=by,
                data={
                    **place,
                    "kind": update.kind.value,
                    "nextDueAt": iso(due) if due else None,
                },
                engine=update.engine,
            ),
        )

    def _tell(self, incident_id: str, update: StatusUpdate) -> None:
        incident = self.incidents.get(incident_id)
        if incident.severity is Severity.SEV4:
            return
        self.notifier.send(self._message(incident, update))
        if update.state is UpdateState.RESOLVED and update.kind is UpdateKind.STATE:
            self._tell_executives(incident)

    def _message(self, incident: Incident, update: StatusUpdate) -> Message:
        catalog = self.draft_update.knowledge.catalog
        alerts = self.incidents.alerts(incident.id)
        again = "" if update.kind is UpdateKind.STATE else f":{iso(update.at)}"
        correction = update.kind is UpdateKind.CORRECTION
        title = " ".join(incident.title.split())
        return Message(
            id=f"{incident.id}:update:{update.state.value}{again}",
            incident_id=incident.id,
            kind="correction" if correction else "update",
            recipients=(CHANNEL,),
            subject=f"{_MARKS[update.kind]}[{update.state.value}] {incident.id}: {title}"[:200],
            body=update.internal[:20_000],
            link=self.view_link(incident.id),
            details=details_of(incident, alerts[0] if alerts else None)
            | update_details(update, public=concerns_customers(incident.triage, catalog)),
        )

    def _tell_executives(self, incident: Incident) -> None:
        if incident.severity not in {Severity.SEV1, Severity.SEV2}:
            return
        catalog = self.draft_update.knowledge.catalog
        self.notifier.send(
            Message(
                id=f"{incident.id}:summary",
                incident_id=incident.id,
                kind="summary",
                recipients=(catalog.people[catalog.vp_engineering].email,),
                subject=f"Executive summary of {incident.id}",
                body=self.draft_update.summary(incident.id)[:20_000],
                link=self.view_link(incident.id),
                details=details_of(incident, None),
            )
        )


def latest(updates: Sequence[StatusUpdate]) -> StatusUpdate | None:
    """The update that customers read last."""
    return next((update for update in reversed(updates) if update.published), None)
