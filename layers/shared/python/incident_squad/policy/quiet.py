"""Whether an alert falls into a maintenance window or under a silence."""

import fnmatch
from collections.abc import Mapping
from datetime import UTC, datetime

from incident_squad.domain.alert import Alert
from incident_squad.domain.catalog import Catalog
from incident_squad.domain.outcome import Cause
from incident_squad.domain.quiet import MaintenanceWindow, Quiet
from incident_squad.domain.triage import Triage
from incident_squad.domain.values import Severity


def quieted(
    alert: Alert, triage: Triage, catalog: Catalog, now: datetime
) -> tuple[Cause, str] | None:
    """Why the operator does not want to hear of this alert now, or None.

    Only alerts that would open something are asked about: what belongs to an open incident is
    always taken, and so is every resolve.
    """
    moment = now.astimezone(UTC)
    said = _labels(alert, triage)
    passes = triage.severity is Severity.SEV1
    for name, window in catalog.maintenance.items():
        if window.open_at(moment) and _covers(window, said) and not (passes and window.sev1_passes):
            return Cause.MAINTENANCE, f"maintenance '{name}': {window.reason}"
    for name, silence in catalog.silences.items():
        if (
            silence.open_at(moment)
            and matches(silence, said)
            and not (passes and silence.sev1_passes)
        ):
            return Cause.SILENCED, f"silence '{name}': {silence.reason}"
    return None


def matches(quiet: Quiet, said: Mapping[str, str]) -> bool:
    """Whether every matcher fits; a label that is not there fits nothing."""
    return all(
        name.lower() in said and fnmatch.fnmatchcase(said[name.lower()], glob.lower())
        for name, glob in quiet.matchers.items()
    )


def _covers(window: MaintenanceWindow, said: Mapping[str, str]) -> bool:
    meant = not window.services or said.get("service") in {s.lower() for s in window.services}
    return meant and matches(window, said)


def _labels(alert: Alert, triage: Triage) -> dict[str, str]:
    own = {
        "title": alert.title,
        "service": triage.service or alert.service,
        "resource": alert.resource,
        "environment": triage.environment.value,
        "source": alert.source.value,
        "severity": alert.severity_hint,
    }
    told = {name.lower(): text for name, text in alert.labels.items()}
    return {name: text.lower() for name, text in {**told, **own}.items() if text}
