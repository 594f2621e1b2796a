"""The specialists' floor: ask what the runbooks ask, weigh the answers, say what is known."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from incident_squad.domain.alert import Alert
from incident_squad.domain.evidence import (
    Diagnosis,
    Evidence,
    EvidenceStatus,
    Finding,
    Hypothesis,
    Verdict,
)
from incident_squad.domain.incident import Incident
from incident_squad.domain.runbook import Check, Probe, Runbook
from incident_squad.domain.triage import FLOOR, Triage
from incident_squad.domain.values import IncidentType
from incident_squad.policy.expectation import passes

CANDIDATES = 3
"""Hypotheses that are examined: more would cost time and seldom change the answer."""
ADDED = 2
"""Hypotheses that a model may add: none of the floor's own may fall away for them."""

Ask = Callable[[Probe], Evidence]


@dataclass(frozen=True)
class Investigation:
    """What an investigation brought: the observations and the diagnosis that rests on them."""

    evidence: tuple[Evidence, ...]
    diagnosis: Diagnosis


def investigate(
    specialist: IncidentType,
    incident: Incident,
    triage: Triage,
    alert: Alert,
    runbooks: Mapping[str, Runbook],
    ask: Ask,
) -> Investigation:
    """Examine the candidates of triage side by side and say which is best supported."""
    candidates = _candidates(triage, runbooks)
    stated = _stated(alert, incident)
    checks = [(runbook, check) for runbook in candidates for check in runbook.checks]
    observed = [] if triage.noise else _observe(checks, ask)
    hypotheses = [hypothesis(runbook, observed) for runbook in candidates]
    diagnosis = _conclude(specialist, triage, candidates, hypotheses, [stated, *observed])
    return Investigation(evidence=(stated, *observed), diagnosis=diagnosis)


def with_changes(found: Investigation, changes: Sequence[Evidence]) -> Investigation:
    """The investigation with what was changed before the alert: a finding, never a proof."""
    first = len(found.evidence) + 1
    seen = [one.model_copy(update={"id": f"E{place}"}) for place, one in enumerate(changes, first)]
    findings = [
        Finding(statement=f"{_sentence(one.meaning)} ({one.source})", evidence_ids=(one.id,))
        for one in seen
        if one.meaning
    ]
    unseen = [_unseen(one) for one in seen if one.status is not EvidenceStatus.OK]
    diagnosis = found.diagnosis.model_copy(
        update={
            "findings": (*found.diagnosis.findings, *findings),
            "not_seen": (*found.diagnosis.not_seen, *unseen),
        }
    )
    return Investigation(evidence=(*found.evidence, *seen), diagnosis=diagnosis)


def _unseen(evidence: Evidence) -> str:
    why = f": {evidence.detail}" if evidence.detail else ""
    return f"{evidence.asked} ({evidence.status.value.replace('_', ' ')}{why})"


def _candidates(triage: Triage, runbooks: Mapping[str, Runbook]) -> list[Runbook]:
    names = [candidate.runbook_id for candidate in triage.runbooks if candidate.score > 0]
    most = CANDIDATES if triage.engine == FLOOR else CANDIDATES + ADDED
    return [runbooks[name] for name in names if name in runbooks][:most]


def _stated(alert: Alert, incident: Incident) -> Evidence:
    return Evidence(
        id="E1",
        source=f"alert:{alert.source.value}",
        query="the alert",
        question="What does the alert state?",
        status=EvidenceStatus.OK,
        value=alert.title[:300],
        detail=alert.description[:1500],
        observed_at=alert.received_at,
        runbook_id=None,
        verdict=Verdict.SILENT,
        meaning=f"the alert that opened {incident.id}",
    )


def _observe(checks: Sequence[tuple[Runbook, Check]], ask: Ask) -> list[Evidence]:
    if not checks:
        return []
    with ThreadPoolExecutor(max_workers=min(8, len(checks))) as pool:
        answers = list(pool.map(lambda pair: answered(pair[0], pair[1], ask), checks))
    return [
        answer.model_copy(update={"id": f"E{place}"}) for place, answer in enumerate(answers, 2)
    ]


def answered(runbook: Runbook, check: Check, ask: Ask) -> Evidence:
    """The first probe that gives a value answers the check; else the first that could be asked."""
    evidence = _first_value(check.probes, ask)
    return evidence.model_copy(
        update={
            "runbook_id": runbook.name,
            "verdict": _verdict(check, evidence),
            "meaning": check.means,
            "question": check.title,
        }
    )


def _first_value(probes: Sequence[Probe], ask: Ask) -> Evidence:
    """A database without a free connection still has metrics, and one source may lack a metric."""
    silent: list[Evidence] = []
    for probe in probes:
        evidence = ask(probe)
        if evidence.status is EvidenceStatus.OK:
            return evidence
        silent.append(evidence)
    asked = (one for one in silent if one.status is not EvidenceStatus.NOT_CONFIGURED)
    reasons = dict.fromkeys(one.detail for one in silent if one.detail)
    unasked = silent[0].model_copy(update={"detail": "; ".join(reasons)})
    return next(asked, unasked)


def _verdict(check: Check, evidence: Evidence) -> Verdict:
    if evidence.status is not EvidenceStatus.OK:
        return Verdict.SILENT
    if passes(check.supports, evidence.value):
        return Verdict.SUPPORTS
    if check.contradicts is not None and passes(check.contradicts, evidence.value):
        return Verdict.CONTRADICTS
    return Verdict.SILENT


def hypothesis(runbook: Runbook, observed: Sequence[Evidence]) -> Hypothesis:
    """What the observations of a runbook's own checks say of it: code judges, by thresholds."""
    own = [evidence for evidence in observed if evidence.runbook_id == runbook.name]
    return Hypothesis(
        runbook_id=runbook.name,
        statement=runbook.root_cause,
        supported_by=tuple(e.id for e in own if e.verdict is Verdict.SUPPORTS),
        contradicted_by=tuple(e.id for e in own if e.verdict is Verdict.CONTRADICTS),
        not_seen=tuple(_unseen(e) for e in own if e.status is not EvidenceStatus.OK),
    )


def _conclude(
    specialist: IncidentType,
    triage: Triage,
    candidates: Sequence[Runbook],
    hypotheses: Sequence[Hypothesis],
    evidence: Sequence[Evidence],
) -> Diagnosis:
    best = max(hypotheses, key=_support, default=None)
    conclusive = best is not None and confirmed(best)
    return Diagnosis(
        specialist=specialist,
        runbook_id=best.runbook_id if best else None,
        root_cause=_root_cause(triage, candidates, best, evidence, conclusive=conclusive),
        conclusive=conclusive,
        confidence=_confidence(triage, best, conclusive=conclusive),
        findings=_findings(triage, evidence),
        hypotheses=tuple(sorted(hypotheses, key=_support, reverse=True)),
        not_seen=tuple(line for h in hypotheses for line in h.not_seen),
    )


def confirmed(cause: Hypothesis) -> bool:
    """Whether observed evidence supports it and none contradicts: only then is anything applied."""
    return bool(cause.supported_by) and not cause.contradicted_by


def _support(cause: Hypothesis) -> int:
    # max() keeps the first of equals, and triage has put the likeliest first.
    return len(cause.supported_by) - 2 * len(cause.contradicted_by)


def _root_cause(
    triage: Triage,
    candidates: Sequence[Runbook],
    best: Hypothesis | None,
    evidence: Sequence[Evidence],
    *,
    conclusive: bool,
) -> str:
    if best is None:
        return "Inconclusive: no runbook fits what the alert says, so a human has to look."
    runbook = next(r for r in candidates if r.name == best.runbook_id)
    if triage.noise:
        return f"{runbook.title}: {_stop(runbook.root_cause)}"
    if conclusive:
        supporting = (e.meaning for e in evidence if e.id in best.supported_by)
        seen = "; ".join(meaning.rstrip(". ") for meaning in supporting)
        return f"{runbook.title}: {_stop(runbook.root_cause)} Observed: {_stop(seen)}"
    against = " What was seen speaks against it." if best.contradicted_by else ""
    return (
        f"Inconclusive so far. The alert points to: {runbook.title}. {_stop(runbook.root_cause)}"
        f"{against} No check could confirm it."
    )


def _confidence(triage: Triage, best: Hypothesis | None, *, conclusive: bool) -> float:
    if best is None:
        return 0.1
    if triage.noise:
        return round(triage.confidence, 2)
    if conclusive:
        return round(min(0.95, 0.65 + 0.1 * len(best.supported_by)), 2)
    base = triage.runbooks[0].score if triage.runbooks else 0.0
    return round(0.15 if best.contradicted_by else min(0.5, 0.2 + 0.3 * base), 2)


def _findings(triage: Triage, evidence: Sequence[Evidence]) -> tuple[Finding, ...]:
    stated, *observed = evidence
    title = " ".join(str(stated.value).split()).rstrip(". ")
    said = "; ".join((title, *(fact for fact in triage.impact.facts if fact not in title)))
    findings = [Finding(statement=f"The alert states: {said}", evidence_ids=(stated.id,))]
    findings += [
        Finding(statement=f"{_sentence(e.meaning)} ({_shown(e)})", evidence_ids=(e.id,))
        for e in observed
        if e.verdict is Verdict.SUPPORTS
    ]
    findings += [
        Finding(
            statement=f"Speaks against {e.runbook_id}: {e.asked} {_shown(e)}",
            evidence_ids=(e.id,),
        )
        for e in observed
        if e.verdict is Verdict.CONTRADICTS
    ]
    return tuple(findings)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(". ")


def _stop(text: str) -> str:
    """The text with one full stop at its end."""
    return f"{text.rstrip('. ')}."


def _shown(evidence: Evidence) -> str:
    value = f"{evidence.value:g}" if isinstance(evidence.value, float) else str(evidence.value)
    return f"{evidence.source}: {value[:200]}"
