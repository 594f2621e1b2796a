"""The timeline in memory."""

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime

from incident_squad.adapters.records import copy_of, sound
from incident_squad.domain.errors import AuditFailure, UnknownIncident
from incident_squad.domain.timeline import GENESIS, Entry, TimelineEvent, seal
from incident_squad.domain.values import as_utc
from incident_squad.ports import Clock, IncidentStore


class MemoryTimeline:
    """Implements `Timeline`. `events` is the raw store and `fail` makes every append fail."""

    def __init__(self, incidents: IncidentStore, clock: Clock) -> None:
        self._incidents = incidents
        self._clock = clock
        self._lock = threading.RLock()
        self._heads: dict[str, TimelineEvent] = {}
        self.events: dict[str, list[TimelineEvent]] = defaultdict(list)
        self.fail = False

    def append(self, incident_id: str, entry: Entry) -> TimelineEvent:
        """Write an event; raises AuditFailure."""
        if self.fail:
            raise AuditFailure("the timeline can't be written")
        try:
            self._incidents.get(incident_id)
            with self._lock:
                return self._append(incident_id, entry)
        except (UnknownIncident, ValueError) as error:
            raise AuditFailure(f"the timeline of {incident_id} can't be written") from error

    def append_once(
        self, incident_id: str, entry: Entry, known: Callable[[TimelineEvent], bool]
    ) -> TimelineEvent | None:
        """Write an event unless one is there that is `known`; raises AuditFailure."""
        with self._lock:
            if any(known(event) for event in self.read(incident_id)):
                return None
            return self.append(incident_id, entry)

    def _append(self, incident_id: str, entry: Entry) -> TimelineEvent:
        head = self._heads.get(incident_id)
        event = seal(
            entry,
            n=head.n + 1 if head else 1,
            at=_not_before(head.at if head else None, self._clock.now()),
            prev=head.hash if head else GENESIS,
        )
        self.events[incident_id].append(copy_of(event))
        self._heads[incident_id] = event
        return event

    def read(self, incident_id: str, after: int = 0) -> Sequence[TimelineEvent]:
        """Events in order, those after number `after`."""
        with self._lock:
            return tuple(copy_of(event) for event in self.events[incident_id] if event.n > after)

    def problems(self, incident_id: str) -> Sequence[str]:
        """What is wrong with the chain; raises UnknownIncident."""
        self._incidents.get(incident_id)
        with self._lock:
            head = self._heads.get(incident_id)
            count = head.n if head else 0
            stored = list(self.events[incident_id])
        return sound(stored, head=head.hash if head else None, count=count)


def _not_before(last: datetime | None, now: datetime) -> datetime:
    # Two clocks may disagree by a little; the order of events never does.
    return as_utc(max(last, now) if last else now)
