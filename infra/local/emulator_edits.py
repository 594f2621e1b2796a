"""Where MiniStack behaves unlike AWS and the squad relies on AWS: what stands there, what should.

Each edit replaces one passage of one upstream function; `emulator_patches` applies them.
"""

import inspect
import textwrap
from dataclasses import dataclass
from operator import attrgetter
from types import ModuleType

from ministack.core import lambda_runtime
from ministack.services import apigateway_v1, lambda_svc, stepfunctions


@dataclass(frozen=True)
class Edit:
    """One passage of an upstream function or `Class.method`, and what stands there instead."""

    name: str
    why: str
    function: str
    before: str
    after: str
    module: ModuleType = stepfunctions

    @property
    def original(self) -> str:
        """The upstream function's source, as the installed file has it."""
        return textwrap.dedent(inspect.getsource(attrgetter(self.function)(self.module)))


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
    Edit(
        name="errors stay inside",
        why="API Gateway does not show callers what a function raised",
        module=apigateway_v1,
        function="_invoke_lambda_proxy_v1",
        before='json.dumps({"message": err}).encode()',
        after='json.dumps({"message": "Internal server error"}).encode()',
    ),
    Edit(
        name="layers are unpacked once",
        why="unpacking the same files for each function is most of a cold start",
        module=lambda_runtime,
        function="Worker._spawn",
        before="            if layer_data:\n",
        after="            if layer_data:\n"
        "                layers_dirs.append(_unpacked_layer(layer_data))\n"
        "                continue\n",
    ),
    Edit(
        name="environments before the first call",
        why="AWS may start a function's environment ahead of its calls; a dry run asks for it here",
        module=lambda_svc,
        function="_invoke",
        before='    if invocation_type == "DryRun":\n',
        after='    if invocation_type == "DryRun":\n'
        "        await _start_environment(exec_record)\n",
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
