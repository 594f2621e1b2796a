"""Systems Manager documents: the ones that the target names, once for each key, to their end."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from incident_squad.adapters.command_target import CommandExecutor
from incident_squad.adapters.ssm_target import SsmExecutor
from incident_squad.domain.catalog import Catalog
from incident_squad.domain.errors import SquadError, StepFailed, TargetUnavailable
from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import Step
from tests.builders import a_catalog, a_planned_step
from tests.fakes import FixedClock, MemoryKnowledge
from tests.integration.stubs import scripted

INSTANCES = ["i-0123456789abcdef0", "i-0123456789abcdef1"]
RESTART = "Squad-RestartAgent"
CONTAIN = "AWSSupport-ContainEC2Instance"
TARGETS: Mapping[str, Any] = {
    "hosts": {
        "kind": "ssm",
        "documents": {
            RESTART: {
                "type": "command",
                "instances": INSTANCES,
                "parameters": {"Unit": "(web|worker)"},
            },
            CONTAIN: {
                "type": "automation",
                "parameters": {"InstanceId": "i-0123456789abcdef0", "Action": "Contain|Release"},
            },
        },
    },
    "ops-host": {
        "kind": "command",
        "where": "ssm",
        "instance": INSTANCES[0],
        "commands": {"dmesg": {"path": "/usr/bin/dmesg", "arguments": [".*"]}},
    },
}


@contextmanager
def systems() -> Iterator[tuple[Any, Any, Stubber]]:
    """An executor for documents, one for commands, and the script of what AWS answers."""
    catalog = a_catalog().model_dump(mode="json", exclude_unset=True)
    targets = {**catalog.get("targets", {}), **TARGETS}
    knowledge = MemoryKnowledge(Catalog.model_validate({**catalog, "targets": targets}), {})
    clock = FixedClock()
    with scripted("ssm") as (client, script):

        def clients(service: str, region: str | None) -> Any:
            assert (service, region) == ("ssm", None)
            return client

        yield (
            SsmExecutor(knowledge, clients, clock),
            CommandExecutor(knowledge, clients, clock),
            script,
        )


def a_step(document: str, back: Mapping[str, Any] | None = None, **arguments: Any) -> Step:
    condition = {
        "title": "x",
        "probe": {"kind": "metric", "source": "cloudwatch", "query": "x"},
        "expect": {"op": "==", "value": 0},
    }
    action = {"kind": "ssm", "target": "hosts", "document": document}
    undo = {**action, "arguments": back} if back else None
    return Step.model_validate(
        {
            "title": "Run it",
            "command": "run",
            "action": {**action, "arguments": arguments},
            "mutates": True,
            "risk": "high",
            "precheck": condition,
            "verify": condition,
            "undo": {"title": "back", "action": undo},
            "timeout_seconds": 3,
        }
    )


def planned(rows: Any, **fields: Any) -> PlannedStep:
    return a_planned_step(**{"kind": "ssm", "target": "hosts", "preview": tuple(rows), **fields})


CONTAINED = a_step(
    CONTAIN,
    {"InstanceId": "i-0123456789abcdef0", "Action": "Release"},
    InstanceId="i-0123456789abcdef0",
    Action="Contain",
)
RESTARTED = a_step(RESTART, Unit="web")


def automation(status: str) -> dict[str, Any]:
    return {"AutomationExecution": {"AutomationExecutionStatus": status}}


def invocations(*states: str) -> dict[str, Any]:
    pairs = zip(INSTANCES, states, strict=False)
    return {"CommandInvocations": [{"InstanceId": i, "Status": s} for i, s in pairs]}


def sent(comment: str) -> dict[str, Any]:
    return {"Commands": [{"CommandId": "c" * 36, "Comment": comment}]}


def mark_of(key: str) -> str:
    from incident_squad.adapters.ssm_runs import Run  # noqa: PLC0415 - the very mark

    return Run(document="x", parameters={}, instances=(), key=key, seconds=1).mark


def test_an_automation_runs_to_its_end_and_is_taken_back() -> None:
    with systems() as (executor, _, script):
        rows = executor.preview(CONTAINED, "hosts", {})
        assert rows == [
            {"document": CONTAIN, "sets Action": "Contain", "sets InstanceId": INSTANCES[0]}
        ]
        tokens = []
        for action in ("Contain", "Release"):
            expected = {
                "DocumentName": CONTAIN,
                "Parameters": {"InstanceId": [INSTANCES[0]], "Action": [action]},
                "ClientToken": ANY,
            }
            started = {"AutomationExecutionId": "e" * 36}
            script.add_response("start_automation_execution", started, expected)
            script.add_response("get_automation_execution", automation("InProgress"))
            script.add_response("get_automation_execution", automation("Success"))
            tokens.append(expected)
        result = executor.apply(CONTAINED, planned(rows), "key")
        assert result["execution_id"] == "e" * 36
        executor.undo(CONTAINED, planned(rows), result, "key:undo")


def test_the_client_token_is_the_same_for_each_try_of_a_step() -> None:
    from incident_squad.adapters.ssm_runs import Run  # noqa: PLC0415 - only here

    runs = [
        Run(document="x", parameters={}, instances=(), key=key, seconds=1)
        for key in ("a", "a", "b")
    ]
    assert runs[0].token == runs[1].token != runs[2].token
    assert runs[0].mark == runs[1].mark != runs[2].mark
    assert len(runs[0].token) == 36


def test_a_command_that_was_sent_before_is_not_sent_again() -> None:
    with systems() as (executor, _, script):
        rows = executor.preview(RESTARTED, "hosts", {})
        assert [row["instance"] for row in rows] == INSTANCES
        for _ in range(2):
            script.add_response("list_commands", sent(mark_of("key")))
        script.add_response("list_command_invocations", invocations("InProgress", "Success"))
        script.add_response("list_command_invocations", invocations("Success", "Success"))
        assert executor.apply(RESTARTED, planned(rows), "key")["command_id"] == "c" * 36


def test_a_command_is_sent_to_the_instances_of_the_catalogue() -> None:
    with systems() as (executor, _, script):
        rows = executor.preview(RESTARTED, "hosts", {})
        script.add_response("list_commands", sent("another"))
        expected = {
            "DocumentName": RESTART,
            "InstanceIds": INSTANCES,
            "Parameters": {"Unit": ["web"]},
            "Comment": mark_of("key"),
            "TimeoutSeconds": 30,
        }
        script.add_response("send_command", {"Command": {}}, expected)
        script.add_response("list_commands", sent(mark_of("key")))
        script.add_response("list_command_invocations", invocations("Success", "Failed"))
        with pytest.raises(StepFailed, match="i-0123456789abcdef1 Failed"):
            executor.apply(RESTARTED, planned(rows), "key")


def test_failures_say_whether_it_was_started() -> None:
    with systems() as (executor, _, script):
        rows = executor.preview(RESTARTED, "hosts", {})
        script.add_client_error("list_commands", "AccessDeniedException", http_status_code=400)
        with pytest.raises(TargetUnavailable):
            executor.apply(RESTARTED, planned(rows), "key")
        script.add_response("list_commands", {"Commands": []})
        script.add_client_error("send_command", "InvalidInstanceId", http_status_code=400)
        with pytest.raises(TargetUnavailable):
            executor.apply(RESTARTED, planned(rows), "key")
        script.add_response("list_commands", {"Commands": []})
        script.add_client_error("send_command", "InternalServerError", http_status_code=500)
        script.add_client_error("list_commands", "InternalServerError", http_status_code=500)
        with pytest.raises(StepFailed, match="nobody knows"):
            executor.apply(RESTARTED, planned(rows), "key")


def test_what_takes_too_long_is_said_to_be_under_way() -> None:
    with systems() as (executor, _, script):
        rows = executor.preview(CONTAINED, "hosts", {})
        started = {"AutomationExecutionId": "e" * 36}
        script.add_response("start_automation_execution", started)
        for _ in range(4):
            script.add_response("get_automation_execution", automation("InProgress"))
        with pytest.raises(StepFailed, match="has not ended yet"):
            executor.apply(CONTAINED, planned(rows), "key")


@pytest.mark.parametrize(
    "step",
    [
        a_step("AWS-RunShellScript", commands="reboot"),
        a_step(RESTART, Unit="web; reboot"),
        a_step(RESTART, Unit="web\n"),
        a_step(RESTART, Unit="w\uff45b"),
        a_step(RESTART),
        a_step(RESTART, Unit="web", Extra="x"),
        a_step(CONTAIN, InstanceId="i-0123456789abcdef1", Action="Contain"),
    ],
)
def test_other_documents_and_values_are_never_run(step: Step) -> None:
    with systems() as (executor, _, _script):
        with pytest.raises(SquadError):
            executor.preview(step, "hosts", {})
        with pytest.raises(TargetUnavailable):
            executor.apply(step, planned([{"document": "x"}]), "key")


def a_look(*argv: str) -> Step:
    action = {"kind": "command", "target": "ops-host", "argv": argv}
    return Step.model_validate({"title": "Look", "command": "look", "action": action})


def test_an_ops_host_may_be_an_instance() -> None:
    with systems() as (_, commands, script):
        script.add_response("list_commands", {"Commands": []})
        expected = {
            "DocumentName": "AWS-RunShellScript",
            "InstanceIds": INSTANCES[:1],
            "Parameters": {"commands": ["/usr/bin/dmesg --ctime"], "executionTimeout": ["30"]},
            "Comment": ANY,
            "TimeoutSeconds": 30,
        }
        script.add_response("send_command", {"Command": {}}, expected)
        script.add_response("list_commands", sent(mark_of("key")))
        script.add_response("list_command_invocations", invocations("Success"))
        script.add_response(
            "get_command_invocation", {"StandardOutputContent": "Out of memory: killed"}
        )
        step = planned((), target="ops-host", mutates=False)
        seen = commands.apply(a_look("dmesg", "--ctime"), step, "key")
        assert seen["printed"] == "Out of memory: killed"


@pytest.mark.parametrize("word", ["a;reboot", "$(x)", "a b", "`x`", "a'b", "a|b", "a>b", "*", "~"])
def test_an_instance_gets_plain_words_only(word: str) -> None:
    step = planned((), target="ops-host", mutates=False)
    with systems() as (_, commands, _script), pytest.raises(TargetUnavailable, match="plain word"):
        commands.apply(a_look("dmesg", word), step, "key")
