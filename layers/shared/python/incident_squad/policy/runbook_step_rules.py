"""Rules for the steps and probes of runbooks. Each breach is a place and what to mend there."""

import re
from collections.abc import Iterable, Iterator

from incident_squad.domain.catalog import (
    Catalog,
    HttpOperation,
    HttpTarget,
    PostgresTarget,
    Target,
)
from incident_squad.domain.errors import InvalidParameter
from incident_squad.domain.runbook import (
    HttpAction,
    HttpProbe,
    MetricProbe,
    Parameter,
    ParameterType,
    Probe,
    SqlAction,
    SqlProbe,
    Step,
)
from incident_squad.domain.targets import CommandTarget, HostCommand
from incident_squad.policy.metric_query import metric_problems
from incident_squad.policy.runbook_cloud_rules import cloud_probe_errors, cloud_step_errors
from incident_squad.policy.runbook_references import (
    interpolations,
    previewed,
    reference_problems,
    sql_problems,
)
from incident_squad.policy.typed import typed

Found = tuple[str, str]

_SOURCE = re.compile(r"alert\.(?:ip|host|access_key|instance)|service|target\.[a-z][a-z0-9_]*")
_ROWWISE = re.compile(r"\s*(?:select|with|update|delete)\b", re.IGNORECASE)


def step_errors(step: Step, where: str, catalog: Catalog) -> Iterator[Found]:
    """What is wrong with a step, its conditions and its undo."""
    undo = step.undo.action if step.undo else None
    actions = (step.action, undo) if undo else (step.action,)
    mixed = (message for action in actions for message in interpolations(action))
    yield from ((where, message) for message in (*reference_problems(step), *mixed))
    for name, parameter in step.parameters.items():
        yield from _of_parameter(name, parameter, where)
    conditions = [c.probe for c in (step.precheck, step.verify) if c]
    yield from probe_errors(conditions, where, catalog, names=True)
    yield from cloud_step_errors(step, where, catalog)
    if isinstance(step.action, SqlAction):
        yield from _of_sql(step, step.action, where, catalog)
    if isinstance(step.action, HttpAction):
        yield from _of_http(step.action, where, catalog, mutates=step.mutates)
        if isinstance(undo, HttpAction):
            yield from _of_http(undo, f"{where} undo", catalog, mutates=True)


def _of_parameter(name: str, parameter: Parameter, where: str) -> Iterator[Found]:
    if parameter.source is not None and not _SOURCE.fullmatch(parameter.source):
        yield (where, f"'{name}' has the source '{parameter.source}': see README, Parameters")
    if parameter.pattern and not re.fullmatch(r"\^.*\$", parameter.pattern):
        yield (where, f"the pattern of '{name}' must begin with ^ and end with $")
    low, high = parameter.min, parameter.max
    if low is not None and high is not None and low > high:
        yield (where, f"'{name}' has a min above its max")
    if parameter.default is not None:
        try:
            typed(name, parameter, parameter.default)
        except InvalidParameter as error:
            yield (where, f"the default of {error}")
    if parameter.type is ParameterType.IP and parameter.default is not None:
        yield (where, f"'{name}' is an address: it comes from the alert, not from a default")


def _of_sql(step: Step, action: SqlAction, where: str, catalog: Catalog) -> Iterator[Found]:
    yield from _of_role(action.target, PostgresTarget, where, catalog)
    statements = [(action.apply, not step.mutates), (action.preview or "SELECT 1", True)]
    undo = step.undo.action if step.undo else None
    if isinstance(undo, SqlAction):
        statements.append((undo.apply, False))
    for sql, read_only in statements:
        yield from ((where, f"SQL {m}") for m in sql_problems(sql, read_only=read_only))
    if step.mutates and _ROWWISE.match(action.apply) and not previewed(step):
        message = "the apply must be held to the previewed rows: use %(preview_<column>)s"
        yield (where, message)


def _of_http(action: HttpAction, where: str, catalog: Catalog, *, mutates: bool) -> Iterator[Found]:
    yield from _of_operation(action.target, action.operation, where, catalog, mutates=mutates)
    if action.preview_operation:
        yield from _of_operation(action.target, action.preview_operation, where, catalog)


def probe_errors(
    probes: Iterable[Probe], where: str, catalog: Catalog, *, names: bool = False
) -> Iterator[Found]:
    """What is wrong with probes; `names` says that a step gives their SQL its parameters."""
    for probe in probes:
        yield from cloud_probe_errors(probe, where, catalog)
        if isinstance(probe, HttpProbe):
            yield from _of_operation(probe.target, probe.operation, where, catalog)
        if isinstance(probe, SqlProbe):
            yield from _of_role(probe.target, PostgresTarget, where, catalog)
            yield from (
                (where, f"SQL {message}") for message in sql_problems(probe.sql, read_only=True)
            )
            if "%(" in probe.sql and not names:
                yield (where, "SQL takes no parameters here: there is no step to give them")
        if isinstance(probe, MetricProbe):
            yield from ((where, message) for message in metric_problems(probe))


def _of_role(
    role: str, kind: type[Target] | tuple[type[Target], ...], where: str, catalog: Catalog
) -> Iterator[Found]:
    players = _players(role, catalog)
    if not players:
        yield (where, f"no service has a target for '{role}': add it to catalog.yaml")
    for name in players:
        if not isinstance(catalog.targets[name], kind):
            yield (where, f"the target '{name}' plays '{role}' but is of another kind")


def _of_operation(
    role: str, operation: str, where: str, catalog: Catalog, *, mutates: bool = False
) -> Iterator[Found]:
    yield from _of_role(role, (HttpTarget, CommandTarget), where, catalog)
    for name in _players(role, catalog):
        target = catalog.targets[name]
        known: HttpOperation | HostCommand | None = None
        if isinstance(target, HttpTarget):
            known = target.operations.get(operation)
        elif isinstance(target, CommandTarget):
            known = target.commands.get(operation)
        if isinstance(target, HttpTarget | CommandTarget) and known is None:
            yield (where, f"the target '{name}' has no operation '{operation}': add it")
        elif known is not None and known.mutates is not mutates:
            says = "changes something" if known.mutates else "only reads"
            yield (where, f"the operation '{operation}' of '{name}' {says}: mend 'mutates'")


def _players(role: str, catalog: Catalog) -> list[str]:
    """The targets that play a role for any service."""
    targets = (service.targets.get(role) for service in catalog.services.values())
    return sorted({target for target in targets if target is not None})
