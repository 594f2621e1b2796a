"""The emulator does what AWS does where we rely on it, and upstream still needs us to see to it."""

import json
import time
from pathlib import Path

import pytest
from ministack import app
from ministack.core import lambda_runtime, persistence
from ministack.services import stepfunctions

from infra.local import emulator_patches
from infra.local.clients import Clients
from infra.local.emulator_edits import EDITS, WORKER_ERROR, WORKER_START, Edit
from tests.stack.http import call
from tests.stack.workbench import INVOKE, Workbench, branch, task

pytestmark = pytest.mark.stack

ECHO = "def handle(event, context):\n    return event\n"
RAISES = """
class TargetUnavailable(Exception):
    pass

def handle(event, context):
    raise TargetUnavailable("gone")
"""
SLEEPS = (
    "import time\ndef handle(event, context):\n    time.sleep(event['seconds'])\n    return {}\n"
)
COUNTS_STARTS = (
    "import time\nBEGAN = time.time()\ndef handle(event, context):\n    return {'began': BEGAN}\n"
)
DIES = "import os\ndef handle(event, context):\n    os._exit(1)\n"
NOTES = """
import pathlib
def handle(event, context):
    with pathlib.Path(event["file"]).open("a") as file:
        file.write(event["line"] + "\\n")
    raise RuntimeError("try again")
"""


@pytest.fixture(scope="module")
def bench(aws: Clients) -> Workbench:
    return Workbench(aws)


@pytest.fixture(scope="module")
def echo(bench: Workbench) -> str:
    return bench.function(ECHO)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_upstream_still_needs_the_edit(edit: Edit) -> None:
    assert edit.original.count(edit.before) == 1


def test_a_dry_run_starts_the_environment_ahead_of_the_first_call(bench: Workbench) -> None:
    name = bench.function(COUNTS_STARTS)
    bench.aws.functions.invoke(FunctionName=name, InvocationType="DryRun")
    bench.aws.functions.invoke(FunctionName=name, InvocationType="DryRun")
    asked = time.time()
    answer = bench.aws.functions.invoke(FunctionName=name)
    assert json.loads(answer["Payload"].read())["began"] < asked


def test_an_init_that_fails_is_told_to_who_calls(bench: Workbench) -> None:
    name = bench.function("raise RuntimeError('no such thing')\n")
    bench.aws.functions.invoke(FunctionName=name, InvocationType="DryRun")
    answer = bench.aws.functions.invoke(FunctionName=name)
    assert "no such thing" in answer["Payload"].read().decode()


def test_upstream_still_drops_the_class_of_an_exception() -> None:
    assert lambda_runtime._PYTHON_WORKER_SCRIPT.count(WORKER_ERROR) == 1
    assert lambda_runtime._PYTHON_WORKER_SCRIPT.count(WORKER_START) == 1


def test_upstream_still_waits_longer_for_logs() -> None:
    defaults = lambda_runtime.Worker._drain_stderr_bounded.__defaults__
    assert defaults > emulator_patches.LOG_DRAIN


def test_upstream_still_ignores_the_time_limit_of_a_machine() -> None:
    source = Path(str(stepfunctions.__file__)).read_text()
    assert "TIMED_OUT is never set locally" in source


def test_upstream_still_saves_at_the_end_only() -> None:
    source = Path(str(app.__file__)).read_text()
    assert source.count("save_all(_build_persistence_save_dict())") == 1
    assert persistence.PERSIST_STATE is False


def test_a_changed_passage_is_refused() -> None:
    with pytest.raises(emulator_patches.UpstreamChanged, match="expected once"):
        emulator_patches.replace_once("a b a", "a", "c")


def test_an_exception_is_caught_by_its_class(bench: Workbench) -> None:
    catch = [
        {"ErrorEquals": ["TargetUnavailable"], "Next": "Named"},
        {"ErrorEquals": ["States.ALL"], "Next": "Other"},
    ]
    found = bench.run(
        {
            "Try": task(bench.function(RAISES), Catch=catch),
            "Named": {"Type": "Pass", "End": True},
            "Other": {"Type": "Pass", "Output": "other", "End": True},
        }
    )
    assert found.output["Error"] == "TargetUnavailable"
    cause = json.loads(found.output["Cause"])
    assert cause["errorMessage"] == "gone"
    assert "TargetUnavailable" in cause["stackTrace"][-1]


def test_a_killed_function_is_an_exit_error(bench: Workbench) -> None:
    found = bench.run({"Try": task(bench.function(DIES))})
    assert (found.status, found.error) == ("FAILED", "Runtime.ExitError")


def test_a_warm_call_does_not_wait_for_logs(bench: Workbench, echo: str) -> None:
    machine = bench.machine({"A": task(echo, Next="B"), "B": task(echo)})
    bench.wait(bench.start(machine))
    assert min(bench.wait(bench.start(machine)).seconds for _ in range(3)) < 0.1


def test_a_start_is_not_delayed(bench: Workbench) -> None:
    machine = bench.machine({"A": {"Type": "Pass", "End": True}})
    assert min(bench.wait(bench.start(machine)).seconds for _ in range(3)) < 0.1


def test_the_same_start_twice_is_one_execution(bench: Workbench) -> None:
    machine = bench.machine({"A": {"Type": "Wait", "Seconds": 1, "End": True}})
    start = bench.aws.workflow.start_execution
    first = start(stateMachineArn=machine, name="INC-1", input='{"a": 1}')
    again = start(stateMachineArn=machine, name="INC-1", input='{"a": 1}')
    assert again["executionArn"] == first["executionArn"]
    with pytest.raises(bench.aws.workflow.exceptions.ExecutionAlreadyExists):
        start(stateMachineArn=machine, name="INC-1", input='{"a": 2}')
    bench.wait(first["executionArn"])
    with pytest.raises(bench.aws.workflow.exceptions.ExecutionAlreadyExists):
        start(stateMachineArn=machine, name="INC-1", input='{"a": 1}')


def test_a_timeout_may_be_an_expression(bench: Workbench) -> None:
    late = task(
        bench.function(SLEEPS),
        TimeoutSeconds="{% $states.input.limit %}",
        Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "Late"}],
    )
    found = bench.run(
        {"Try": late, "Late": {"Type": "Pass", "Output": "late", "End": True}},
        {"seconds": 5, "limit": 1},
    )
    assert found.output == "late"
    assert found.seconds < 3


def test_a_function_that_fails_with_the_task_token_fails_the_task(bench: Workbench) -> None:
    ask = task(
        bench.function(RAISES), resource=f"{INVOKE}.waitForTaskToken", TimeoutSeconds=10,
        payload={"taskToken": "{% $states.context.Task.Token %}"},
    )  # fmt: skip
    found = bench.run({"Ask": ask})
    assert (found.status, found.error) == ("FAILED", "TargetUnavailable")


def test_branches_do_not_share_tokens_names_or_variables(bench: Workbench, echo: str) -> None:
    def one(name: str) -> dict[str, object]:
        assign = {"mine": name}
        say = {
            "Type": "Pass", "End": True,
            "Output": {"said": "{% $mine %}", "in": "{% $states.context.State.Name %}"},
        }  # fmt: skip
        return {
            "StartAt": f"Set{name}",
            "States": {
                f"Set{name}": task(echo, Assign=assign, Next=f"Say{name}"),
                f"Say{name}": say,
            },
        }

    names = ["A", "B", "C", "D"]
    both = {"Type": "Parallel", "Branches": [one(name) for name in names], "End": True}
    for _ in range(3):
        found = bench.run({"Both": both})
        assert found.output == [{"said": name, "in": f"Say{name}"} for name in names]


def test_a_parallel_has_output_and_assign(bench: Workbench) -> None:
    both = {
        "Type": "Parallel",
        "Branches": [branch("A", {"Type": "Pass", "Output": 1, "End": True})],
        "Assign": {"kept": "{% $states.result[0] %}"},
        "Output": {"first": "{% $states.result[0] %}"},
        "Next": "Show",
    }
    show = {
        "Type": "Pass", "End": True,
        "Output": {"kept": "{% $kept %}", "given": "{% $states.input.first %}"},
    }  # fmt: skip
    assert bench.run({"Both": both, "Show": show}).output == {"kept": 1, "given": 1}


def test_a_failed_branch_ends_the_parallel_and_its_siblings(
    bench: Workbench, tmp_path: Path
) -> None:
    file = tmp_path / "calls"
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 5}]
    noting = task(bench.function(NOTES), payload={"file": str(file), "line": "call"}, Retry=retry)
    fails = {"Type": "Fail", "Error": "Broken"}
    wait = {"Type": "Wait", "Seconds": 1, "Next": "Broken"}
    both = {
        "Type": "Parallel",
        "Branches": [
            {"StartAt": "Wait", "States": {"Wait": wait, "Broken": fails}},
            branch("Note", noting),
        ],
        "End": True,
    }
    found = bench.run({"Both": both})
    assert (found.status, found.error) == ("FAILED", "Broken")
    assert found.seconds < 2
    calls = file.read_text().count("call")
    time.sleep(2.5)
    assert file.read_text().count("call") == calls


def test_a_machine_ends_at_its_time_limit(bench: Workbench) -> None:
    found = bench.run({"Long": {"Type": "Wait", "Seconds": 3, "End": True}}, TimeoutSeconds=1)
    assert found.status == "TIMED_OUT"
    assert found.seconds < 2
    time.sleep(2.5)
    assert bench.wait(found.arn).status == "TIMED_OUT"


def test_a_stopped_execution_enters_no_further_state(bench: Workbench, tmp_path: Path) -> None:
    file = tmp_path / "calls"
    file.touch()
    note = task(bench.function(NOTES), payload={"file": str(file), "line": "call"})
    steps = {
        "Type": "Map", "Items": [0], "MaxConcurrency": 1, "End": True,
        "ItemProcessor": {
            "StartAt": "Wait",
            "States": {"Wait": {"Type": "Wait", "Seconds": 1, "Next": "Note"}, "Note": note},
        },
    }  # fmt: skip
    execution = bench.start(bench.machine({"Steps": steps}))
    time.sleep(0.3)
    bench.aws.workflow.stop_execution(executionArn=execution)
    time.sleep(1.5)
    assert bench.wait(execution).status == "ABORTED"
    assert file.read_text() == ""


def test_a_caller_does_not_see_what_a_function_raised(bench: Workbench) -> None:
    url = bench.api(bench.function(RAISES))
    answer = call(url)
    assert answer.status == 502
    assert json.loads(answer.body) == {"message": "Internal server error"}
