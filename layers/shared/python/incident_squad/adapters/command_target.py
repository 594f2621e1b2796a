"""Runs the programs that an ops host's allow-list names, as argument lists."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from incident_squad.adapters.aws_actions.place import Clients
from incident_squad.adapters.command_hosts import Host, InstanceHost, LocalHost, Printed
from incident_squad.adapters.json_answers import scalars
from incident_squad.adapters.ssm_runs import SsmRuns
from incident_squad.adapters.targets import (
    as_not_done,
    ended_badly,
    evidence,
    filled_for_probe,
    target_of,
)
from incident_squad.domain.errors import (
    InvalidConfiguration,
    InvalidParameter,
    SquadError,
    StepFailed,
)
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import Action, CommandAction, CommandProbe, ParameterValue, Step
from incident_squad.domain.runbook import Probe as AnyProbe
from incident_squad.domain.targets import CommandTarget
from incident_squad.policy.parameters import fill
from incident_squad.ports import Clock, Knowledge

PROBE_SECONDS = 10
SHOWN = 2000
"""Characters of a preview's output that an approver is shown."""


@dataclass(frozen=True)
class Call:
    """One allowed call: the program by its full path, with its arguments."""

    argv: tuple[str, ...]
    mutates: bool
    preview: tuple[str, ...] | None

    @property
    def line(self) -> str:
        """The call in words."""
        return " ".join(self.argv)


class Hosts:
    """Finds the host of a target, and what may be run there."""

    def __init__(self, knowledge: Knowledge, clients: Clients, clock: Clock) -> None:
        self._knowledge = knowledge
        self._clients = clients
        self._clock = clock

    def host(self, name: str | None) -> Host:
        """Where the target's programs run."""
        target = target_of(self._knowledge, name, CommandTarget)
        if target.instance is None:
            return LocalHost()
        return InstanceHost(
            SsmRuns(self._clients("ssm", target.region), self._clock), target.instance
        )

    def call(self, name: str | None, argv: Sequence[Any]) -> Call:
        """The call, if the allow-list holds it; raises InvalidParameter otherwise."""
        target = target_of(self._knowledge, name, CommandTarget)
        program, arguments = str(argv[0]), [str(word) for word in argv[1:]]
        allowed = target.commands.get(program)
        if allowed is None:
            raise InvalidParameter(f"'{program}' is not among the commands of '{name}'")
        patterns = allowed.arguments
        if len(arguments) != len(patterns):
            raise InvalidParameter(f"'{program}' takes {len(patterns)} arguments")
        for word, pattern in zip(arguments, patterns, strict=True):
            if not re.fullmatch(pattern, word, re.ASCII) or not word.isprintable():
                raise InvalidParameter(f"an argument of '{program}' does not fit {pattern}")
        shown = self.call(name, (allowed.preview, *arguments)).argv if allowed.preview else None
        return Call((allowed.path, *arguments), allowed.mutates, shown)


class CommandProber:
    """Implements `Prober` with commands that are declared to change nothing."""

    def __init__(self, knowledge: Knowledge, clients: Clients, clock: Clock) -> None:
        self._hosts = Hosts(knowledge, clients, clock)
        self._clock = clock

    def probe(self, probe: AnyProbe, target: str | None, parameters: Mapping[str, Any]) -> Evidence:
        """Run one program; the value is what it prints, or what the pattern finds in that."""
        source = f"command:{target or 'none'}"
        if not isinstance(probe, CommandProbe):
            return evidence(self._clock, source, "", EvidenceStatus.NOT_CONFIGURED)
        asked = " ".join(probe.argv)
        try:
            words = dict(enumerate(probe.argv[1:]))
            given = filled_for_probe({str(n): w for n, w in words.items()}, parameters)
            argv = (probe.argv[0], *(_safe(probe.argv[n + 1], given[str(n)]) for n in words))
            call = self._hosts.call(target, argv)
            if call.mutates:
                raise InvalidConfiguration(f"'{probe.argv[0]}' is no way to look: it mutates")
            text = _ended_well(call, self._run(target, call))
        except SquadError as error:
            status = ended_badly(error)
            return evidence(self._clock, source, asked, status, detail=str(error)[:500])
        value = _value(text, probe.pattern)
        status = EvidenceStatus.NO_DATA if value is None else EvidenceStatus.OK
        rows = ({"printed": text[:SHOWN]},)
        return evidence(self._clock, source, asked, status, value=value, rows=rows)

    def _run(self, target: str | None, call: Call) -> Printed:
        key = f"look:{self._clock.now().isoformat()}:{call.line}"
        return self._hosts.host(target).run(call.argv, PROBE_SECONDS, key)


class CommandExecutor:
    """Implements `Executor` for programs.

    A program that prints a JSON object gives its plain values to `$result.key` of an undo. It
    finds the idempotency key in the environment variable SQUAD_IDEMPOTENCY_KEY.
    """

    def __init__(self, knowledge: Knowledge, clients: Clients, clock: Clock) -> None:
        self._hosts = Hosts(knowledge, clients, clock)

    def preview(
        self, step: Step, target: str | None, parameters: Mapping[str, ParameterValue]
    ) -> Sequence[Mapping[str, str]]:
        """The call, and what its preview command prints when it has one."""
        call = self._hosts.call(target, _argv(step.action, parameters))
        row = {"host": f"{target}", "runs": call.line}
        if call.preview is None:
            return [row]
        looked = Call(call.preview, mutates=False, preview=None)
        printed = self._hosts.host(target).run(looked.argv, step.timeout_seconds, f"dry:{looked}")
        return [{**row, "shows": _ended_well(looked, printed).strip()[:SHOWN]}]

    def apply(self, step: Step, planned: PlannedStep, idempotency_key: str) -> Mapping[str, Any]:
        """Run it; raises TargetUnavailable when it was not started."""
        try:
            call = self._hosts.call(planned.target, _argv(step.action, planned.parameters))
            if call.mutates is not step.mutates:
                raise InvalidParameter(f"'{call.line}' and its step disagree on what it changes")
            if step.mutates and [row.get("runs") for row in planned.preview] != [call.line]:
                raise InvalidParameter("the planned call is not this one")
            host = self._hosts.host(planned.target)
            return _result(call, host.run(call.argv, step.timeout_seconds, idempotency_key))
        except SquadError as error:
            raise as_not_done(error) from error

    def undo(
        self, step: Step, planned: PlannedStep, result: Mapping[str, Any], idempotency_key: str
    ) -> Mapping[str, Any]:
        """Run the undo's program; its arguments may hold `$result.key`."""
        if step.undo is None or step.undo.action is None:
            raise StepFailed(f"'{step.title}' has no undo")
        argv = _argv(step.undo.action, planned.parameters, planned.preview, result)
        call, host = self._hosts.call(planned.target, argv), self._hosts.host(planned.target)
        return _result(call, host.run(call.argv, step.timeout_seconds, idempotency_key))


def _argv(
    action: Action,
    parameters: Mapping[str, ParameterValue],
    preview: Sequence[Mapping[str, str]] = (),
    result: Mapping[str, Any] | None = None,
) -> tuple[str, ...]:
    if not isinstance(action, CommandAction):
        raise InvalidParameter(f"an action of kind '{action.kind}' is not a command")
    words = (_safe(word, fill(word, parameters, preview, result)) for word in action.argv[1:])
    return (action.argv[0], *words)


def _safe(word: str, value: Any) -> str:  # noqa: ANN401 - a parameter or a result
    """A value that came from elsewhere must not turn into an option of the program."""
    text = str(value)
    if text != word and text.startswith("-"):
        raise InvalidParameter("an argument must not begin with '-'")
    return text


def _ended_well(call: Call, printed: Printed) -> str:
    if printed.code != 0:
        said = printed.text.strip()[-300:]
        raise StepFailed(f"'{call.line}' ended with {printed.code}: {said}")
    return printed.text


def _result(call: Call, printed: Printed) -> dict[str, Any]:
    text = _ended_well(call, printed)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    return {**scalars(content), "printed": text[:SHOWN]}


def _value(text: str, pattern: str | None) -> str | None:
    if pattern is None:
        return text.strip()[:SHOWN] or None
    found = re.search(pattern, text)
    if found is None:
        return None
    return (found.group(1) if found.groups() else found.group())[:SHOWN]
