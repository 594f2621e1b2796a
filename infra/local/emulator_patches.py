"""Makes MiniStack behave as AWS where the squad relies on it, before the emulator starts.

The edits fit exactly the pinned version: when a passage is gone the emulator refuses to start, and
a test asks for each edit whether upstream still needs it.
"""
# ruff: noqa: SLF001, ANN401 - editing another program's untyped internals is this file's whole job

import asyncio
import contextvars
import json
import threading
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, stepfunctions

from infra.local import emulator_layers as layers
from infra.local.emulator_edits import (
    EDITS,
    WORKER_ERROR,
    WORKER_ERROR_WITH_CLASS,
    WORKER_START,
    WORKER_START_WATCHED,
    Edit,
)
from infra.local.emulator_version import VERSION

# Seconds to wait for the first log line, for quiet after it, and at the most, after each call.
LOG_DRAIN = (0.004, 0.002, 0.25)


class UpstreamChanged(Exception):
    """The passage that an edit replaces is not there exactly once."""


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
    vars(lambda_svc).update(_start_environment=_start_environment)
    vars(lambda_runtime).update(_unpacked_layer=layers.unpacked)
    stepfunctions._run_execution = _with_time_limit(stepfunctions._run_execution)
    _keep_exception_class()


def replace_once(text: str, before: str, after: str) -> str:
    """`text` with `before` replaced; raises UpstreamChanged unless it occurs exactly once."""
    if text.count(before) != 1:
        raise UpstreamChanged(f"expected once in ministack {VERSION}: {before!r}")
    return text.replace(before, after)


def _rewrite(edits: list[Edit]) -> None:
    module, source = edits[0].module, edits[0].original
    for edit in edits:
        source = replace_once(source, edit.before, edit.after)
    code = compile(source, f"{module.__file__} (edited)", "exec")
    owner, _, name = edits[0].function.rpartition(".")
    made: dict[str, Any] = {}
    # Upstream's own source with our edits, nothing else.
    exec(code, vars(module), made)  # noqa: S102
    setattr(getattr(module, owner) if owner else module, name, made[name])


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


async def _start_environment(record: dict[str, Any]) -> None:
    await asyncio.to_thread(_start_first, record)


def _start_first(record: dict[str, Any]) -> None:
    """Start a function's environment if it has none; a failing init says so at the first call."""
    config, code = record["config"], record.get("code_zip")
    name, version = config["FunctionName"], config.get("Version", "$LATEST")
    if not code or lambda_runtime._workers.get(lambda_runtime._worker_key(name, config, version)):
        return
    worker, _ = lambda_runtime.acquire_worker(name, config, code, qualifier=version)
    try:
        lambda_runtime.ensure_spawned(worker)
    except RuntimeError:
        lambda_runtime.invalidate_worker(name, qualifier=version)
    finally:
        lambda_runtime.release_worker(worker)


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
