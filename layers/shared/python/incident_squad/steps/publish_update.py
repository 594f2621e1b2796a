"""PublishUpdate: put the status update of a state out, to customers and to #incidents."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from incident_squad.contracts import UpdateInput, UpdateOutput
from incident_squad.domain.errors import PolicyViolation, TransientFailure
from incident_squad.domain.incident import Incident
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.update import StatusUpdate, UpdateKind, UpdateState
from incident_squad.domain.values import Severity, iso
from incident_squad.policy.clearance import must_wait, request_id
from incident_squad.policy.notification import CHANNEL, concerns_customers
from incident_squad.policy.phrases import phrase
from incident_squad.ports import IncidentStore, Message, Notifier, Timeline
from incident_squad.steps.ask_public import AskPublic
from incident_squad.steps.draft_update import DraftUpdate
from incident_squad.steps.message_facts import details_of, update_details

UPDATE_PUBLISHED = "UpdatePublished"
_NAMES = {
    UpdateKind.STATE: "update",
    UpdateKind.PROGRESS: "promised update",
    UpdateKind.CORRECTION: "correction of",
}


SAME_CORRECTION = timedelta(hours=1)
"""How long the same words from a human are the same correction, sent again."""

_TRIES = 8


@dataclass(frozen=True)
class PublishUpdate:
    """Give each update its place, then audit, publish and tell, in the order of the places.

    Whoever comes next finishes what a crash left half done, so nothing is lost, doubled or told
    in another order. `ask` is asked for texts that a human must approve first.
    """

    incidents: IncidentStore
    timeline: Timeline
    notifier: Notifier
    draft_update: DraftUpdate
    view_link: Callable[[str], str]
    ask: AskPublic | None = None

    def __call__(self, request: UpdateInput) -> UpdateOutput:
        """Publish the draft of this state, or write one if there is none.

        What was not identified is not announced as identified: the state stays what it was.
        """
        if request.state is UpdateState.IDENTIFIED and self._unproven(request.incident_id):
            return UpdateOutput(published=False)
        update = self.draft_update.draft(request.incident_id, request.state)
        incident = self.incidents.get(request.incident_id)
        for _ in range(_TRIES):
            said = self.incidents.updates(incident.id)
            if any(_announces(known, request.state) for known in said):
                break
            if self._place(incident, update, _last_number(said)):
                break
        else:
            raise TransientFailure(f"too much is said at once about {incident.id}")
        self.catch_up(incident.id)
        return UpdateOutput(published=True)

    def _unproven(self, incident_id: str) -> bool:
        found = self.incidents.diagnosis(incident_id)
        return found is not None and not found.conclusive

    def progress(self, incident_id: str, last: StatusUpdate) -> StatusUpdate | None:
        """Keep the promise that `last` made: an update in the same state.

        None when something newer was said meanwhile: that keeps it.
        """
        incident = self.incidents.get(incident_id)
        update = _at_its_own_moment(self.draft_update.progress(incident_id, last), last)
        placed = self._place(incident, update, last.number)
        self.catch_up(incident_id)
        return placed

    def correct(self, incident_id: str, text: str, by: Actor) -> StatusUpdate:
        """Publish a human's correction; the same words again are the same correction.

        Raises UnknownIncident, and PolicyViolation when it leaks or there is nothing to correct.
        """
        incident = self.incidents.get(incident_id)
        key = hashlib.sha256(text.encode()).hexdigest()[:16]
        for _ in range(_TRIES):
            self.catch_up(incident_id)
            said = self.incidents.updates(incident_id)
            last = latest(said)
            if last is None:
                raise PolicyViolation("nothing has been published that could be corrected")
            update = self.draft_update.correction(incident_id, last, text)
            for known in said:
                if known.key == key and update.at - known.at < SAME_CORRECTION:
                    return known
            named = update.model_copy(update={"by": by.name, "key": key})
            update = _at_its_own_moment(named, last)
            placed = self._place(incident, update, last.number)
            if placed is not None:
                self.catch_up(incident_id)
                return placed
        raise TransientFailure(f"too much is said at once about {incident_id}")

    def catch_up(self, incident_id: str) -> None:
        """Finish what was given a place and not told yet, in the order of the places."""
        for update in self.incidents.updates(incident_id):
            if update.number and not (update.published and update.told):
                self._finish(incident_id, update)

    def _place(self, incident: Incident, update: StatusUpdate, after: int) -> StatusUpdate | None:
        if must_wait(incident, self.draft_update.knowledge.catalog):
            update = update.model_copy(update={"approval_id": request_id(incident.id, update)})
        return self.incidents.place_update(incident.id, update, after)

    def _finish(self, incident_id: str, update: StatusUpdate) -> None:
        if not update.published:
            self._record(incident_id, update)
            update = update.model_copy(update={"published": True})
            self.incidents.put_update(incident_id, update)
        self._tell(incident_id, update)
        self.incidents.put_update(incident_id, update.model_copy(update={"told": True}))

    def _record(self, incident_id: str, update: StatusUpdate) -> None:
        place = {"state": update.state.value, "at": iso(update.at)}
        held = bool(update.approval_id)
        due = update.next_due_at
        promise = f"; the next one is due by {due:%H:%M} UTC" if due else ""
        waits = " to colleagues; customers read it once it is approved" if held else ""
        self.timeline.append_once(
            incident_id,
            Entry(
                event=UPDATE_PUBLISHED,
                summary=f"Published the {_NAMES[update.kind]} {update.state.value}{waits}{promise}",
                actor=Actor.human(update.by) if update.by else Actor.agent("communicator"),
                data={
                    **place,
                    "kind": update.kind.value,
                    "nextDueAt": iso(due) if due else None,
                    "public": "waits" if held else "yes",
                },
                engine=update.engine,
            ),
            lambda event: event.event == UPDATE_PUBLISHED and place.items() <= event.data.items(),
        )

    def _tell(self, incident_id: str, update: StatusUpdate) -> None:
        incident = self.incidents.get(incident_id)
        if incident.severity is Severity.SEV4:
            return
        self.notifier.send(self._message(incident, update))
        if update.approval_id and self.ask is not None:
            self.ask(incident, update)
        if update.state is UpdateState.RESOLVED and update.kind is UpdateKind.STATE:
            self._tell_executives(incident)

    def _message(self, incident: Incident, update: StatusUpdate) -> Message:
        catalog = self.draft_update.knowledge.catalog
        alerts = self.incidents.alerts(incident.id, 1)
        public = concerns_customers(incident.triage, catalog) and not update.approval_id
        again = "" if update.kind is UpdateKind.STATE else f":{iso(update.at)}"
        correction = update.kind is UpdateKind.CORRECTION
        colleagues = catalog.policies.language_of("colleagues")
        mark = phrase("correction", colleagues) if correction else ""
        title = " ".join(incident.title.split())
        return Message(
            id=f"{incident.id}:update:{update.state.value}{again}",
            incident_id=incident.id,
            kind="correction" if correction else "update",
            recipients=(CHANNEL,),
            subject=f"{mark}[{update.state.value}] {incident.id}: {title}"[:200],
            body=update.internal[:20_000],
            link=self.view_link(incident.id),
            details=details_of(incident, alerts[0] if alerts else None)
            | update_details(update, public=public),
        )

    def _tell_executives(self, incident: Incident) -> None:
        if incident.severity not in {Severity.SEV1, Severity.SEV2}:
            return
        catalog = self.draft_update.knowledge.catalog
        executives = catalog.policies.language_of("executives")
        self.notifier.send(
            Message(
                id=f"{incident.id}:summary",
                incident_id=incident.id,
                kind="summary",
                recipients=(catalog.people[catalog.vp_engineering].email,),
                subject=phrase("summary", executives, incident=incident.id),
                body=self.draft_update.summary(incident.id)[:20_000],
                link=self.view_link(incident.id),
                details=details_of(incident, None),
            )
        )


def latest(updates: Sequence[StatusUpdate]) -> StatusUpdate | None:
    """The update that was said last."""
    return next((update for update in reversed(updates) if update.published), None)


def _at_its_own_moment(update: StatusUpdate, last: StatusUpdate) -> StatusUpdate:
    """An update that is later than the one before it: two of one moment would be stored as one."""
    return update.model_copy(update={"at": max(update.at, last.at + timedelta(milliseconds=1))})


def _announces(update: StatusUpdate, state: UpdateState) -> bool:
    said = update.published or update.number > 0
    return said and update.kind is UpdateKind.STATE and update.state is state


def _last_number(updates: Sequence[StatusUpdate]) -> int:
    return max((update.number for update in updates), default=0)
