"""The practice targets, repaired by the use cases with real probers and executors."""

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_squad.adapters.executors import KindExecutors
from incident_squad.adapters.memory import MemorySecrets
from incident_squad.adapters.probers import CatalogProbers
from incident_squad.adapters.system_clock import SystemClock
from incident_squad.bootstrap.squad import Squad
from incident_squad.contracts import IncidentInput, RemediateInput
from incident_squad.domain.approval import Approval, ApprovalStatus
from incident_squad.domain.plan import Applier, Plan, StepStatus
from incident_squad.intake.recognise import normalise
from incident_squad.policy.triage import Triager
from infra.local.knowledge import knowledge_of
from infra.local.practice import IDLE_SECONDS, Practice
from infra.local.practice_database import HEALTHY, STUCK
from infra.local.practice_service import WINDOW_SECONDS, PaymentService
from infra.pipeline import MemoryWorld

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

EVENTS = Path(__file__).resolve().parents[2] / "events/alertmanager"
POOL = "pool-01-firing-PostgresConnectionPoolExhausted.json"
ERRORS = "errors-01-firing-PaymentApiHighErrorRate.json"


@pytest.fixture(scope="module")
def practice() -> Iterator[Practice]:
    with Practice() as practice:
        time.sleep(IDLE_SECONDS + 0.5)
        yield practice


class Drill:
    """One incident, worked on as the workflow would."""

    def __init__(self, practice: Practice, event: str) -> None:
        knowledge = knowledge_of(practice.config())
        self.world = MemoryWorld(knowledge, Triager(knowledge.catalog, knowledge.runbooks))
        secrets = MemorySecrets(practice.config().secrets)
        self.world.probers = CatalogProbers(knowledge, secrets, SystemClock())  # type: ignore[assignment] # real eyes
        self.world.executors = KindExecutors(knowledge, secrets)  # type: ignore[assignment] # real hands
        self.squad = Squad(self.world)
        payload = json.loads((EVENTS / event).read_text())
        alert = normalise(payload, {}, SystemClock().now())[0]
        self.id = self.squad.receive_alert()([alert])[0].incident_id or ""

    @property
    def request(self) -> IncidentInput:
        return IncidentInput(incident_id=self.id)

    def plan(self) -> Plan:
        judged = self.squad.triage()(self.request)
        self.squad.investigate(judged.type)(self.request)
        self.squad.synthesize()(self.request)
        plan = self.world.incidents.plan(self.id)
        assert plan is not None
        return plan

    def approve(self, plan: Plan) -> None:
        now = self.world.clock.now()
        approval = Approval(
            id="aaaabbbb",
            incident_id=self.id,
            plan_hash=plan.hash,
            approvers=("amara.diallo@example.com",),
            created_at=now,
            expires_at=now + timedelta(minutes=30),
            status=ApprovalStatus.APPROVED,
            decided_by="amara.diallo@example.com",
            decided_at=now,
        )
        self.world.approvals.put(approval, "task token")

    def repair(self, plan: Plan) -> None:
        for place in plan.indexes_to_run():
            self.squad.remediate()(RemediateInput(incident_id=self.id, step=place))

    def recovered(self) -> str:
        verify = self.squad.verify_recovery()
        deadline = time.monotonic() + 30
        while (seen := verify(self.request).recovered) == "not_yet":
            assert time.monotonic() < deadline
            time.sleep(0.2)
        return seen

    def statuses(self) -> set[StepStatus]:
        return {record.status for record in self.world.incidents.steps(self.id)}

    def step(self, plan: Plan) -> Any:
        (step,) = [step for step in plan.to_run() if step.mutates]
        return step


def test_an_exhausted_pool_is_relieved_and_healthy_sessions_survive(practice: Practice) -> None:
    drill = Drill(practice, POOL)
    plan = drill.plan()
    assert plan.runbook_id == "db-connection-pool"
    assert plan.applier is Applier.HUMAN
    listed = {int(row["pid"]) for row in drill.step(plan).preview}
    assert len(listed) == STUCK
    assert not listed & set(practice.database.healthy_pids)

    drill.approve(plan)
    drill.repair(plan)

    assert drill.recovered() == "yes"
    assert practice.database.healthy_alive() == HEALTHY
    assert practice.database.stuck_alive() == 0
    assert drill.statuses() == {StepStatus.APPLIED}
    assert not drill.world.timeline.problems(drill.id)


def test_a_bad_release_is_rolled_back_and_payments_work_again(practice: Practice) -> None:
    drill = Drill(practice, ERRORS)
    plan = drill.plan()
    assert plan.runbook_id in {"app-error-rate", "app-deploy-failure"}
    assert drill.step(plan).preview[0]["sends to"] == "v41"

    drill.approve(plan)
    drill.repair(plan)

    assert practice.service.release == "v41"
    assert drill.recovered() == "yes"
    assert practice.service.status()["errorRate"] < 0.05

    undone = drill.squad.undo_remediation()(drill.request)
    assert (undone.undone, undone.left) == (1, 0)
    assert practice.service.release == "v42"
    time.sleep(WINDOW_SECONDS)
    assert practice.service.status()["errorRate"] > 0.2


def call(service: PaymentService, method: str, path: str, token: str, body: str = "") -> int:
    connection = http.client.HTTPConnection(service.url.removeprefix("http://"), timeout=5)
    with closing(connection):
        connection.request(method, path, body, {"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        response.read()
        return response.status


def test_the_hooks_answer_only_those_who_may(practice: Practice) -> None:
    service = practice.service
    reader, writer, before = service.reader_token, service.writer_token, service.release
    rollback = "/deployment/rollback"
    assert call(service, "GET", "/deployment", reader) == 200
    assert call(service, "GET", "/deployment", "guess") == 401
    assert call(service, "POST", rollback, reader, '{"to": "v41"}') == 403
    assert call(service, "POST", rollback, writer, '{"to": "v99"}') == 422
    assert call(service, "POST", rollback, writer, "no json") == 422
    assert call(service, "POST", "/deployment/elsewhere", writer) == 404
    assert call(service, "GET", "/pay/x", reader) == 404
    assert service.release == before


def test_the_same_key_deploys_once(practice: Practice) -> None:
    first = practice.service.deploy("v41", "one key")
    practice.service.deploy("v42", "another key")
    assert practice.service.deploy("v41", "one key") == first
    assert practice.service.release == "v42"


def test_nothing_is_left_running() -> None:
    with Practice() as practice:
        pid = practice.database.postgres.pid
    assert not Path(f"/proc/{pid}").exists()
