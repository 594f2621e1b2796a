"""The report and the post-mortem draft, from the record."""

import re

import pytest

from incident_squad.domain.approval import Decision
from incident_squad.domain.errors import PolicyViolation, UnknownIncident
from incident_squad.domain.incident import IncidentStatus
from incident_squad.domain.plan import StepRecord, StepStatus
from incident_squad.domain.update import UpdateState
from incident_squad.steps.report import UNKNOWN_CAUSE
from tests.builders import INCIDENT_ID, a_diagnosis, an_alert, an_incident, later
from tests.website import Website, a_website, the_plan


@pytest.fixture
def site() -> Website:
    return a_website()


def resolve(site: Website, status: StepStatus = StepStatus.APPLIED) -> None:
    site.approval_api.decide_approval.decide(site.link(), Decision.APPROVED, "go")
    record = StepRecord(
        place=1,
        plan_hash=the_plan().hash,
        status=status,
        started_at=later(seconds=5),
        finished_at=later(seconds=9),
        detail="3 sessions",
    )
    site.incidents.put_step(INCIDENT_ID, record)
    site.clock.moment = later(seconds=20)
    site.publish(INCIDENT_ID, UpdateState.RESOLVED)
    site.incidents.change(INCIDENT_ID, status=IncidentStatus.RESOLVED, resolved_at=site.clock.now())


def test_the_report_has_the_customers_names(site: Website) -> None:
    report = site.report(INCIDENT_ID).to_json()
    assert report["incidentId"] == INCIDENT_ID
    assert (report["severity"], report["type"]) == ("SEV1", "database")
    assert report["rootCause"] == "Sessions are stuck and hold all connections."
    assert report["diagnosis"]["specialist"] == "database"
    assert report["diagnosis"]["findings"][0]["evidenceIds"] == ["E1"]
    assert report["diagnosis"]["confidence"] == 0.8
    fix = report["proposedFix"]
    assert (fix["estimatedTime"], fix["riskLevel"]) == ("5-10 minutes", "medium")
    step = fix["steps"][1]
    assert {"runbookId", "stepIndex", "title", "command", "parameters", "undo"} <= step.keys()
    assert step["status"] == "planned"
    assert fix["steps"][2]["status"] == "conditional"
    assert report["statusUpdate"]["external"].startswith("[Identified] Orders")
    assert "prod-db-01" in report["statusUpdate"]["internal"]
    first = report["timeline"][0]
    assert first["event"] == "AlertReceived"
    assert re.fullmatch(r"2026-11-22T11:56:00\.\d{3}Z", first["timestamp"])
    assert report["triage"]["impact"]["affectedPercent"] == 45
    assert report["evidence"][0]["query"].startswith("SELECT")
    assert report["executiveSummary"] == ""


def test_the_report_of_a_resolved_incident_says_what_became_of_it(site: Website) -> None:
    resolve(site)
    report = site.report(INCIDENT_ID)
    assert report.proposed_fix.steps[1].status == "applied"
    assert report.proposed_fix.steps[1].detail == "3 sessions"
    assert report.clocks == {
        "triaged": 0,
        "diagnosed": 60,
        "planned": 60,
        "approved": 240,
        "mitigated": 249,
        "resolved": 260,
    }
    assert report.approval is not None
    assert report.approval["decidedBy"] == "ada@example.com"
    assert "the task token" not in str(report.to_json())
    assert report.status_update.external.startswith("[Resolved] Orders")
    assert "Fix applied: Terminate the stuck sessions, and only those." in report.executive_summary


def test_records_of_another_plan_do_not_count(site: Website) -> None:
    stale = StepRecord(place=1, plan_hash="another", status=StepStatus.APPLIED, started_at=later())
    site.incidents.put_step(INCIDENT_ID, stale)
    assert site.report(INCIDENT_ID).proposed_fix.steps[1].status == "planned"


def test_a_report_right_after_triage_claims_nothing() -> None:
    site = Website()
    whole = a_website().incidents.get(INCIDENT_ID)
    site.incidents.open(an_incident(triage=whole.triage), an_alert(), later(days=1))
    report = site.report(INCIDENT_ID)
    assert report.root_cause == UNKNOWN_CAUSE
    assert report.diagnosis.findings == ()
    assert report.proposed_fix.steps == ()
    assert report.status_update.external.startswith("[Investigating] Orders")


def test_there_is_no_report_of_nothing() -> None:
    site = Website()
    with pytest.raises(UnknownIncident):
        site.report(INCIDENT_ID)
    site.incidents.open(an_incident(), an_alert(), later(days=1))
    with pytest.raises(PolicyViolation):
        site.report(INCIDENT_ID)


def test_the_post_mortem_tells_the_whole_story(site: Website) -> None:
    resolve(site)
    text = site.post_mortem(INCIDENT_ID)
    for part in ("Summary", "Impact", "Root cause", "Clocks", "Action items", "Timeline"):
        assert f"## {part}" in text
    assert "proven, confidence 80%, by floor" in text
    assert "E1, postgresql orders-db: SELECT" in text
    assert "| approved | 240 |" in text
    assert "- Triaged 0 seconds after the alert." in text
    assert "- Steps applied and verified: 1; none failed." in text
    assert "1. Prevent a repetition: Let the pool accept more clients if it recurs" in text
    assert "| 11:56:00 | router |  | Triaged |" in text


def test_the_post_mortem_hides_no_failure(site: Website) -> None:
    resolve(site, StepStatus.FAILED)
    site.incidents.put_diagnosis(INCIDENT_ID, a_diagnosis(conclusive=False))
    site.incidents.change(
        INCIDENT_ID, status=IncidentStatus.HANDED_OVER, hand_over_reason="a step failed"
    )
    text = site.post_mortem(INCIDENT_ID)
    assert "- The evidence did not prove a root cause." in text
    assert "- A step ended as failed: 3 sessions" in text
    assert "- Handed over to a human: a step failed" in text


def test_a_late_update_is_owned_up_to(site: Website) -> None:
    site.clock.moment = later(minutes=40)
    site.publish(INCIDENT_ID, UpdateState.MONITORING)
    assert "- The promised update after Identified was late." in site.post_mortem(INCIDENT_ID)


def test_a_hostile_alert_is_harmless_in_markdown() -> None:
    site = a_website("<script>x</script> [a](javascript:b) | # h\n# forged heading")
    text = site.post_mortem(INCIDENT_ID)
    assert "<script>" not in text
    assert "\n# forged" not in text
    assert "[a](" not in text.replace("\\[a\\](", "")


def test_the_post_mortem_quotes_only_what_customers_could_read(site: Website) -> None:
    site.text_link()
    text = site.post_mortem(INCIDENT_ID)
    quoted = text.partition("What customers were told last:")[2].partition("## ")[0]
    assert "Identified" in quoted
    assert "Monitoring" not in quoted


def test_a_model_that_failed_is_not_told_as_a_leak(site: Website) -> None:
    (update, *_) = site.incidents.updates(INCIDENT_ID)
    failed = update.model_copy(update={"fallback_reason": "overloaded: 529"})
    site.incidents.put_update(INCIDENT_ID, failed)
    assert "leak gate" not in site.post_mortem(INCIDENT_ID)
    leaked = update.model_copy(update={"fallback_reason": "the leak gate stopped the text: ip"})
    site.incidents.put_update(INCIDENT_ID, leaked)
    assert "The leak gate stopped a public text" in site.post_mortem(INCIDENT_ID)
