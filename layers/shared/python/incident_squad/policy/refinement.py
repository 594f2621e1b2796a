"""What of a model's opinion of an alert counts: law, not taste.

The severity goes up or stays. Names come from the closed sets, and a service must be named by the
alert. Where the floor is sure, it keeps the last word.
"""

import re
from collections.abc import Mapping

from incident_squad.domain.alert import Alert
from incident_squad.domain.catalog import Catalog
from incident_squad.domain.runbook import Runbook
from incident_squad.domain.triage import RunbookCandidate, Triage
from incident_squad.domain.values import IncidentType, Severity, Value
from incident_squad.policy.evidence_lock import missing

SURE = 0.5
"""From this confidence on, the floor's type and best runbook stand."""

_PICKS = 2
_REASONS = 3
_PICKED_SCORE = 0.5


class Opinion(Value):
    """What a model thinks of an alert."""

    type: IncidentType
    severity: Severity
    service: str | None = None
    runbooks: tuple[str, ...] = ()
    confidence: float
    why: tuple[str, ...] = ()


def refined(
    floor: Triage,
    opinion: Opinion,
    alert: Alert,
    *,
    catalog: Catalog,
    runbooks: Mapping[str, Runbook],
    engine: str,
) -> Triage:
    """The floor's triage with what counts of the opinion."""
    kind = _type(floor, opinion)
    severity = floor.severity
    if opinion.severity.worse_than(severity):
        severity = opinion.severity
    reasons = [reason[:200] for reason in opinion.why if not missing(reason, alert.text())]
    return floor.model_copy(
        update={
            "type": kind,
            "severity": severity,
            "service": _service(floor, opinion, alert, catalog),
            "runbooks": _runbooks(floor, opinion, kind, runbooks),
            "confidence": floor.confidence
            if kind is floor.type
            else round(min(opinion.confidence, SURE), 2),
            "why": (
                *floor.why,
                *_changes(floor, kind, severity),
                *(f"the model: {reason}" for reason in reasons[:_REASONS]),
            ),
            "engine": engine,
        }
    )


def _type(floor: Triage, opinion: Opinion) -> IncidentType:
    """Nothing talks the squad out of a security incident, or out of what the floor is sure of."""
    if floor.type is IncidentType.SECURITY or floor.confidence >= SURE:
        return floor.type
    return opinion.type


def _service(floor: Triage, opinion: Opinion, alert: Alert, catalog: Catalog) -> str | None:
    wanted = opinion.service
    if floor.service in catalog.services or wanted not in catalog.services:
        return floor.service
    service = catalog.services[wanted]
    names = (wanted, *service.aliases, *service.public_name.values())
    words = f" {_words(alert.text())} "
    return wanted if any(f" {_words(name)} " in words for name in names) else floor.service


def _words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def _runbooks(
    floor: Triage, opinion: Opinion, kind: IncidentType, runbooks: Mapping[str, Runbook]
) -> tuple[RunbookCandidate, ...]:
    """The model's picks beside the floor's: what the floor would examine is examined still."""
    known = {candidate.runbook_id: candidate for candidate in floor.runbooks}
    picks = [
        known.get(name)
        or RunbookCandidate(runbook_id=name, score=_PICKED_SCORE, reasons=("the model's choice",))
        for name in dict.fromkeys(opinion.runbooks)
        if name in runbooks and runbooks[name].type in {kind, None}
    ][:_PICKS]
    own = list(floor.runbooks)
    first = own[:1] if kind is floor.type and own and floor.confidence >= SURE else []
    ordered = [*first, *picks[:1], *own[:1], *picks[1:], *own]
    return tuple({candidate.runbook_id: candidate for candidate in ordered}.values())


def _changes(floor: Triage, kind: IncidentType, severity: Severity) -> tuple[str, ...]:
    changes = []
    if kind is not floor.type:
        changes.append(f"the model routed it to {kind.value}; the floor, unsure, to {floor.type}")
    if severity is not floor.severity:
        changes.append(f"the model raised {floor.severity.value} to {severity.value}")
    return tuple(changes)
