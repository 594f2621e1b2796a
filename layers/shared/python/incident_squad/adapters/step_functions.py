"""The state machine that works on incidents, on Step Functions."""

import json
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from incident_squad.adapters.aws import code_of, failure
from incident_squad.contracts import RequestApprovalOutput
from incident_squad.domain.approval import Decision
from incident_squad.domain.incident import Incident

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_NO_LONGER_WAITING = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})
_LONGEST_ERROR, _LONGEST_CAUSE = 256, 32_768


class StepFunctionsWorkflow:
    """Implements `Workflow`. An execution is named `<incident>-<attempt>`."""

    def __init__(self, client: "SFNClient", machine_arn: str) -> None:
        self._client = client
        self._machine = machine_arn

    def start(self, incident: Incident) -> None:
        """Start the execution of this attempt; one that was started before is left alone."""
        try:
            self._client.start_execution(
                stateMachineArn=self._machine, name=_name(incident), input=_input(incident)
            )
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and code_of(error) == "ExecutionAlreadyExists":
                return
            raise failure(error, "starting the workflow") from error

    def is_running(self, incident: Incident) -> bool:
        """Whether the execution of this attempt is alive; one that never began is not."""
        executions = self._machine.replace(":stateMachine:", ":execution:", 1)
        try:
            answer = self._client.describe_execution(executionArn=f"{executions}:{_name(incident)}")
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and code_of(error) == "ExecutionDoesNotExist":
                return False
            raise failure(error, "looking at the workflow") from error
        return answer["status"] == "RUNNING"

    def decide(self, task_token: str, decision: Decision, approval_id: str) -> bool:
        """Tell the waiting task; False when it is no longer waiting."""
        output = RequestApprovalOutput(decision=decision, approval_id=approval_id)
        try:
            self._client.send_task_success(
                taskToken=task_token, output=output.model_dump_json(by_alias=True)
            )
        except (ClientError, BotoCoreError) as error:
            return _left_alone(error)
        return True

    def fail_task(self, task_token: str, error: str, cause: str) -> None:
        """Fail a waiting task; a task that no longer waits is left alone."""
        try:
            self._client.send_task_failure(
                taskToken=task_token, error=error[:_LONGEST_ERROR], cause=cause[:_LONGEST_CAUSE]
            )
        except (ClientError, BotoCoreError) as refused:
            _left_alone(refused)


def _left_alone(error: ClientError | BotoCoreError) -> bool:
    """False when the task waits no longer; raises anything else, without quoting the token."""
    if isinstance(error, ClientError) and code_of(error) in _NO_LONGER_WAITING:
        return False
    raise failure(error, "telling the workflow") from None


def _name(incident: Incident) -> str:
    return f"{incident.id}-{incident.attempt}"


def _input(incident: Incident) -> str:
    content = {"incidentId": incident.id, "stage": incident.stage, "type": incident.type}
    return json.dumps(content)
