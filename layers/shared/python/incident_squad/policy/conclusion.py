"""What of a model's diagnosis counts: what the evidence holds, and never less than the floor's.

Whether the cause is sure is judged by code, from observations against thresholds (law 9). A model
can word, add and consider; it can neither make a guess conclusive nor undo what was observed.
"""

from collections.abc import Mapping, Sequence

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from incident_squad.domain.evidence import (
    Diagnosis,
    Evidence,
    EvidenceStatus,
    Finding,
    Hypothesis,
    Verdict,
)
from incident_squad.domain.runbook import Runbook
from incident_squad.domain.values import Value
from incident_squad.policy.evidence_lock import Locked, lock, unsupported

UNSURE = 0.5
"""Without observed support nobody is surer than this."""

_MOST_HYPOTHESES = 6
_MOST_ADDED = 8


class ReadFinding(Value):
    """A model's statement and what it cites."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)
    statement: str
    evidence_ids: tuple[str, ...] = ()


class ReadHypothesis(Value):
    """A cause that a model considered."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)
    runbook_id: str | None
    statement: str
    supported_by: tuple[str, ...] = ()
    contradicted_by: tuple[str, ...] = ()


class Reading(Value):
    """What a model reads from the evidence."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)
    root_cause: str
    runbook_id: str | None = None
    confidence: float = Field(ge=0, le=1)
    findings: tuple[ReadFinding, ...] = ()
    hypotheses: tuple[ReadHypothesis, ...] = ()


def concluded(
    floor: Diagnosis,
    reading: Reading,
    evidence: Sequence[Evidence],
    runbooks: Mapping[str, Runbook],
    *,
    engine: str,
) -> Diagnosis:
    """The floor's diagnosis with what counts of the reading."""
    locked = lock(
        [
            Finding(statement=_line(read.statement), evidence_ids=read.evidence_ids)
            for read in reading.findings
        ],
        evidence,
    )
    chosen = _chosen(floor, reading, evidence, runbooks)
    known = {finding.statement for finding in floor.findings}
    added = [finding for finding in locked.kept if finding.statement not in known]
    return chosen.model_copy(
        update={
            "root_cause": _root_cause(chosen, reading, locked, evidence),
            "confidence": _confidence(chosen, reading, locked),
            "findings": (*floor.findings, *added[:_MOST_ADDED]),
            "hypotheses": _hypotheses(chosen, reading, evidence, runbooks),
            "engine": engine,
            "fallback_reason": _left_out(locked),
        }
    )


def _chosen(
    floor: Diagnosis,
    reading: Reading,
    evidence: Sequence[Evidence],
    runbooks: Mapping[str, Runbook],
) -> Diagnosis:
    """The floor's choice, unless it is open and observations confirm another of its own type."""
    runbook = runbooks.get(reading.runbook_id or "")
    if floor.conclusive or runbook is None or runbook.type is not floor.specialist:
        return floor
    own = [seen for seen in evidence if seen.runbook_id == runbook.name]
    support = tuple(e for e in own if e.verdict is Verdict.SUPPORTS)
    against = any(e.verdict is Verdict.CONTRADICTS for e in own)
    if against or not support:
        return floor
    seen = "; ".join(e.meaning for e in support)
    return floor.model_copy(
        update={
            "runbook_id": runbook.name,
            "conclusive": True,
            "root_cause": f"{runbook.title}: {runbook.root_cause} Observed: {seen}.",
            "confidence": round(min(0.95, 0.65 + 0.1 * len(support)), 2),
            "hypotheses": (
                Hypothesis(
                    runbook_id=runbook.name,
                    statement=runbook.root_cause,
                    supported_by=tuple(e.id for e in support),
                ),
                *(h for h in floor.hypotheses if h.runbook_id != runbook.name),
            ),
        }
    )


def _root_cause(
    chosen: Diagnosis, reading: Reading, locked: Locked, evidence: Sequence[Evidence]
) -> str:
    """The floor's sentence stands; the model's follows when every part of it was observed."""
    said = _line(reading.root_cause)
    seen = [one for one in evidence if one.status is EvidenceStatus.OK]
    if not said or not locked.kept or unsupported(said, seen):
        return chosen.root_cause
    return f"{chosen.root_cause} In the specialist's words: {said}"[:1900]


def _confidence(chosen: Diagnosis, reading: Reading, locked: Locked) -> float:
    if chosen.conclusive:
        return chosen.confidence
    if not locked.kept:
        return min(chosen.confidence, UNSURE)
    return round(min(UNSURE, reading.confidence * locked.share), 2)


def _hypotheses(
    chosen: Diagnosis,
    reading: Reading,
    evidence: Sequence[Evidence],
    runbooks: Mapping[str, Runbook],
) -> tuple[Hypothesis, ...]:
    """Those that code has judged, then those that the model only considered."""
    seen = {one.id: one for one in evidence if one.status is EvidenceStatus.OK}
    judged = {hypothesis.runbook_id for hypothesis in chosen.hypotheses}
    added = []
    for read in reading.hypotheses:
        cited = [name for name in (*read.supported_by, *read.contradicted_by) if name in seen]
        known = read.runbook_id in runbooks and read.runbook_id not in judged
        if known and cited and not unsupported(read.statement, [seen[name] for name in cited]):
            added.append(
                Hypothesis(
                    runbook_id=str(read.runbook_id),
                    statement=_line(read.statement),
                    supported_by=tuple(name for name in read.supported_by if name in seen),
                    contradicted_by=tuple(name for name in read.contradicted_by if name in seen),
                )
            )
    return (*chosen.hypotheses, *added)[:_MOST_HYPOTHESES]


def _left_out(locked: Locked) -> str:
    if not locked.dropped:
        return ""
    total = len(locked.kept) + len(locked.dropped)
    return (
        f"{len(locked.dropped)} of {total} of the model's findings were left out: "
        f"{'; '.join(dict.fromkeys(locked.dropped))}"
    )[:500]


def _line(text: str) -> str:
    return " ".join(text.split())[:600]
