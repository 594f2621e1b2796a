"""Where MiniStack 1.5.33 behaves unlike AWS and the squad relies on AWS: small, reviewed edits.

An edit replaces one passage of one upstream function, before the emulator starts. It applies to
exactly the pinned version: when the passage is gone the emulator refuses to start, and a test asks
for each edit whether upstream still needs it.
"""
# ruff: noqa: SLF001, ANN401 - editing another program's untyped internals is this file's whole job

import contextvars
import inspect
import json
import textwrap
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, stepfunctions

from infra.local.emulator_version import VERSION

# Seconds to wait for the first log line, for quiet after it, and at the most, after each call.
LOG_DRAIN = (0.004, 0.002, 0.25)


class UpstreamChanged(Exception):
    """The passage that an edit replaces is not there exactly once."""


@dataclass(frozen=True)
class Edit:
    """One passage of an upstream function and what stands there instead."""

    name: str
    why: str
    function: str
    before: str
    after: str

    @property
    def original(self) -> str:
        """The upstream function's source, as the installed file has it."""
        return textwrap.dedent(inspect.getsource(getattr(stepfunctions, self.function)))


EDITS = (
    Edit(
        name="no start delay",
        why="150 ms before the first state of every execution serve nobody",
        function="_run_execution",
        before="    time.sleep(0.15)\n",
        after="",
    ),
    Edit(
        name="same start twice",
        why="StartExecution with the name and input of a running execution is no error on AWS",
        function="_start_execution",
        before="    if exec_arn in _executions:\n",
        after="    if _is_same_start(exec_arn, data):\n"
        "        running = _executions[exec_arn]\n"
        '        return json_response({"executionArn": exec_arn,'
        ' "startDate": running["startDate"]})\n'
        "    if exec_arn in _executions:\n",
    ),
    Edit(
        name="timeout as expression",
        why="TimeoutSeconds may be a JSONata expression",
        function="_execute_task",
        before='    resource = state_def.get("Resource", "")\n',
        after='    resource = state_def.get("Resource", "")\n'
        "    state_def = _with_timeout_evaluated(state_def, raw_input, ctx)\n",
    ),
    Edit(
        name="no try after the end",
        why="a task of a stopped execution or of an ended Parallel is not tried again",
        function="_execute_task",
        before="        # Each attempt sees its own $$.State.RetryCount.\n",
        after="        _stop_if_over(execution, ctx)\n",
    ),
    Edit(
        name="callback failure",
        why="an exception of the Lambda that gets the task token fails the task",
        function="_invoke_with_callback",
        before="        except _ExecutionError:\n            pass\n",
        after="        except _ExecutionError:\n"
        "            _task_tokens.pop(token, None)\n"
        "            raise\n",
    ),
    Edit(
        name="private branches",
        why="branches of a Parallel have their own context: names, tokens and variables",
        function="_run_parallel_branches",
        before="                effective, execution, ctx)\n",
        after="                effective, execution, _branch_context(ctx, scope))\n",
    ),
    Edit(
        name="failed branch ends the Parallel",
        why="AWS stops the other branches at once; waiting for them delays the hand-over",
        function="_run_parallel_branches",
        before="            errors[idx] = exc\n",
        after="            errors[idx] = exc\n            scope['ended'] = True\n"
        "        finally:\n            finished.release()\n",
    ),
    Edit(
        name="failed branch is not waited for",
        why="the same",
        function="_run_parallel_branches",
        before="    for t in threads:\n        t.join()\n",
        after="    for t in threads:\n        finished.acquire()\n"
        "        if scope['ended']:\n            break\n",
    ),
    Edit(
        name="scope of a Parallel",
        why="the same",
        function="_run_parallel_branches",
        before='    branches = state_def.get("Branches", [])\n',
        after='    branches = state_def.get("Branches", [])\n'
        "    scope = {'ended': False}\n"
        "    finished = threading.Semaphore(0)\n",
    ),
    Edit(
        name="Parallel in JSONata",
        why="Output and Assign of a Parallel count",
        function="_run_parallel_branches",
        before="    result = _apply_result_selector(state_def, results)\n",
        after='    if _state_query_language(state_def, ctx) == "JSONata":\n'
        "        output = _apply_jsonata_output(\n"
        "            state_def, raw_input, ctx, result=results, default=results)\n"
        "        _apply_state_assign(state_def, raw_input, ctx, result=results)\n"
        "        return output, _next_or_end(state_def)\n"
        "    result = _apply_result_selector(state_def, results)\n",
    ),
    Edit(
        name="nested states end too",
        why="a stopped or timed-out execution enters no further state inside Parallel and Map",
        function="_run_sub_machine",
        before="        state_def = states.get(current_name)\n",
        after="        _stop_if_over(execution, ctx)\n"
        "        state_def = states.get(current_name)\n",
    ),
    Edit(
        name="an end is final",
        why="an error after ABORTED or TIMED_OUT does not turn them into FAILED",
        function="_fail_execution",
        before='    execution["status"] = "FAILED"\n',
        after='    if execution["status"] != "RUNNING":\n        return\n'
        '    execution["status"] = "FAILED"\n',
    ),
)

# The answer of a Lambda worker whose handler raised: upstream drops the exception's class.
WORKER_ERROR = '{"status": "error", "error": str(e), "trace": traceback.format_exc()}'
WORKER_ERROR_WITH_CLASS = (
    '{"status": "error", "error": str(e), "errorType": type(e).__name__,'
    ' "trace": traceback.format_exc()}'
)
WORKER_START = "\nrun()\n"
# A handler that hangs must not outlive an emulator that was killed.
WORKER_START_WATCHED = """
def _end_with_parent(parent):
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)

import threading
threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
run()
"""


def apply() -> None:
    """Apply everything; raises UpstreamChanged when MiniStack is not the one we know."""
    for function in dict.fromkeys(edit.function for edit in EDITS):
        _rewrite([edit for edit in EDITS if edit.function == function])
    vars(stepfunctions).update(
        _is_same_start=_is_same_start,
        _with_timeout_evaluated=_with_timeout_evaluated,
        _branch_context=_branch_context,
        _stop_if_over=_stop_if_over,
    )
    stepfunctions._run_execution = _with_time_limit(stepfunctions._run_execution)
    _keep_exception_class()


def replace_once(text: str, before: str, after: str) -> str:
    """`text` with `before` replaced; raises UpstreamChanged unless it occurs exactly once."""
    if text.count(before) != 1:
        raise UpstreamChanged(f"expected once in ministack {VERSION}: {before!r}")
    return text.replace(before, after)


def _rewrite(edits: list[Edit]) -> None:
    source = edits[0].original
    for edit in edits:
        source = replace_once(source, edit.before, edit.after)
    code = compile(source, f"{stepfunctions.__file__} (edited)", "exec")
    exec(code, vars(stepfunctions))  # noqa: S102 - upstream's own source with the edits above, nothing else


def _is_same_start(arn: str, request: dict[str, Any]) -> bool:
    running = stepfunctions._executions.get(arn)
    return bool(
        running
        and running["status"] == "RUNNING"
        and running["input"] == request.get("input", "{}")
    )


def _with_timeout_evaluated(state: dict[str, Any], given: object, ctx: Any) -> dict[str, Any]:
    if not isinstance(state.get("TimeoutSeconds"), str):
        return state
    seconds = stepfunctions._jsonata_state_field(state, "TimeoutSeconds", "number", given, ctx)
    return {**state, "TimeoutSeconds": seconds}


def _branch_context(ctx: dict[str, Any], scope: dict[str, bool]) -> dict[str, Any]:
    return {
        **ctx,
        "variables": dict(ctx.get("variables", {})),
        "scopes": [*ctx.get("scopes", ()), scope],
    }


def _stop_if_over(execution: dict[str, Any] | None, ctx: dict[str, Any]) -> None:
    ended = execution is not None and execution["status"] != "RUNNING"
    if ended or any(scope["ended"] for scope in ctx.get("scopes", ())):
        raise stepfunctions._ExecutionError("States.Aborted", "Stopped from outside")


def _with_time_limit(run: Callable[[str], None]) -> Callable[[str], None]:
    def limited(arn: str) -> None:
        seconds = _time_limit(arn)
        if seconds is None:
            run(arn)
            return
        expire = contextvars.copy_context()
        timer = threading.Timer(seconds, expire.run, (_time_out, arn))
        timer.daemon = True
        timer.start()
        try:
            run(arn)
        finally:
            timer.cancel()

    return limited


def _time_limit(arn: str) -> float | None:
    execution = stepfunctions._executions.get(arn) or {}
    machine = stepfunctions._state_machines.get(execution.get("stateMachineArn")) or {}
    limit = json.loads(machine.get("definition", "{}")).get("TimeoutSeconds")
    return None if limit is None else float(limit)


def _time_out(arn: str) -> None:
    execution = stepfunctions._executions[arn]
    if execution["status"] == "RUNNING":
        execution.update(status="TIMED_OUT", stopDate=stepfunctions.now_iso())
        stepfunctions._add_event(execution, "ExecutionTimedOut")
        stepfunctions._emit_execution_status_event(execution)


def _keep_exception_class() -> None:
    script = replace_once(
        lambda_runtime._PYTHON_WORKER_SCRIPT, WORKER_ERROR, WORKER_ERROR_WITH_CLASS
    )
    lambda_runtime._PYTHON_WORKER_SCRIPT = replace_once(script, WORKER_START, WORKER_START_WATCHED)
    lambda_runtime.Worker._drain_stderr_bounded.__defaults__ = LOG_DRAIN
    last = threading.local()
    invoke, execute = lambda_runtime.Worker.invoke, lambda_svc._execute_function_warm

    def remember(*args: Any, **named: Any) -> Any:
        last.answer = invoke(*args, **named)
        return last.answer

    def name_error(func: Any, event: Any, request_id: str) -> Any:
        last.answer = {}
        result = execute(func, event, request_id)
        if result.get("error"):
            result["body"] = _error_body(result["body"], last.answer)
        return result

    lambda_runtime.Worker.invoke = remember
    lambda_svc._execute_function_warm = name_error


def _error_body(body: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    if answer.get("errorType"):
        trace = str(answer.get("trace", "")).splitlines()
        return {**body, "errorType": answer["errorType"], "stackTrace": trace}
    if answer.get("error") == "Worker process died":
        return {**body, "errorType": "Runtime.ExitError"}
    return body
