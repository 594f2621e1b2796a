"""What a statement says must stand in the evidence that it cites."""

import pytest

from incident_squad.domain.evidence import Evidence, EvidenceStatus, Finding, Verdict
from incident_squad.policy.conclusion import UNSURE, Reading, concluded
from incident_squad.policy.evidence_lock import lock, missing
from tests.builders import NOW, a_diagnosis, a_runbook


def seen(name: str = "E2", **fields: object) -> Evidence:
    known: dict[str, object] = {
        "id": name,
        "source": "sql:orders-db",
        "query": "SELECT count(*) FROM pg_stat_activity",
        "question": "Share of connections in use",
        "status": EvidenceStatus.OK,
        "value": 0.98,
        "rows": ({"usename": "report-job", "sessions": "480", "since": "11:42:10"},),
        "observed_at": NOW,
    }
    return Evidence.model_validate({**known, **fields})


def finding(statement: str, *ids: str) -> Finding:
    return Finding(statement=statement, evidence_ids=ids or ("E2",))


@pytest.mark.parametrize(
    "statement",
    [
        "report-job holds 480 sessions",
        "480 sessions are open, and 98% of the connections are in use",
        "The sessions of report-job are open since 11:42:10",
        "Connections are nearly used up",
        "E2 shows that pg_stat_activity is full",
    ],
)
def test_what_was_observed_may_be_said(statement: str) -> None:
    assert lock([finding(statement)], [seen()]).kept


@pytest.mark.parametrize(
    "statement",
    [
        "report-job holds 481 sessions",
        "48 sessions are open",
        "report-job2 holds 480 sessions",
        "The job runs on batch-07 with 480 sessions",
        "The sessions are open since 11:43",
        "It began on 2026-11-21",
        'The log says "out of shared memory"',
        "Ten sessions are stuck",
        "maxConnections is exceeded",
        "The address 10.0.0.7 is blocked",
    ],
)
def test_what_was_not_observed_may_not(statement: str) -> None:
    locked = lock([finding(statement)], [seen()])
    assert not locked.kept
    assert "not in the evidence" in locked.dropped[0]


@pytest.mark.parametrize("ids", [(), ("E9",), ("E2", "E9")])
def test_evidence_that_does_not_exist_proves_nothing(ids: tuple[str, ...]) -> None:
    claim = Finding(statement="480 sessions are open", evidence_ids=ids)
    assert lock([claim], [seen()]).dropped == ("it cites evidence that does not exist",)


def test_a_look_that_failed_proves_nothing() -> None:
    failed = seen(status=EvidenceStatus.ERROR, detail="480 errors")
    assert lock([finding("480 errors were seen")], [failed]).dropped


def test_a_number_must_stand_in_the_evidence_that_is_cited_and_not_elsewhere() -> None:
    other = seen("E3", rows=(), value=7, query="SELECT 1", question="x")
    assert lock([finding("480 sessions are open", "E3")], [seen(), other]).dropped


def test_figures_are_compared_as_numbers() -> None:
    assert not missing("It took 1,200 ms", "took 1200.0 ms")
    assert missing("It took 1,201 ms", "took 1200 ms")


FLOOR = a_diagnosis(conclusive=False, confidence=0.3, root_cause="Inconclusive so far.")
RUNBOOKS = {"pool": a_runbook(), "other": a_runbook(name="other", title="Other cause")}


def read(**fields: object) -> Reading:
    known: dict[str, object] = {"root_cause": "", "runbook_id": None, "confidence": 1.0}
    return Reading.model_validate({**known, **fields})


def test_a_guess_is_never_conclusive() -> None:
    reading = read(runbook_id="other", root_cause="It is other.")
    found = concluded(FLOOR, reading, [seen()], RUNBOOKS, engine="claude:x")
    assert not found.conclusive
    assert found.runbook_id == FLOOR.runbook_id
    assert found.confidence <= UNSURE


def test_observed_support_of_another_runbook_confirms_it() -> None:
    support = seen(runbook_id="other", verdict=Verdict.SUPPORTS, meaning="connections are used up")
    found = concluded(FLOOR, read(runbook_id="other"), [support], RUNBOOKS, engine="claude:x")
    assert found.conclusive
    assert found.runbook_id == "other"
    assert found.hypotheses[0].supported_by == ("E2",)


def test_one_observation_against_it_is_enough() -> None:
    both = [
        seen(runbook_id="other", verdict=Verdict.SUPPORTS),
        seen("E3", runbook_id="other", verdict=Verdict.CONTRADICTS),
    ]
    found = concluded(FLOOR, read(runbook_id="other"), both, RUNBOOKS, engine="claude:x")
    assert not found.conclusive


def test_another_specialists_runbook_is_not_chosen() -> None:
    network = {**RUNBOOKS, "other": a_runbook(name="other", type="network")}
    support = seen(runbook_id="other", verdict=Verdict.SUPPORTS)
    found = concluded(FLOOR, read(runbook_id="other"), [support], network, engine="claude:x")
    assert not found.conclusive


def test_what_the_floor_is_sure_of_stays() -> None:
    sure = a_diagnosis(conclusive=True, confidence=0.85)
    support = seen(runbook_id="other", verdict=Verdict.SUPPORTS)
    reading = read(runbook_id="other", confidence=0.0, root_cause="It is web-99.")
    found = concluded(sure, reading, [support], RUNBOOKS, engine="claude:x")
    assert (found.conclusive, found.runbook_id, found.confidence) == (True, "pool", 0.85)
    assert found.root_cause == sure.root_cause


def test_what_has_no_basis_is_left_out_told_and_costs_confidence() -> None:
    reading = read(
        confidence=0.5,
        findings=[
            {"statement": "report-job holds 480 sessions", "evidence_ids": ["E2"]},
            {"statement": "web-99 holds 480 sessions", "evidence_ids": ["E2"]},
        ],
    )
    found = concluded(FLOOR, reading, [seen()], RUNBOOKS, engine="claude:x")
    assert [one.statement for one in found.findings] == ["report-job holds 480 sessions"]
    assert found.confidence == 0.25
    assert "1 of 2" in found.fallback_reason


def test_a_hypothesis_may_be_considered_with_what_speaks_against_it() -> None:
    considered = {
        "runbook_id": "other",
        "statement": "480 sessions speak against it",
        "supported_by": ["E99"],
        "contradicted_by": ["E2"],
    }
    found = concluded(FLOOR, read(hypotheses=[considered]), [seen()], RUNBOOKS, engine="claude:x")
    assert found.hypotheses[-1].contradicted_by == ("E2",)
    assert found.hypotheses[-1].supported_by == ()
    assert not found.conclusive
