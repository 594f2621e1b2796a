"""What an incident leaves to do."""

from collections.abc import Mapping

from incident_squad.domain.evidence import Diagnosis
from incident_squad.domain.plan import StepStatus
from incident_squad.domain.record import IncidentRecord
from incident_squad.domain.triage import Triage
from incident_squad.domain.values import IncidentType

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "review": "Go through the post-mortem draft with the owning team",
        "failed": "Look at the step that ended as {status}: {title}",
        "blocked": "Do by hand or make it possible: {title} ({why})",
        "prevent": "Prevent a repetition: {title}",
        "noise": "Tune the monitoring so that this signal does not open an incident again",
        "cause": "Find the root cause: the evidence was not conclusive",
        "unseen": "Make visible what could not be seen: {names}",
        "more": " (and {number} more)",
        "access": "Establish from the audit logs whether data was accessed; if so, notify",
    },
    "fr": {
        "review": "Relire le brouillon de post-mortem avec l'équipe responsable",
        "failed": "Examiner l'étape terminée en {status} : {title}",
        "blocked": "Faire à la main ou rendre possible : {title} ({why})",
        "prevent": "Empêcher que cela se reproduise : {title}",
        "noise": "Régler la supervision pour que ce signal n'ouvre plus d'incident",
        "cause": "Trouver la cause : les observations n'étaient pas concluantes",
        "unseen": "Rendre visible ce qui n'a pas pu être vu : {names}",
        "more": " (et {number} de plus)",
        "access": "Établir par les journaux d'audit si des données ont été consultées ; "
        "notifier le cas échéant",
    },
}


_SHOWN = 3


def action_items(record: IncidentRecord, language: str = "en") -> tuple[str, ...]:
    """What is left to do: open steps first, then open questions; never empty."""
    say = _WORDS[language]
    items = [*_open_steps(record, say)]
    items += _open_questions(record.diagnosis, record.incident.triage, say)
    return tuple(dict.fromkeys(items)) or (say["review"],)


def _open_steps(record: IncidentRecord, say: Mapping[str, str]) -> list[str]:
    bad = {StepStatus.FAILED, StepStatus.UNDO_FAILED, StepStatus.APPLYING}
    items = []
    for place, step in enumerate(record.plan.steps if record.plan else ()):
        status = record.step_status(place)
        if status in bad:
            items.append(say["failed"].format(status=status.value, title=step.title))
        elif step.blocked:
            items.append(say["blocked"].format(title=step.title, why=step.blocked))
        elif status is StepStatus.CONDITIONAL:
            items.append(say["prevent"].format(title=step.title))
    return items


def _open_questions(
    diagnosis: Diagnosis | None, triage: Triage | None, say: Mapping[str, str]
) -> list[str]:
    if triage is not None and (triage.noise or triage.impact.noise):
        return [say["noise"]]
    items = []
    if diagnosis is None or not diagnosis.conclusive:
        items.append(say["cause"])
    if diagnosis is not None and diagnosis.not_seen:
        names = [name.partition(" (")[0] for name in diagnosis.not_seen]
        more = say["more"].format(number=len(names) - _SHOWN) if len(names) > _SHOWN else ""
        items.append(say["unseen"].format(names="; ".join(names[:_SHOWN])) + more)
    if triage is not None and triage.type is IncidentType.SECURITY:
        items.append(say["access"])
    return items
