"""The tool execute_runbook: what it shows, and every way to make it act that must fail."""

from datetime import timedelta
from typing import Any, cast

import pytest

from incident_squad.bootstrap.tools import preview_step_of
from incident_squad.bootstrap.world import World
from incident_squad.contracts import PreviewStepInput
from incident_squad.domain.approval import ApprovalStatus
from incident_squad.domain.errors import (
    AuditFailure,
    InvalidParameter,
    PlanChanged,
    PolicyViolation,
    SquadError,
    StepFailed,
    UnknownIncident,
    UnknownRunbook,
)
from incident_squad.domain.incident import IncidentStatus
from incident_squad.domain.plan import Applier, PlannedStep, StepRecord, StepStatus
from incident_squad.domain.runbook import Runbook
from incident_squad.domain.timeline import Entry, TimelineEvent
from incident_squad.domain.values import Environment, Severity
from incident_squad.steps.tools.execute_runbook import REFUSALS_NOTED, REFUSED, ExecuteRunbook
from incident_squad.steps.tools.inputs import ExecuteRunbookInput
from tests.builders import INCIDENT_ID, NOW, a_catalog, an_alert, an_incident
from tests.fakes import FakeExecutors, FixedClock, MemoryIncidents, MemoryTimeline
from tests.tools import DirectScout
from tests.unit.steps.remediation import COUNT, END, ROWS, Squad, the_plan, the_runbook

ADA = "ada@example.com"
STAGING: dict[str, Any] = {
    "public_name": {"en": "Orders (staging)"},
    "tier": "non_production",
    "owner": "orders-team",
    "environment": "staging",
    "targets": {"database": "orders-db-staging"},
}


SECONDS = {"type": "integer", "description": "x", "min": 1, "max": 600, "default": 60}


class Tool:
    """The tool over an incident with a plan."""

    def __init__(self, squad: Squad) -> None:
        self.squad = squad
        # It has all of a world that a look needs.
        self.scout = DirectScout(preview_step_of(cast("World", squad)))
        self.tool = ExecuteRunbook(
            incidents=squad.incidents,
            approvals=squad.approvals,
            timeline=squad.timeline,
            knowledge=squad.knowledge,
            scout=self.scout,
            clock=squad.clock,
        )

    def call(self, **asked: Any) -> dict[str, Any]:
        known = {"runbookId": "pool", "stepIndex": 1, "targetEnvironment": "production"}
        return self.tool(ExecuteRunbookInput.model_validate({**known, **asked}))

    def act(self, **asked: Any) -> dict[str, Any]:
        return self.call(**{"dryRun": False, "incidentId": INCIDENT_ID, **asked})

    @property
    def refusals(self) -> list[str]:
        events = self.squad.timeline.read(INCIDENT_ID)
        return [event.summary for event in events if event.event == REFUSED]


def ready() -> Runbook:
    """A runbook whose parameters need nobody."""
    return the_runbook(COUNT, {**END, "parameters": {"seconds": SECONDS}})


def refused(tool: Tool, words: str, kind: type[SquadError] = PolicyViolation, **asked: Any) -> None:
    before = len(tool.refusals)
    with pytest.raises(kind, match=words):
        tool.act(**asked)
    assert tool.squad.done == []
    assert len(tool.refusals) == before + 1
    assert "Refused to run" in tool.refusals[-1]


def in_staging(**fields: Any) -> dict[str, Any]:
    services = {"orders": {**STAGING, **fields}}
    targets = {
        "orders-db": {"kind": "postgresql", "reader": "r", "writer": "w"},
        "orders-db-staging": {"kind": "postgresql", "reader": "r", "writer": "w"},
    }
    return {"services": services, "targets": targets}


def staging_squad(**fields: Any) -> Squad:
    runbook = the_runbook()
    plan = the_plan(runbook, Applier.AUTO)
    steps = tuple(s.model_copy(update={"target": "orders-db-staging"}) for s in plan.steps)
    update = {"environment": Environment.STAGING, "steps": steps}
    return Squad(
        severity=Severity.SEV3,
        runbook=runbook,
        plan=plan.model_copy(update=update),
        catalog=a_catalog(**in_staging(**fields)),
        approved=False,
    )


# The dry run


def test_the_briefs_parameters_are_enough_for_a_preview() -> None:
    tool = Tool(Squad(runbook=ready(), approved=False))
    shown = tool.call()
    assert shown["dryRun"] is True
    assert shown["incidentId"] == INCIDENT_ID  # the only open one whose plan holds the step
    assert shown["preview"] == [dict(row) for row in ROWS]
    assert (shown["parameters"], shown["blocked"]) == ({"seconds": 60}, None)
    assert shown["approval"] == "needed: the incident is SEV1"
    assert tool.squad.done == []
    assert tool.refusals == []


def test_a_dry_run_needs_no_incident() -> None:
    tool = Tool(Squad(approved=False))
    tool.squad.incidents.change(INCIDENT_ID, status=IncidentStatus.RESOLVED)
    shown = tool.call()  # only one service in production has such a target
    assert (shown["service"], shown["target"]) == ("orders", "orders-db")
    assert shown["incidentId"] is None
    assert shown["before"] == "Connections are short"


def test_a_dry_run_that_could_mean_several_services_asks_which() -> None:
    catalog = a_catalog(
        services={
            name: {**STAGING, "environment": "production", "targets": {"database": "orders-db"}}
            for name in ("orders", "stock")
        }
    )
    tool = Tool(Squad(catalog=catalog, approved=False))
    tool.squad.incidents.change(INCIDENT_ID, status=IncidentStatus.RESOLVED)
    shown = tool.call()
    assert "a service (orders, stock)" in shown["blocked"]
    assert tool.scout.asked == []
    assert tool.call(service="stock")["service"] == "stock"
    with pytest.raises(InvalidParameter, match="no service 'none', but orders, stock"):
        tool.call(service="none")


def test_a_parameter_without_a_value_is_named() -> None:
    assert "'seconds' has no value" in Tool(Squad()).call()["blocked"]


def test_a_dry_run_says_why_it_could_not_look() -> None:
    squad = Squad(approved=False)
    squad.executors = FakeExecutors({})
    shown = Tool(squad).call()
    assert "cannot run steps of the kind 'sql'" in shown["blocked"]
    assert "could not be previewed" in shown["message"]


def test_a_step_that_only_looks_says_so() -> None:
    assert "only looks" in Tool(Squad()).call(stepIndex=0)["message"]


def test_underscores_are_as_good_as_hyphens() -> None:
    runbook = the_runbook(name="db-pool")
    squad = Squad(runbook=runbook)
    assert Tool(squad).call(runbookId="db_pool", service="orders")["runbookId"] == "db-pool"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"runbookId": "pol"}, "did you mean pool"),
        ({"runbookId": "../../etc/passwd"}, "there is no runbook"),
        ({"stepIndex": 2}, "steps 0 to 1, and no step 2"),
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_what_is_not_in_the_library_is_refused(
    asked: dict[str, Any], words: str, dry_run: bool
) -> None:
    tool = Tool(Squad())
    with pytest.raises(UnknownRunbook, match=words):
        tool.call(**asked, dryRun=dry_run)
    assert tool.scout.asked == []


def test_an_unknown_incident_is_refused() -> None:
    with pytest.raises(UnknownIncident):
        Tool(Squad()).act(incidentId="INC-20261122-00000")


# Law 1 and 2: nothing for SEV1 and SEV2 without the approval of this very plan


@pytest.mark.parametrize("severity", [Severity.SEV1, Severity.SEV2, None])
def test_production_needs_a_named_approver(severity: Severity | None) -> None:
    refused(Tool(Squad(severity=severity)), "'approvedBy' must name who approved")


@pytest.mark.parametrize("severity", [Severity.SEV1, Severity.SEV2])
def test_a_claim_is_never_believed(severity: Severity) -> None:
    refused(Tool(Squad(severity=severity, approved=False)), "no stored approval", approvedBy=ADA)


@pytest.mark.parametrize("name", ["ben@example.com", "eve@example.com"])
def test_somebody_elses_approval_does_not_count(name: str) -> None:
    refused(Tool(Squad()), f"no stored approval of this very plan is by {name}", approvedBy=name)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": ApprovalStatus.PENDING, "decided_by": None, "decided_at": None},
        {"status": ApprovalStatus.REJECTED},
        {"status": ApprovalStatus.EXPIRED},
        {"status": ApprovalStatus.VOID},
        {"plan_hash": "0" * 64},
        {"decided_by": "eve@example.com"},
        {"approvers": ("ben@example.com",)},
        {"decided_at": NOW - timedelta(minutes=61)},
        {"decided_at": NOW + timedelta(minutes=1)},
    ],
)
def test_only_a_fresh_approval_of_this_plan_by_an_approver_counts(fields: dict[str, Any]) -> None:
    squad = Squad(approved=False)
    squad.approve(**fields)
    refused(Tool(squad), "approv", approvedBy=ADA)


def test_a_changed_plan_voids_the_approval() -> None:
    squad = Squad()
    other = squad.the_plan.model_copy(update={"estimated_time": "1 minute"})
    squad.incidents.put_plan(other)
    refused(Tool(squad), "no stored approval", approvedBy=ADA)


def test_a_changed_runbook_stops_an_approved_step() -> None:
    squad = Squad()
    changed = squad.runbook.model_copy(update={"digest": "d2"})
    tool = Tool(Squad(runbook=changed, plan=squad.the_plan))
    refused(tool, "has changed since the plan was made", PlanChanged, approvedBy=ADA)


@pytest.mark.parametrize("status", [IncidentStatus.HANDED_OVER, IncidentStatus.RESOLVED])
def test_a_closed_incident_is_left_alone(status: IncidentStatus) -> None:
    squad = Squad()
    squad.incidents.change(INCIDENT_ID, status=status)
    refused(Tool(squad), status.value.replace("_", " "), approvedBy=ADA)


def test_the_waiting_approvers_are_mentioned() -> None:
    squad = Squad(approved=False)
    squad.incidents.change(INCIDENT_ID, status=IncidentStatus.AWAITING_APPROVAL)
    refused(Tool(squad), "have not decided yet", approvedBy=ADA)


def test_a_step_that_is_not_planned_is_refused() -> None:
    squad = Squad(runbook=the_runbook(COUNT, END, {**END, "when": "recurs"}))
    tool = Tool(squad)
    refused(tool, "only for a fault that recurs", stepIndex=2, approvedBy=ADA)
    squad = Squad(plan=the_plan(the_runbook(COUNT)), runbook=the_runbook())
    refused(Tool(squad), "has no step 1", approvedBy=ADA)


def test_without_an_incident_nothing_is_ever_done() -> None:
    squad = Squad()
    squad.incidents.change(INCIDENT_ID, status=IncidentStatus.RESOLVED)
    with pytest.raises(PolicyViolation, match="only a step of an incident's stored plan"):
        Tool(squad).call(dryRun=False, approvedBy=ADA, service="orders")
    assert squad.done == []


def test_two_plans_with_the_step_need_an_incident_id() -> None:
    squad = Squad()
    other = an_incident(id="INC-20261122-7F3KR")
    squad.incidents.open(other, an_alert(key="another"), NOW + timedelta(days=1))
    squad.incidents.put_plan(squad.the_plan.model_copy(update={"incident_id": other.id}))
    for dry_run in (True, False):
        with pytest.raises(InvalidParameter, match=f"{other.id}, {INCIDENT_ID}"):
            Tool(squad).call(dryRun=dry_run, approvedBy=ADA)


# Environments


def test_a_plan_for_production_is_not_one_for_staging() -> None:
    refused(Tool(Squad()), "for staging", targetEnvironment="staging", approvedBy=ADA)


def test_what_an_alert_calls_staging_does_not_open_production() -> None:
    squad = Squad(severity=Severity.SEV3, approved=False)
    claimed = {"environment": Environment.STAGING, "applier": Applier.AUTO}
    squad.incidents.put_plan(squad.the_plan.model_copy(update=claimed))
    tool = Tool(squad)
    refused(tool, "'orders' is a production service", targetEnvironment="staging")
    with pytest.raises(PolicyViolation, match="'orders' is a production service"):
        tool.call(targetEnvironment="staging")
    assert tool.scout.asked == []


def test_a_target_that_production_shares_is_productions() -> None:
    squad = staging_squad()
    shop = {**STAGING, "environment": "production", "targets": {"store": "orders-db-staging"}}
    services = {"orders": STAGING, "shop": shop}
    squad = Squad(
        severity=Severity.SEV3,
        plan=squad.the_plan,
        catalog=a_catalog(**{**in_staging(), "services": services}),
        approved=False,
    )
    refused(Tool(squad), "used in production too", targetEnvironment="staging")


def test_an_unknown_service_is_not_staging() -> None:
    squad = staging_squad()
    squad.incidents.change(INCIDENT_ID, service="mystery")
    refused(Tool(squad), "only services of the catalogue", targetEnvironment="staging")


def test_staging_needs_no_approval_for_a_small_fault() -> None:
    squad = staging_squad()
    for place in (0, 1):
        squad.run(place)
    shown = Tool(squad).act(targetEnvironment="staging")
    assert shown["status"] == "applied"


# What became of it


def test_an_approved_step_that_the_workflow_ran_is_told() -> None:
    squad = Squad()
    squad.run_all()
    acts = list(squad.done)
    shown = Tool(squad).act(approvedBy="Ada@Example.com")
    assert (shown["dryRun"], shown["status"]) == (False, "applied")
    assert shown["actedOn"] == [dict(row) for row in ROWS]
    assert squad.done == acts  # asking never does it again


def test_a_step_that_ran_is_told_of_only_under_its_approval() -> None:
    squad = Squad()
    squad.run_all()
    tool = Tool(squad)
    with pytest.raises(PolicyViolation, match="no stored approval"):
        tool.act(approvedBy="eve@example.com")
    assert len(tool.refusals) == 1


def test_an_approved_step_is_waited_for_and_left_to_the_workflow() -> None:
    squad = Squad()
    shown = Tool(squad).act(approvedBy=ADA)
    assert shown["status"] == "waiting"
    assert "the workflow runs the plan in order" in shown["message"]
    assert squad.done == []
    assert 0 < squad.clock.slept <= 10


def test_a_small_fault_needs_no_approver() -> None:
    plan = the_plan(the_runbook(), Applier.AUTO)
    squad = Squad(severity=Severity.SEV3, plan=plan, approved=False)
    assert Tool(squad).act()["status"] == "waiting"
    refused(Tool(squad), "no stored approval", approvedBy="eve@example.com")


def test_a_step_that_failed_is_an_error() -> None:
    squad = Squad()
    record = StepRecord(
        place=1,
        plan_hash=squad.the_plan.hash,
        status=StepStatus.FAILED,
        started_at=NOW,
        detail="the database said no",
    )
    squad.incidents.put_step(INCIDENT_ID, record)
    with pytest.raises(StepFailed, match="failed: the database said no"):
        Tool(squad).act(approvedBy=ADA)


# The record


def test_a_refusal_is_on_the_timeline_with_what_was_claimed() -> None:
    tool = Tool(Squad(approved=False))
    refused(tool, "no stored approval", approvedBy="eve@example.com")
    event = tool.squad.timeline.read(INCIDENT_ID)[-1]
    assert event.data["claimedApprover"] == "eve@example.com"
    assert (event.actor.kind.value, event.actor.name) == ("system", "mcp")


def test_a_flood_of_refusals_does_not_bury_the_incident() -> None:
    tool = Tool(Squad(approved=False))
    for _ in range(REFUSALS_NOTED + 5):
        with pytest.raises(PolicyViolation):
            tool.act(approvedBy=ADA)
    assert len(tool.refusals) == REFUSALS_NOTED


def test_a_refusal_that_cannot_be_written_is_still_none() -> None:
    class Broken(MemoryTimeline):
        def append(self, incident_id: str, entry: Entry) -> TimelineEvent:
            raise AuditFailure("no disk")

    clock = FixedClock()
    squad = Squad(approved=False)
    squad.timeline = Broken(MemoryIncidents(clock), clock)
    with pytest.raises(AuditFailure):
        Tool(squad).act(approvedBy=ADA)
    assert squad.done == []


def test_the_scout_can_only_preview() -> None:
    squad = Squad(runbook=ready())
    tool = Tool(squad)
    tool.call()
    assert {act.partition(":")[0] for act in squad.executor.done} == {"preview"}
    planned: PlannedStep = tool.scout._look(
        PreviewStepInput(runbook_id="pool", step_index=1, incident_id=INCIDENT_ID)
    ).step
    assert planned.target == "orders-db"
    with pytest.raises(UnknownRunbook):
        tool.scout.preview("pool", 7, incident_id=None, service=None)
