"""The report of a replay: what an incident's record is when every state did what it did again."""

from collections.abc import Iterable, Sequence
from typing import Any

from incident_squad.adapters.memory import FixedClock
from incident_squad.domain.alert import Alert
from incident_squad.domain.evidence import Diagnosis, Evidence
from incident_squad.domain.incident import Incident
from incident_squad.domain.plan import Plan
from incident_squad.domain.record import IncidentRecord
from incident_squad.domain.timeline import Entry, TimelineEvent, seal
from incident_squad.domain.transcript import Crossing
from incident_squad.domain.update import StatusUpdate
from incident_squad.ports import Knowledge
from incident_squad.steps.report import BuildReport
from infra.replay.rerun import Again


def report_of(states: Sequence[Again], knowledge: Knowledge, *, then: bool) -> dict[str, Any]:
    """The report as these states make it: as they did `then`, or did now."""
    sides = [one.then.crossings if then else one.crossings for one in states]
    record = _record([one for side in sides for one in side])
    clock = FixedClock(states[-1].then.at)
    return BuildReport(lambda _: record, knowledge, clock)(record.incident.id).to_json()


def _record(crossings: Sequence[Crossing]) -> IncidentRecord:
    answered = [one for one in crossings if not one.error]
    heads = [one for one in answered if one.port in {"incidents.get", "incidents.change"}]
    return IncidentRecord(
        incident=_incident(heads),
        alerts=tuple(_alerts(answered)),
        evidence=tuple(Evidence.model_validate(one) for one in _put(answered, "evidence")),
        diagnosis=_last(Diagnosis, _put(answered, "diagnosis")),
        plan=_last(Plan, [one.asked["args"][0] for one in _of(answered, "incidents.put_plan")]),
        updates=tuple(StatusUpdate.model_validate(one) for one in _put(answered, "update")),
        events=tuple(_events(answered)),
    )


def _incident(heads: Sequence[Crossing]) -> Incident:
    """As it was first seen, with all that was set since."""
    fields = dict(heads[0].answer)
    for one in heads:
        if one.port == "incidents.change":
            fields |= {name: value for name, value in one.asked.items() if name != "args"}
    return Incident.model_validate(fields)


def _alerts(crossings: Iterable[Crossing]) -> Iterable[Alert]:
    found: dict[str, Alert] = {}
    for one in crossings:
        if one.port in {"incidents.alert", "incidents.alerts"} and one.answer:
            said = one.answer if isinstance(one.answer, list) else [one.answer]
            found |= {alert["key"]: Alert.model_validate(alert) for alert in said}
    return found.values()


def _events(crossings: Iterable[Crossing]) -> Iterable[TimelineEvent]:
    """What was read of the timeline, and what was written, in the place that it got."""
    found: dict[int, TimelineEvent] = {}
    for one in crossings:
        if one.port == "timeline.read":
            for event in (TimelineEvent.model_validate(said) for said in one.answer):
                found.setdefault(event.n, event)
        if one.port == "timeline.append":
            placed = TimelineEvent.model_validate(one.answer)
            entry = Entry.model_validate(one.asked["args"][1])
            found[placed.n] = seal(entry, n=placed.n, at=placed.at, prev=placed.prev)
    return (found[n] for n in sorted(found))


def _of(crossings: Iterable[Crossing], port: str) -> list[Crossing]:
    return [one for one in crossings if one.port == port]


def _put(crossings: Iterable[Crossing], what: str) -> list[Any]:
    return [one.asked["args"][1] for one in _of(crossings, f"incidents.put_{what}")]


def _last(kind: Any, found: Sequence[Any]) -> Any:  # noqa: ANN401 - a value of that kind
    return kind.model_validate(found[-1]) if found else None
