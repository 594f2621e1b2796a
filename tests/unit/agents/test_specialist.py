"""Law 9: a diagnosis is only as sure as what was observed."""

from collections.abc import Callable

import pytest

from incident_squad.agents.specialist import Investigation, investigate
from incident_squad.domain.evidence import Evidence, EvidenceStatus, Verdict
from incident_squad.domain.runbook import Probe
from incident_squad.domain.triage import RunbookCandidate
from incident_squad.domain.values import IncidentType
from tests.builders import NOW, a_runbook, a_triage, an_alert, an_incident

TWO = (
    RunbookCandidate(runbook_id="pool", score=0.9),
    RunbookCandidate(runbook_id="locks", score=0.4),
)


def answering(
    value: float | None, status: EvidenceStatus = EvidenceStatus.OK
) -> Callable[[Probe], Evidence]:
    def ask(probe: Probe) -> Evidence:
        return Evidence(
            id="", source=probe.kind, query="q", status=status, value=value, observed_at=NOW
        )

    return ask


def look(ask: Callable[[Probe], Evidence], *, noise: bool = False) -> Investigation:
    runbooks = {"pool": a_runbook(), "locks": a_runbook(name="locks", checks=[])}
    return investigate(
        IncidentType.DATABASE,
        an_incident(),
        a_triage(runbooks=TWO, noise=noise),
        an_alert(),
        runbooks,
        ask,
    )


def test_supporting_evidence_makes_it_conclusive() -> None:
    found = look(answering(0.97))
    assert found.diagnosis.conclusive
    assert found.diagnosis.runbook_id == "pool"
    assert found.diagnosis.confidence > 0.7
    cited = {e for f in found.diagnosis.findings for e in f.evidence_ids}
    assert cited <= {e.id for e in found.evidence}


@pytest.mark.parametrize("value", [0.6, None])
def test_evidence_that_says_nothing_leaves_it_inconclusive(value: float | None) -> None:
    found = look(answering(value))
    assert not found.diagnosis.conclusive
    assert "Inconclusive" in found.diagnosis.root_cause
    assert found.diagnosis.confidence <= 0.5


@pytest.mark.parametrize(
    "status", [EvidenceStatus.ERROR, EvidenceStatus.DENIED, EvidenceStatus.NOT_CONFIGURED]
)
def test_what_could_not_be_seen_is_said(status: EvidenceStatus) -> None:
    found = look(answering(None, status))
    assert not found.diagnosis.conclusive
    assert found.diagnosis.not_seen


def test_contradicting_evidence_turns_to_the_next_hypothesis() -> None:
    found = look(answering(0.1))
    assert found.evidence[1].verdict is Verdict.CONTRADICTS
    assert found.diagnosis.runbook_id == "locks"
    assert not found.diagnosis.conclusive


def test_noise_is_not_investigated() -> None:
    asked: list[Probe] = []

    def ask(probe: Probe) -> Evidence:
        asked.append(probe)
        return answering(1.0)(probe)

    assert not look(ask, noise=True).diagnosis.conclusive
    assert not asked
