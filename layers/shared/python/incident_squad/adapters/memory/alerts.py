"""Alerts of incidents in memory: what each says, which incident holds it, and how many came."""

import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from incident_squad.adapters.records import Attached, copy_of
from incident_squad.domain.alert import Alert
from incident_squad.domain.outcome import Cause, Count, OutcomeKind, added
from incident_squad.domain.values import iso
from incident_squad.ports import Clock


class MemoryAlerts:
    """The part of `IncidentStore` that is about alerts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._claims: dict[str, tuple[str, datetime]] = {}
        self._alerts: dict[str, dict[str, Attached]] = defaultdict(dict)
        self._firing: dict[str, set[str]] = defaultdict(set)
        self._numbers: Counter[tuple[str, str]] = Counter()
        self._tallies: dict[str, Counter[tuple[str, OutcomeKind, Cause]]] = defaultdict(Counter)

    def attach(self, incident_id: str, alert: Alert, counts: Sequence[Count] = ()) -> None:
        """Store an alert, or its newer state: an older one never replaces it; and count it."""
        with self._lock:
            known = self._alerts[incident_id].get(alert.key)
            if known is None:
                known = Attached(alert, iso(alert.received_at), opening=False)
            if known.alert.received_at <= alert.received_at:
                self._keep(incident_id, known._replace(alert=alert))
            self.count(counts)

    def alert(self, incident_id: str, key: str) -> Alert | None:
        """The last state of one of its alerts, or None."""
        with self._lock:
            attached = self._alerts[incident_id].get(key)
        return copy_of(attached.alert) if attached else None

    def alerts(self, incident_id: str, limit: int | None = None) -> Sequence[Alert]:
        """Its alerts, the first one first; with a limit, the first one and some of the others."""
        with self._lock:
            found = sorted(self._alerts[incident_id].values(), key=lambda a: a.order)
            return tuple(copy_of(attached.alert) for attached in found[:limit])

    def still_firing(self, incident_id: str) -> bool:
        """Whether one of its alerts fires."""
        return bool(self._firing[incident_id])

    def number(self, incident_id: str, what: str) -> int:
        """The next number of something that happens to an incident, from 1."""
        with self._lock:
            self._numbers[incident_id, what] += 1
            return self._numbers[incident_id, what]

    def count(self, counts: Sequence[Count]) -> None:
        """Count alerts, for today."""
        with self._lock:
            today = self._tallies[self._clock.now().astimezone(UTC).strftime("%Y%m%d")]
            for count in counts:
                today[count.source, count.outcome, count.cause] += count.number

    def counted(self, day: str) -> Sequence[Count]:
        """What became of the alerts of a day, by source, outcome and cause."""
        with self._lock:
            tally = dict(self._tallies[day])
        return added(
            [Count(source=s, outcome=o, cause=c, number=n) for (s, o, c), n in tally.items()]
        )

    def claim(self, key: str, incident_id: str, until: datetime) -> str:
        """Bind a key unless another incident holds it; the holder itself prolongs its claim."""
        with self._lock:
            holder = self.holder_of(key)
            if holder in {None, incident_id}:
                self._claims[key] = (incident_id, until)
                return incident_id
            return holder or incident_id

    def holder_of(self, key: str) -> str | None:
        """The incident that holds the key, or None; a claim that ran out is none."""
        incident_id, until = self._claims.get(key, (None, None))
        if incident_id is None or until is None or iso(until) <= iso(self._clock.now()):
            return None
        return incident_id

    def release(self, key: str, incident_id: str) -> None:
        """Free a key that this incident holds."""
        with self._lock:
            if self._claims.get(key, (None,))[0] == incident_id:
                del self._claims[key]

    def _keep(self, incident_id: str, attached: Attached) -> None:
        kept = attached._replace(alert=copy_of(attached.alert))
        self._alerts[incident_id][attached.alert.key] = kept
        if attached.alert.status.failing:
            self._firing[incident_id].add(attached.alert.key)
        else:
            self._firing[incident_id].discard(attached.alert.key)
