"""Read incidents: lists, live events and what customers may know."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from incident_squad.domain.catalog import Tier
from incident_squad.domain.incident import Incident
from incident_squad.domain.timeline import TimelineEvent
from incident_squad.domain.update import StatusUpdate
from incident_squad.pages.status import PublicIncident, PublicStatus
from incident_squad.policy.clearance import is_public
from incident_squad.policy.notification import concerns_customers
from incident_squad.ports import (
    Approvals,
    Clock,
    IncidentPage,
    IncidentQuery,
    IncidentStore,
    Knowledge,
    Timeline,
)
from incident_squad.steps.draft_notes import DRAFT_WITHDRAWN, DRAFT_WRITTEN
from incident_squad.steps.report import plain

RETRY_MILLISECONDS = 100
"""When a browser comes back for more events; waiting for them is done here."""

LONGEST_WAIT = timedelta(seconds=20)
"""How long a request waits for an event: API Gateway ends it after 29 seconds."""

_LOOK_EVERY = 0.25
_HEARTBEAT = ": still here\n\n"

_PAST = timedelta(days=14)
_HIDDEN = {Tier.INTERNAL, Tier.NON_PRODUCTION}


@dataclass(frozen=True)
class ReadIncidents:
    """Everything that only reads."""

    incidents: IncidentStore
    timeline: Timeline
    knowledge: Knowledge
    clock: Clock
    requests: Approvals

    def list(self, query: IncidentQuery) -> IncidentPage:
        """Incidents, newest first; raises InvalidParameter on a bad cursor."""
        return self.incidents.list(query)

    def events(self, incident_id: str, after: int, wait: timedelta = LONGEST_WAIT) -> str | None:
        """The events after number `after` as server-sent events, with the updates they are about.

        What is new is told at once; when nothing is, the first event that comes within `wait`.
        None means that the incident is over and everything has been told: a browser may stop
        asking. Raises UnknownIncident.
        """
        end = self.clock.now() + min(wait, LONGEST_WAIT)
        while True:
            # The incident is read first: an event that is written as it ends is not missed.
            incident = self.incidents.get(incident_id)
            events = self.timeline.read(incident_id, after)
            if events or not incident.status.open or self.clock.now() >= end:
                break
            self.clock.sleep(_LOOK_EVERY)
        if not events and not incident.status.open:
            return None
        updates = self.incidents.updates(incident_id) if events else ()
        told = {update.state.value: update for update in updates}
        parts = [part for event in events for part in _messages(event, told)]
        return f"retry: {RETRY_MILLISECONDS}\n\n" + ("".join(parts) or _HEARTBEAT)

    def public_status(self) -> PublicStatus:
        """What customers may know: published updates of incidents that concern them."""
        catalog = self.knowledge.catalog
        language = catalog.policies.language_of("customers")
        shown = tuple(self._public_incidents())
        affected = {item.name for item in shown if item.open}
        names = dict.fromkeys(
            service.public_name.get(language) or next(iter(service.public_name.values()), "")
            for service in catalog.services.values()
            if service.tier not in _HIDDEN
        )
        return PublicStatus(
            company=catalog.company,
            language=language,
            services=tuple((name, name in affected) for name in names if name),
            incidents=shown,
        )

    def _public_incidents(self) -> Iterator[PublicIncident]:
        oldest = self.clock.now() - _PAST
        first = oldest.strftime("%Y%m%d")
        for incident in self.incidents.list(IncidentQuery(first=first, limit=50)).incidents:
            if not concerns_customers(incident.triage, self.knowledge.catalog):
                continue
            updates = self._shown(incident.id)
            if updates:
                yield _public(incident, updates)

    def _shown(self, incident_id: str) -> Sequence[StatusUpdate]:
        """Updates that are published, and approved where a human decides about that."""
        updates = self.incidents.updates(incident_id)
        held = any(update.approval_id for update in updates)
        requests = self.requests.of_incident(incident_id) if held else ()
        return tuple(u for u in updates if is_public(incident_id, u, requests))


def _public(incident: Incident, updates: Sequence[StatusUpdate]) -> PublicIncident:
    return PublicIncident(
        name=updates[-1].public_name,
        started=incident.opened_at,
        open=incident.status.open,
        updates=tuple(reversed(updates)),
    )


def _messages(event: TimelineEvent, told: dict[str, StatusUpdate]) -> Iterator[str]:
    yield _message(event.n, "timeline", plain(event))
    if event.event in {DRAFT_WRITTEN, DRAFT_WITHDRAWN}:
        yield _message(
            event.n, "draft", {"withdrawn": event.event == DRAFT_WITHDRAWN, **event.data}
        )
    if event.event in {"UpdateDrafted", "UpdatePublished"}:
        update = told.get(str(event.data.get("state")))
        if update is not None:
            yield _message(event.n, "update", plain(update))


def _message(number: int, kind: str, content: object) -> str:
    # JSON has no raw newlines, so no value can forge a field of the stream.
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(content, ensure_ascii=True)}\n\n"
