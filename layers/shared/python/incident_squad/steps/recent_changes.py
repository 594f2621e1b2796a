"""RecentChanges: what was deployed or changed shortly before an alert, as evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from incident_squad.domain.alert import Alert
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.metric import Change, Changes, TimeRange
from incident_squad.domain.runbook import HttpProbe
from incident_squad.ports import Clock, Knowledge, Probers, Telemetry

BEFORE = timedelta(minutes=60)
"""A change this long before the alert may have to do with it."""

AFTER = timedelta(minutes=5)
"""Clocks differ, and an alert may come before its source tells of the release."""

OLDEST = timedelta(days=7)
"""An alert's own start is believed this far back."""

_AGES = timedelta(days=3650).total_seconds()
QUESTION = "What was changed in the hour before the alert?"
ROLE, OPERATION, AGE = "deployments", "status", "/deployedSecondsAgo"


@dataclass(frozen=True)
class RecentChanges:
    """Asks the deployer of a service, and the sources that keep changes."""

    knowledge: Knowledge
    probers: Probers
    telemetry: Telemetry
    clock: Clock

    def __call__(self, service: str | None, began: datetime) -> Sequence[Evidence]:
        """One observation for each who could be asked; `value` is how many changes there were.

        `meaning` says what was changed and how long before the alert; it is empty when nothing
        was. A service that the catalogue does not know has no history.
        """
        known = self.knowledge.catalog.services.get(service or "")
        if service is None or known is None:
            return ()
        asked = [self._of_deployer(service, began)] if ROLE in known.targets else []
        time_range = TimeRange(start=began - BEFORE, end=began + AFTER)
        told = self.telemetry.changes(service, time_range)
        return (*asked, *(self._of_source(one, began) for one in told))

    def _of_deployer(self, service: str, began: datetime) -> Evidence:
        probe = HttpProbe(kind="http", target=ROLE, operation=OPERATION, pointer=AGE)
        seen = self.probers.ask(probe, service, {})
        age = seen.value
        if isinstance(age, bool) or not isinstance(age, int | float):
            return seen.model_copy(update={"question": QUESTION})
        release = next(iter(seen.rows), {}).get("release", "")
        what = f"Release {release} was put out" if release else "A release was put out"
        at = seen.observed_at - timedelta(seconds=min(max(float(age), 0), _AGES))
        change = Change(source=seen.source, what=what[:300], at=at)
        return _judged(seen, (change,), began)

    def _of_source(self, told: Changes, began: datetime) -> Evidence:
        seen = Evidence(
            id="",
            source=f"changes:{told.source}",
            query=told.query,
            status=EvidenceStatus(told.status.value),
            detail=told.message,
            rows=tuple({"what": one.what, "at": f"{one.at:%H:%M:%S}"} for one in told.changes),
            observed_at=self.clock.now(),
        )
        if seen.status not in {EvidenceStatus.OK, EvidenceStatus.NO_DATA}:
            return seen.model_copy(update={"question": QUESTION})
        return _judged(seen, told.changes, began)


def alerted_at(alert: Alert) -> datetime:
    """When the trouble began: what the alert says, if that can be."""
    began, received = alert.started_at, alert.received_at
    if began is None or not received - OLDEST <= began <= received:
        return received
    return began


def _judged(seen: Evidence, changes: Sequence[Change], began: datetime) -> Evidence:
    near = [one for one in changes if began - BEFORE <= one.at <= began + AFTER]
    said = "; ".join(f"{one.what} {_when(one.at, began)}" for one in near[:3])
    update = {
        "question": QUESTION,
        "status": EvidenceStatus.OK,
        "value": float(len(near)),
        "meaning": said,
    }
    return seen.model_copy(update=update)


def _when(at: datetime, began: datetime) -> str:
    minutes = round((began - at).total_seconds() / 60)
    if minutes < 0:
        return "just after the alert"
    if minutes == 0:
        return "less than a minute before the alert"
    return f"{minutes} minute{'s' if minutes > 1 else ''} before the alert"
