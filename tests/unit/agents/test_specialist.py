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


def test_evidence_keeps_its_question_apart_from_what_was_sent() -> None:
    seen = look(answering(0.97)).evidence[1]
    assert (seen.question, seen.query) == ("Share of connections in use", "q")


def test_the_alert_is_quoted_first_and_no_sentence_ends_twice() -> None:
    diagnosis = look(answering(0.97)).diagnosis
    title = "Connection pool of orders-db is exhausted"
    assert diagnosis.findings[0].statement == f"The alert states: {title}"
    assert diagnosis.root_cause == (
        "Connection pool exhausted: Sessions hold connections and do not give them back. "
        "Observed: nearly all connections are in use."
    )


TWO_PROBES = [
    {"kind": "sql", "target": "database", "sql": "SELECT 1"},
    {"kind": "metric", "source": "prometheus", "query": "up"},
]


def test_a_check_that_nobody_could_be_asked_says_why_for_every_probe() -> None:
    check = {**a_runbook().checks[0].model_dump(), "probes": TWO_PROBES}

    def ask(probe: Probe) -> Evidence:
        seen = answering(None, EvidenceStatus.NOT_CONFIGURED)(probe)
        return seen.model_copy(update={"detail": f"no {probe.kind}"})

    found = investigate(
        IncidentType.DATABASE,
        an_incident(),
        a_triage(runbooks=TWO[:1]),
        an_alert(),
        {"pool": a_runbook(checks=[check])},
        ask,
    )
    assert found.diagnosis.not_seen == (
        "Share of connections in use (not configured: no sql; no metric)",
    )


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (EvidenceStatus.ERROR, EvidenceStatus.OK),
        (EvidenceStatus.NO_DATA, EvidenceStatus.OK),
        (EvidenceStatus.DENIED, EvidenceStatus.ERROR),
        (EvidenceStatus.NOT_CONFIGURED, EvidenceStatus.ERROR),
    ],
)
def test_a_probe_that_gives_no_value_leaves_the_question_to_the_next(
    first: EvidenceStatus, status: EvidenceStatus
) -> None:
    check = {**a_runbook().checks[0].model_dump(), "probes": TWO_PROBES}
    runbooks = {"pool": a_runbook(checks=[check])}

    def ask(probe: Probe) -> Evidence:
        ends = first if probe.kind == "sql" else status
        value = 0.97 if ends is EvidenceStatus.OK else None
        return answering(value, ends)(probe).model_copy(update={"source": probe.kind})

    found = investigate(
        IncidentType.DATABASE,
        an_incident(),
        a_triage(runbooks=TWO[:1]),
        an_alert(),
        runbooks,
        ask,
    )
    seen = found.evidence[1]
    told_by_second = EvidenceStatus.OK is status or first is EvidenceStatus.NOT_CONFIGURED
    assert seen.source == ("metric" if told_by_second else "sql")
    assert found.diagnosis.conclusive is (status is EvidenceStatus.OK)
