"""Runs Systems Manager documents and waits for their end; the same key never runs one twice."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from incident_squad.adapters.aws_actions.calls import change, look
from incident_squad.domain.errors import StepFailed, TargetUnavailable
from incident_squad.ports import Clock

POLL_SECONDS = 1.0
LONGEST_OUTPUT = 20_000
_WAITING = frozenset({"Pending", "InProgress", "Delayed", "Waiting", "Scheduled", "Approved"})
_DONE = "Success"


@dataclass(frozen=True)
class Run:
    """One run to be: on `instances`, or as an Automation when there are none."""

    document: str
    parameters: Mapping[str, Sequence[str]]
    instances: tuple[str, ...]
    key: str
    seconds: int

    @property
    def mark(self) -> str:
        """How a command of this very step is recognised: Run Command knows no client token."""
        return f"incident-squad {hashlib.sha256(self.key.encode()).hexdigest()[:32]}"

    @property
    def token(self) -> str:
        """The client token by which Systems Manager recognises an Automation."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"incident-squad:{self.key}"))


class SsmRuns:
    """Runs documents with one SSM client."""

    def __init__(self, client: Any, clock: Clock) -> None:  # noqa: ANN401 - boto3
        self._client = client
        self._clock = clock

    def run(self, run: Run) -> dict[str, Any]:
        """Run it to its end.

        Raises TargetUnavailable when it was not started, StepFailed when it did not end well.
        """
        return self._command(run) if run.instances else self._automation(run)

    def output(self, command_id: str, instance: str) -> str:
        """What a command printed on one instance, bounded."""
        answer = look(
            "reading what a command printed",
            self._client.get_command_invocation,
            CommandId=command_id,
            InstanceId=instance,
        )
        return str(answer.get("StandardOutputContent", ""))[:LONGEST_OUTPUT]

    def _command(self, run: Run) -> dict[str, Any]:
        if not self._sent(run):
            change(
                f"sending the document '{run.document}'",
                self._client.send_command,
                lambda: bool(self._sent(run)),
                DocumentName=run.document,
                InstanceIds=list(run.instances),
                Parameters={name: list(values) for name, values in run.parameters.items()},
                Comment=run.mark,
                TimeoutSeconds=max(30, run.seconds),
            )
        command_id = self._sent(run)
        if not command_id:
            raise StepFailed(f"'{run.document}' was sent and cannot be found: nobody knows its end")
        states = self._wait(run, lambda: self._command_states(command_id))
        _require_success(run, states, expected=len(run.instances))
        return {"command_id": command_id, "ended": [f"{k}: {v}" for k, v in states.items()]}

    def _sent(self, run: Run) -> str:
        """The command of an earlier try of this very step; empty when there is none."""
        asked: dict[str, Any] = {
            "Filters": [{"key": "DocumentName", "value": run.document}],
            "MaxResults": 50,
        }
        answer = look("listing commands", self._client.list_commands, **asked)
        fitting = [c for c in answer.get("Commands", ()) if c.get("Comment") == run.mark]
        return str(fitting[0]["CommandId"]) if fitting else ""

    def _command_states(self, command_id: str) -> dict[str, str]:
        answer = look(
            "asking how a command stands",
            self._client.list_command_invocations,
            CommandId=command_id,
        )
        return {str(i["InstanceId"]): str(i["Status"]) for i in answer["CommandInvocations"]}

    def _automation(self, run: Run) -> dict[str, Any]:
        started: dict[str, Any] = {}

        def start(**sent: Any) -> None:  # noqa: ANN401 - what boto3 takes
            started.update(self._client.start_automation_execution(**sent))

        def again() -> bool:
            # The client token makes a second start the same one.
            look("starting an automation again", start, **sent)
            return True

        sent = {
            "DocumentName": run.document,
            "Parameters": {name: list(values) for name, values in run.parameters.items()},
            "ClientToken": run.token,
        }
        change(f"starting the automation '{run.document}'", start, again, **sent)
        execution = str(started["AutomationExecutionId"])
        states = self._wait(run, lambda: self._automation_state(execution))
        _require_success(run, states, expected=1)
        return {"execution_id": execution, "ended": [f"{k}: {v}" for k, v in states.items()]}

    def _automation_state(self, execution: str) -> dict[str, str]:
        answer = look(
            "asking how an automation stands",
            self._client.get_automation_execution,
            AutomationExecutionId=execution,
        )
        return {execution: str(answer["AutomationExecution"]["AutomationExecutionStatus"])}

    def _wait(self, run: Run, ask: Any) -> dict[str, str]:  # noqa: ANN401 - a callable
        deadline = self._clock.now() + timedelta(seconds=run.seconds)
        while True:
            try:
                states: dict[str, str] = ask()
            except TargetUnavailable as error:
                raise StepFailed(f"'{run.document}' was started; {error}") from error
            if states and not _WAITING & set(states.values()):
                return states
            if self._clock.now() >= deadline:
                raise StepFailed(f"'{run.document}' has not ended yet: {_words(states)}")
            self._clock.sleep(POLL_SECONDS)


def _require_success(run: Run, states: Mapping[str, str], *, expected: int) -> None:
    if len(states) < expected or any(state != _DONE for state in states.values()):
        raise StepFailed(f"'{run.document}' did not end well: {_words(states)}")


def _words(states: Mapping[str, str]) -> str:
    return ", ".join(f"{where} {state}" for where, state in states.items()) or "nothing is known"
