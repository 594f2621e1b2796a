"""Looks at and acts on HTTP targets, through the operations that the catalogue declares."""

from collections.abc import Mapping, Sequence
from typing import Any

from incident_squad.adapters.http_client import Operations, Refused
from incident_squad.adapters.json_answers import as_row, is_scalar, scalars, select
from incident_squad.domain.errors import (
    InvalidConfiguration,
    InvalidParameter,
    SquadError,
    StepFailed,
)
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import Action, HttpAction, HttpProbe, ParameterValue, Probe, Step
from incident_squad.policy.parameters import fill
from incident_squad.ports import Clock

PROBE_SECONDS = 5


class HttpProber:
    """Implements `Prober` with the target's reader; it sends nothing but declared GETs."""

    def __init__(self, client: Operations, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    def probe(self, probe: Probe, target: str | None, parameters: Mapping[str, Any]) -> Evidence:
        """Ask one operation; what goes wrong is in the evidence's status."""
        del parameters  # a path is fixed
        if not isinstance(probe, HttpProbe) or target is None:
            return self._seen(probe, target, EvidenceStatus.NOT_CONFIGURED)
        try:
            content = self._client.look(target, probe.operation, seconds=PROBE_SECONDS)
        except Refused as error:
            return self._seen(probe, target, EvidenceStatus.DENIED, detail=str(error))
        except InvalidConfiguration as error:
            return self._seen(probe, target, EvidenceStatus.NOT_CONFIGURED, detail=str(error))
        except SquadError as error:
            return self._seen(probe, target, EvidenceStatus.ERROR, detail=str(error))
        value, rows = select(content, probe.pointer), (as_row(content),)
        if not is_scalar(value):
            return self._seen(probe, target, EvidenceStatus.NO_DATA, rows=rows)
        return self._seen(probe, target, EvidenceStatus.OK, value=value, rows=rows)

    def _seen(
        self,
        probe: Probe,
        target: str | None,
        status: EvidenceStatus,
        **more: Any,  # noqa: ANN401
    ) -> Evidence:
        asked = f"{probe.operation} {probe.pointer}" if isinstance(probe, HttpProbe) else ""
        return Evidence(
            id="",
            source=f"http:{target or 'none'}",
            query=asked.strip(),
            status=status,
            observed_at=self._clock.now(),
            **more,
        )


class HttpExecutor:
    """Implements `Executor` for HTTP steps; the idempotency key goes along as a header.

    The plain values of an operation's answer are what `$result.key` of an undo refers to.
    """

    def __init__(self, client: Operations) -> None:
        self._client = client

    def preview(
        self, step: Step, target: str | None, parameters: Mapping[str, ParameterValue]
    ) -> Sequence[Mapping[str, str]]:
        """One row: what the preview operation answers, the call, and what it would send."""
        action = _http(step.action)
        row: dict[str, str] = {}
        if action.preview_operation is not None:
            seconds = step.timeout_seconds
            row = as_row(self._client.look(target, action.preview_operation, seconds=seconds))
        sent = _body(action, parameters, [row])
        call = self._client.describe(target, action.operation)
        return [{**row, "call": call, **{f"sends {name}": str(sent[name]) for name in sent}}]

    def apply(self, step: Step, planned: PlannedStep, idempotency_key: str) -> Mapping[str, Any]:
        """Call the operation; raises TargetUnavailable when it was not called, else StepFailed."""
        action = _http(step.action)
        if not step.mutates:
            seconds = step.timeout_seconds
            return scalars(self._client.look(planned.target, action.operation, seconds=seconds))
        body = _body(action, planned.parameters, planned.preview)
        return self._act(step, action, planned, body, idempotency_key)

    def undo(
        self, step: Step, planned: PlannedStep, result: Mapping[str, Any], idempotency_key: str
    ) -> Mapping[str, Any]:
        """Call the undo's operation; its body may hold `$preview.x` and `$result.x`."""
        if step.undo is None or step.undo.action is None:
            raise StepFailed(f"'{step.title}' has no undo")
        action = _http(step.undo.action)
        body = _body(action, planned.parameters, planned.preview, result)
        return self._act(step, action, planned, body, idempotency_key)

    def _act(
        self,
        step: Step,
        action: HttpAction,
        planned: PlannedStep,
        body: Mapping[str, Any],
        key: str,
    ) -> Mapping[str, Any]:
        return scalars(
            self._client.act(planned.target, action.operation, body, key, step.timeout_seconds)
        )


def _http(action: Action) -> HttpAction:
    if not isinstance(action, HttpAction):
        raise InvalidParameter(f"an action of kind '{action.kind}' is not HTTP")
    return action


def _body(
    action: HttpAction,
    parameters: Mapping[str, ParameterValue],
    preview: Sequence[Mapping[str, str]],
    result: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    filled = {name: fill(value, parameters, preview, result) for name, value in action.body.items()}
    return {name: _single(name, value) for name, value in filled.items()}


def _single(name: str, value: Any) -> Any:  # noqa: ANN401 - a plain value
    """A body takes plain values: a column of a one-row preview is the value in that row."""
    if not isinstance(value, list):
        return value
    if len(value) != 1:
        raise InvalidParameter(f"'{name}' needs one value, and the preview has {len(value)}")
    return value[0]
