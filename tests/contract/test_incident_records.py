"""What is stored with an incident: one contract for every store."""

from functools import partial

from incident_squad.adapters.records import EXCERPT
from incident_squad.domain.evidence import Evidence, EvidenceStatus, Finding
from incident_squad.domain.plan import StepRecord, StepStatus
from incident_squad.domain.update import StatusUpdate, UpdateState
from tests.builders import (
    INCIDENT_ID,
    NOW,
    a_diagnosis,
    a_plan,
    a_planned_step,
    an_alert,
    an_incident,
    later,
)
from tests.contract.stores import Stores, together


def test_evidence_comes_back_in_the_order_of_its_ids(stores: Stores) -> None:
    values = (1.0, 0.1, 1e300, "7", True, None, 0.0, "", False, 12.5, -3.0)
    stored = [
        Evidence(
            id=f"E{number}",
            source="sql",
            query="SELECT 1",
            status=EvidenceStatus.OK,
            value=value,
            rows=({"pid": "1", "état": "é"},),
            observed_at=NOW,
        )
        for number, value in enumerate(values, start=1)
    ]
    for evidence in reversed(stored):
        stores.incidents.put_evidence(INCIDENT_ID, evidence)
    assert stores.incidents.evidence(INCIDENT_ID) == tuple(stored)


def test_what_a_store_cannot_hold_of_evidence_is_cut(stores: Stores) -> None:
    evidence = Evidence(
        id="E1",
        source="sql",
        query="q",
        status=EvidenceStatus.OK,
        rows=tuple({"text": "x" * 1000} for _ in range(900)),
        detail="é" * 900_000,
        observed_at=NOW,
    )
    stores.incidents.put_evidence(INCIDENT_ID, evidence)
    (kept,) = stores.incidents.evidence(INCIDENT_ID)
    assert kept.rows == evidence.rows[: len(kept.rows)]
    assert 10 < len(kept.rows) < EXCERPT / 1000
    assert len(kept.detail) == EXCERPT


def test_a_plan_keeps_its_hash(stores: Stores) -> None:
    step = a_planned_step(
        parameters={"share": 1.0, "count": 1, "force": True, "ip": "203.0.113.9", "big": 2**80},
        preview=tuple({"pid": str(pid), "query": "SELECT " * 50} for pid in range(500)),
    )
    plan = a_plan(steps=(step,), why=("because",))
    stores.incidents.put_plan(plan)
    found = stores.incidents.plan(INCIDENT_ID)
    assert found == plan
    assert found is not None
    assert found.hash == plan.hash


def test_diagnosis_steps_and_updates_come_back_in_order(stores: Stores) -> None:
    diagnosis = a_diagnosis(findings=(Finding(statement="s", evidence_ids=("E1",)),))
    steps = [
        StepRecord(
            place=place,
            plan_hash="p",
            status=StepStatus.APPLIED,
            started_at=NOW,
            result={"ids": [1, 1.0, None, {"deep": []}]},
        )
        for place in (0, 2, 10)
    ]
    states = (UpdateState.MONITORING, UpdateState.RESOLVED, UpdateState.INVESTIGATING)
    updates = [
        StatusUpdate(state=state, at=at, public_name="Orders", external="e", internal="i" * 90_000)
        for state, at in zip(states, (NOW, NOW, later(milliseconds=1)), strict=True)
    ]
    stores.incidents.put_diagnosis(INCIDENT_ID, diagnosis)
    for record in reversed(steps):
        stores.incidents.put_step(INCIDENT_ID, record)
    for update in reversed(updates):
        stores.incidents.put_update(INCIDENT_ID, update)
    published = updates[0].model_copy(update={"published": True})
    stores.incidents.put_update(INCIDENT_ID, published)
    assert stores.incidents.diagnosis(INCIDENT_ID) == diagnosis
    assert stores.incidents.steps(INCIDENT_ID) == tuple(steps)
    assert stores.incidents.updates(INCIDENT_ID) == (published, *updates[1:])


def test_a_long_report_comes_back_as_it_was(stores: Stores) -> None:
    report = {"incidentId": INCIDENT_ID, "timeline": [{"n": n, "x": "é" * 500} for n in range(900)]}
    stores.incidents.put_report(INCIDENT_ID, report)
    assert stores.incidents.report(INCIDENT_ID) == report


def test_what_was_read_can_be_changed_without_harm(stores: Stores) -> None:
    stores.incidents.put_report(INCIDENT_ID, {"list": [1]})
    found = stores.incidents.report(INCIDENT_ID)
    assert found is not None
    found["list"].append(2)
    assert stores.incidents.report(INCIDENT_ID) == {"list": [1]}


def said(number: int, state: UpdateState = UpdateState.INVESTIGATING) -> StatusUpdate:
    at = later(milliseconds=number)
    return StatusUpdate(state=state, at=at, public_name="Orders", external="e", internal="i")


def test_an_update_gets_the_place_after_the_one_that_is_known(stores: Stores) -> None:
    stores.incidents.open(an_incident(), an_alert(), later(hours=1))
    late, early = said(9), said(1, UpdateState.IDENTIFIED)
    first = stores.incidents.place_update(INCIDENT_ID, late, 0)
    assert stores.incidents.place_update(INCIDENT_ID, early, 0) is None
    second = stores.incidents.place_update(INCIDENT_ID, early, 1)
    assert (first, second) == (
        late.model_copy(update={"number": 1}),
        early.model_copy(update={"number": 2}),
    )
    assert stores.incidents.updates(INCIDENT_ID) == (first, second)
    assert stores.incidents.place_update(INCIDENT_ID, late, 2) is None
    assert stores.incidents.place_update("INC-20261122-00000", late, 0) is None


def test_a_draft_is_placed_and_one_that_no_longer_counts_is_left_out(stores: Stores) -> None:
    stores.incidents.open(an_incident(), an_alert(), later(hours=1))
    stale, draft = said(1), said(2)
    for update in (stale, draft):
        stores.incidents.put_update(INCIDENT_ID, update)
    assert stores.incidents.updates(INCIDENT_ID) == (draft,)
    placed = stores.incidents.place_update(INCIDENT_ID, draft, 0)
    assert stores.incidents.updates(INCIDENT_ID) == (placed,)


def test_of_updates_that_are_placed_at_once_one_wins(stores: Stores) -> None:
    stores.incidents.open(an_incident(), an_alert(), later(hours=1))
    won: list[StatusUpdate | None] = []

    def place(number: int) -> None:
        won.append(stores.incidents.place_update(INCIDENT_ID, said(number), 0))

    together(*(partial(place, number) for number in range(6)))
    assert len([update for update in won if update is not None]) == 1
    assert len(stores.incidents.updates(INCIDENT_ID)) == 1
