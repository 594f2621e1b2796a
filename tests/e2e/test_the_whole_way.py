"""The main job, from outside: an alert in, a report out, on real components."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from infra.local.practice_database import HEALTHY, STUCK
from tests.e2e.site import Site

pytestmark = [pytest.mark.stack, pytest.mark.real, pytest.mark.timeout(240)]

BRIEF = {
    "incidentId", "severity", "type", "rootCause", "diagnosis", "proposedFix", "statusUpdate",
    "timeline",
}  # fmt: skip


def test_an_approved_plan_repairs_the_pool_and_hurts_no_healthy_session(site: Site) -> None:
    incident = site.alert()
    link = site.link(incident)
    page = site.look(link)
    assert page.status == 200
    assert b"pg_terminate_backend" in page.body
    assert site.decide(link, "approve").status == 200
    assert site.until(incident) == "resolved"
    assert site.practice.database.stuck_alive() == 0
    assert site.practice.database.healthy_alive() == HEALTHY
    report = site.report(incident)
    assert set(report) >= BRIEF
    assert report["diagnosis"]["conclusive"]
    killed = next(s for s in report["proposedFix"]["steps"] if s["mutates"])
    assert killed["status"] == "applied"
    assert len(killed["preview"]) == STUCK
    assert report["approval"]["decidedBy"]
    events = site.events(incident)
    assert events.index("ApprovalDecided") < events.index("StepApplying")
    assert events.index("StepApplied") < events.index("RecoveryVerified")


def test_a_rejected_plan_changes_nothing_and_a_human_takes_over(site: Site) -> None:
    incident = site.alert()
    assert site.decide(site.link(incident), "reject").status == 200
    assert site.until(incident) == "handed_over"
    assert site.practice.database.stuck_alive() == STUCK
    assert "StepApplying" not in site.events(incident)
    assert site.message(incident, "handover").urgent
    site.let_go(incident)


def test_looking_decides_nothing_and_only_the_first_decision_counts(site: Site) -> None:
    incident = site.alert()
    link = site.link(incident)
    with ThreadPoolExecutor(8) as pool:
        looks = list(pool.map(lambda _: site.look(link).status, range(50)))
    assert set(looks) == {200}
    assert site.incident(incident)["status"] == "awaiting_approval"
    assert site.practice.database.stuck_alive() == STUCK
    forged = link[:-1] + ("A" if link[-1] != "A" else "B")
    neutral = site.look(forged)
    assert site.decide(forged, "approve").status == neutral.status == 404
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: site.decide(link, "reject").status, range(8)))
    assert sorted(answers) == [200] + [404] * 7
    assert site.look(link).body == neutral.body
    assert site.until(incident) == "handed_over"
    assert site.events(incident).count("ApprovalDecided") == 1
    assert "ApprovalRefused" in site.events(incident)
    site.let_go(incident)


def test_a_plan_that_was_changed_after_the_link_was_made_is_never_applied(site: Site) -> None:
    incident = site.alert()
    link = site.link(incident)
    table = site.stack.clients.dynamodb
    key = {"PK": {"S": f"INC#{incident}"}, "SK": {"S": "PLAN"}}
    name = next(t for t in table.list_tables()["TableNames"] if "quad" in t)
    item = table.get_item(TableName=name, Key=key)["Item"]
    item["estimated_time"] = {"S": "1 minute"}
    table.put_item(TableName=name, Item=item)
    assert site.look(link).status == 404
    assert site.decide(link, "approve").status == 404
    assert site.until(incident) == "handed_over"
    assert "ApprovalRefused" in site.events(incident)
    assert "StepApplying" not in site.events(incident)
    assert site.practice.database.stuck_alive() == STUCK
    site.let_go(incident)


def test_trouble_that_ends_by_itself_is_closed_without_a_decision(site: Site) -> None:
    incident = site.alert()
    link = site.link(incident)
    site.resolve()
    site.stack.sweep()
    assert site.until(incident) == "resolved"
    assert site.look(link).status == 404
    assert "StepApplying" not in site.events(incident)


def test_the_bad_release_is_rolled_back(site: Site) -> None:
    bad = site.practice.service.release
    incident = site.alert("errors-01")
    site.decide(site.link(incident), "approve")
    assert site.until(incident) == "resolved"
    assert site.practice.service.release != bad
    updates = site.report(incident)["statusUpdate"]
    assert "payment-api" not in updates["external"]


def test_aws_tools_see_the_incident(site: Site) -> None:
    clients = site.stack.clients
    incident = site.client.get("/incidents", query={"limit": 1})["incidents"][0]["id"]
    name = next(t for t in clients.dynamodb.list_tables()["TableNames"] if "quad" in t)
    items = clients.dynamodb.query(
        TableName=name,
        KeyConditionExpression="PK = :key",
        ExpressionAttributeValues={":key": {"S": f"INC#{incident}"}},
    )["Items"]
    assert {"META", "PLAN", "DIAGNOSIS"} <= {item["SK"]["S"] for item in items}
    machine = clients.workflow.list_state_machines()["stateMachines"][0]["stateMachineArn"]
    execution = machine.replace(":stateMachine:", ":execution:") + f":{incident}-1"
    history = clients.workflow.get_execution_history(executionArn=execution, maxResults=500)
    entered = {
        event["stateEnteredEventDetails"]["name"]
        for event in history["events"]
        if "stateEnteredEventDetails" in event
    }
    assert {"Triage", "Synthesize", "RequestApproval"} <= entered
