"""Ports with a tape in between."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast, get_type_hints

from pydantic import TypeAdapter

from incident_squad import ports
from incident_squad.adapters.transcripts.tape import Tape, jsonable
from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import ParameterValue, Step

_YES_NO: TypeAdapter[bool] = TypeAdapter(bool)
_ROWS: TypeAdapter[Sequence[Mapping[str, str]]] = TypeAdapter(Sequence[Mapping[str, str]])


class _Taped:
    """Any port: what its methods give is read from the annotations of its protocol."""

    def __init__(self, tape: Tape, name: str, port: object, protocol: type) -> None:
        self._tape, self._name, self._port, self._protocol = tape, name, port, protocol

    def __getattr__(self, name: str) -> Callable[..., Any]:
        form = _form(self._protocol, name)

        def cross(*args: object, **named: object) -> Any:  # noqa: ANN401 - what the port gives
            asked = jsonable({"args": args, **named})
            return self._tape.cross(
                f"{self._name}.{name}",
                asked,
                lambda: getattr(self._port, name)(*args, **named),
                form,
            )

        return cross


@lru_cache(maxsize=128)
def _form(protocol: type, method: str) -> TypeAdapter[Any]:
    return TypeAdapter(get_type_hints(getattr(protocol, method))["return"])


def taped(tape: Tape, name: str, port: object, protocol: type) -> Any:  # noqa: ANN401 - the protocol
    """The port with a tape before it."""
    return _Taped(tape, name, port, protocol)


class _TapedExecutors:
    """Executors that only preview: whoever judges has no hands."""

    def __init__(self, tape: Tape, executors: ports.Executors) -> None:
        self._tape, self._executors = tape, executors

    def of(self, kind: str) -> ports.Executor | None:
        """The executor of a kind, or None when that kind is not built."""
        there = self._tape.cross(
            "executors.of", [kind], lambda: self._executors.of(kind) is not None, _YES_NO
        )
        return _TapedExecutor(self._tape, kind, self._executors) if there else None


class _TapedExecutor:
    def __init__(self, tape: Tape, kind: str, executors: ports.Executors) -> None:
        self._tape, self._kind, self._executors = tape, kind, executors

    def preview(
        self, step: Step, target: str | None, parameters: Mapping[str, ParameterValue]
    ) -> Sequence[Mapping[str, str]]:
        """The dry run."""
        asked = jsonable([step, target, parameters])
        return self._tape.cross(
            "executors.preview",
            asked,
            lambda: self._real().preview(step, target, parameters),
            _ROWS,
        )

    def apply(self, step: Step, planned: PlannedStep, idempotency_key: str) -> Mapping[str, Any]:
        """Straight through: no state on tape calls it."""
        return self._real().apply(step, planned, idempotency_key)

    def undo(
        self, step: Step, planned: PlannedStep, result: Mapping[str, Any], idempotency_key: str
    ) -> Mapping[str, Any]:
        """Straight through: no state on tape calls it."""
        return self._real().undo(step, planned, result, idempotency_key)

    def _real(self) -> ports.Executor:
        return cast("ports.Executor", self._executors.of(self._kind))


class TapedWorld:
    """A world whose systems, stores and clock are behind a tape; the rest is as it is."""

    def __init__(self, world: Any, tape: Tape) -> None:  # noqa: ANN401 - bootstrap's World
        self._world = world
        self.incidents = taped(tape, "incidents", _Late(world, "incidents"), ports.IncidentStore)
        self.timeline = taped(tape, "timeline", _Late(world, "timeline"), ports.Timeline)
        self.approvals = taped(tape, "approvals", _Late(world, "approvals"), ports.Approvals)
        self.probers = taped(tape, "probers", _Late(world, "probers"), ports.Probers)
        self.telemetry = taped(tape, "telemetry", _Late(world, "telemetry"), ports.Telemetry)
        self.clock = taped(tape, "clock", _Late(world, "clock"), ports.Clock)
        self.executors = _TapedExecutors(tape, _Late(world, "executors"))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a port
        return getattr(self._world, name)


class _Late:
    """A port that is built when it is first used."""

    def __init__(self, world: object, name: str) -> None:
        self._world, self._port = world, name

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a method of the port
        return getattr(getattr(self._world, self._port), name)
