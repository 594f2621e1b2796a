"""What was deployed shortly before an alert counts as evidence, and proves nothing by itself."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from incident_squad.adapters.memory import MemoryTelemetry
from incident_squad.agents.specialist import Investigation, with_changes
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.metric import Change, Changes, MetricStatus
from incident_squad.domain.runbook import Probe
from incident_squad.steps.recent_changes import QUESTION, RecentChanges, alerted_at
from tests.builders import NOW, a_catalog, a_diagnosis, an_alert
from tests.fakes import FakeProbers, FixedClock, MemoryKnowledge

ASKED = "status/deployedSecondsAgo"
MINUTE = 60.0


class Deployer(FakeProbers):
    """Tells the release too, as the real one does."""

    def ask(self, probe: Probe, service: str | None, parameters: Mapping[str, Any]) -> Evidence:
        seen = super().ask(probe, service, parameters)
        return seen.model_copy(update={"rows": ({"release": "v42"},)})


def look(
    answer: Any = EvidenceStatus.NOT_CONFIGURED,
    told: tuple[Changes, ...] = (),
    service: str | None = "orders",
    *,
    deployer: bool = True,
) -> list[Evidence]:
    clock = FixedClock(NOW)
    catalog = a_catalog()
    if deployer:
        known = catalog.services["orders"]
        targets = {**known.targets, "deployments": "orders-db"}
        changed = known.model_copy(update={"targets": targets})
        catalog = catalog.model_copy(update={"services": {"orders": changed}})
    use_case = RecentChanges(
        knowledge=MemoryKnowledge(catalog, {}),
        probers=Deployer(clock, {ASKED: answer}),
        telemetry=MemoryTelemetry(clock, changes=told),
        clock=clock,
    )
    return list(use_case(service, NOW - timedelta(minutes=2)))


@pytest.mark.parametrize(
    ("age", "meaning"),
    [
        (6 * MINUTE, "Release v42 was put out 4 minutes before the alert"),
        (3 * MINUTE, "Release v42 was put out 1 minute before the alert"),
        (2 * MINUTE, "Release v42 was put out less than a minute before the alert"),
        (0.5 * MINUTE, "Release v42 was put out just after the alert"),
        (62 * MINUTE, "Release v42 was put out 60 minutes before the alert"),
        (63 * MINUTE, ""),
        (1e300, ""),
        (-5, "Release v42 was put out just after the alert"),
    ],
)
def test_a_release_within_the_hour_before_is_told(age: float, meaning: str) -> None:
    (seen,) = look(age)
    assert seen.question == QUESTION
    assert (seen.status, seen.meaning) == (EvidenceStatus.OK, meaning)
    assert seen.value == (1.0 if meaning else 0.0)


@pytest.mark.parametrize("answer", [EvidenceStatus.ERROR, EvidenceStatus.DENIED, "soon", True])
def test_a_deployer_that_says_nothing_useful_tells_no_change(answer: Any) -> None:
    (seen,) = look(answer)
    assert seen.meaning == ""


def test_what_sources_know_is_told_in_their_own_words() -> None:
    changes = tuple(
        Change(source="datadog", what=f"Deployed v{n}", at=NOW - timedelta(minutes=10 * n))
        for n in (1, 2, 9)
    )
    told = Changes(source="datadog", query="q", status=MetricStatus.OK, changes=changes)
    failed = Changes(source="pagerduty", query="q", status=MetricStatus.ERROR, message="down")
    first, second = look(told=(told, failed), deployer=False)
    assert first.meaning == (
        "Deployed v1 8 minutes before the alert; Deployed v2 18 minutes before the alert"
    )
    assert (first.value, first.source) == (2.0, "changes:datadog")
    assert (second.status, second.detail, second.meaning) == (EvidenceStatus.ERROR, "down", "")


@pytest.mark.parametrize("service", [None, "unknown", "orders; rm -rf"])
def test_a_service_that_nobody_declared_has_no_history(service: str | None) -> None:
    assert look(60.0, service=service) == []


def test_a_change_is_a_finding_and_no_proof() -> None:
    floor = Investigation(evidence=(), diagnosis=a_diagnosis(conclusive=False))
    changed, unseen = look(6 * MINUTE)[0], look(EvidenceStatus.ERROR)[0]
    found = with_changes(floor, (changed, unseen))
    assert [one.id for one in found.evidence] == ["E1", "E2"]
    (finding,) = found.diagnosis.findings
    assert finding.statement.startswith("Release v42 was put out 4 minutes before the alert")
    assert finding.evidence_ids == ("E1",)
    assert found.diagnosis.not_seen == (f"{QUESTION} (error)",)
    assert not found.diagnosis.conclusive
    assert found.diagnosis.confidence == floor.diagnosis.confidence


@pytest.mark.parametrize(
    ("started", "began"),
    [
        (None, NOW),
        (NOW - timedelta(minutes=9), NOW - timedelta(minutes=9)),
        (NOW + timedelta(minutes=1), NOW),
        (NOW - timedelta(days=8), NOW),
        (NOW.replace(year=1), NOW),
    ],
)
def test_an_alert_s_own_start_is_believed_if_it_can_be(started: Any, began: Any) -> None:
    assert alerted_at(an_alert(started_at=started)) == began
