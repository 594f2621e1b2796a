"""The workflow on Step Functions: moto for executions, scripted answers for task tokens."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from incident_squad.adapters.step_functions import StepFunctionsWorkflow
from incident_squad.domain.approval import Decision
from incident_squad.domain.errors import InvalidConfiguration, TransientFailure
from incident_squad.domain.incident import Stage
from incident_squad.domain.values import IncidentType
from tests.builders import an_incident
from tests.integration.stubs import scripted

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:IncidentSquad"
TOKEN = "AQB4-a-task-token"
GONE = ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"]


@pytest.fixture
def client() -> "Iterator[SFNClient]":
    with mock_aws():
        client = boto3.client("stepfunctions", region_name="us-east-1")
        client.create_state_machine(
            name="IncidentSquad",
            definition=json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}),
            roleArn="arn:aws:iam::123456789012:role/machine",
        )
        yield client
        client.close()


def test_an_attempt_is_started_once_and_runs(client: "SFNClient") -> None:
    workflow = StepFunctionsWorkflow(client, MACHINE)
    incident = an_incident(attempt=2, stage=Stage.APPROVAL, type=IncidentType.DATABASE)
    assert not workflow.is_running(incident)
    workflow.start(incident)
    workflow.start(incident)
    workflow.start(incident.model_copy(update={"stage": Stage.CLOSE}))
    assert workflow.is_running(incident)
    (execution,) = client.list_executions(stateMachineArn=MACHINE)["executions"]
    assert execution["name"] == f"{incident.id}-2"
    told = client.describe_execution(executionArn=execution["executionArn"])["input"]
    assert json.loads(told) == {
        "incidentId": incident.id,
        "stage": "approval",
        "type": "database",
    }


def test_a_stopped_attempt_is_not_running(client: "SFNClient") -> None:
    workflow = StepFunctionsWorkflow(client, MACHINE)
    workflow.start(an_incident())
    (execution,) = client.list_executions(stateMachineArn=MACHINE)["executions"]
    client.stop_execution(executionArn=execution["executionArn"])
    assert not workflow.is_running(an_incident())


def test_a_missing_machine_is_a_matter_of_configuration(client: "SFNClient") -> None:
    with pytest.raises(InvalidConfiguration, match="StateMachineDoesNotExist"):
        StepFunctionsWorkflow(client, f"{MACHINE}2").start(an_incident())


def test_the_waiting_task_is_told_the_decision() -> None:
    with scripted("stepfunctions") as (client, script):
        output = json.dumps({"decision": "approved", "approvalId": "a1"}, separators=(",", ":"))
        script.add_response("send_task_success", {}, {"taskToken": TOKEN, "output": output})
        workflow = StepFunctionsWorkflow(client, MACHINE)
        assert workflow.decide(TOKEN, Decision.APPROVED, "a1")


@pytest.mark.parametrize("code", GONE)
def test_a_task_that_no_longer_waits_is_left_alone(code: str) -> None:
    with scripted("stepfunctions") as (client, script):
        script.add_client_error("send_task_success", code)
        script.add_client_error("send_task_failure", code)
        workflow = StepFunctionsWorkflow(client, MACHINE)
        assert not workflow.decide(TOKEN, Decision.REJECTED, "a1")
        workflow.fail_task(TOKEN, "StepFailed", "because")


def test_a_failure_is_cut_to_what_the_service_takes() -> None:
    with scripted("stepfunctions") as (client, script):
        told = {"taskToken": TOKEN, "error": "E" * 256, "cause": "c" * 32_768}
        script.add_response("send_task_failure", {}, told)
        StepFunctionsWorkflow(client, MACHINE).fail_task(TOKEN, "E" * 999, "c" * 99_999)


def test_a_busy_service_is_worth_another_try_and_no_error_quotes_the_token() -> None:
    with scripted("stepfunctions") as (client, script):
        for call in ("start_execution", "describe_execution", "send_task_success"):
            script.add_client_error(call, "ThrottlingException", f"slow down {TOKEN}")
        workflow = StepFunctionsWorkflow(client, MACHINE)
        with pytest.raises(TransientFailure):
            workflow.start(an_incident())
        with pytest.raises(TransientFailure):
            workflow.is_running(an_incident())
        with pytest.raises(TransientFailure) as failed:
            workflow.decide(TOKEN, Decision.APPROVED, "a1")
    assert TOKEN not in str(failed.value)
    assert failed.value.__suppress_context__


def test_a_network_that_is_down_is_worth_another_try() -> None:
    class Down:
        def start_execution(self, **_: str) -> None:
            raise EndpointConnectionError(endpoint_url="https://states")

    client: SFNClient = Down()  # type: ignore[assignment]
    with pytest.raises(TransientFailure):
        StepFunctionsWorkflow(client, MACHINE).start(an_incident())
