"""Parameters of runbook steps: where their values come from, and what gets through.

Nothing is coerced. A value is of its declared type, in its bounds, and it names something of the
catalogue or of the verified alert; everything else is refused by the parameter's name.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from incident_squad.domain.alert import Alert
from incident_squad.domain.catalog import Catalog
from incident_squad.domain.errors import InvalidParameter
from incident_squad.domain.runbook import Parameter, ParameterType, ParameterValue, Step
from incident_squad.policy.mentions import (
    access_keys_in,
    hosts_in,
    instances_in,
    public_addresses_in,
)
from incident_squad.policy.protected import refuse_protected
from incident_squad.policy.typed import typed

_REFERENCE = re.compile(r"\$(?:(preview|result)\.)?([A-Za-z][A-Za-z0-9_-]{0,63})")

_FROM_ALERT: dict[str, Callable[[Alert], tuple[str, ...]]] = {
    "alert.ip": public_addresses_in,
    "alert.host": hosts_in,
    "alert.access_key": access_keys_in,
    "alert.instance": instances_in,
}


def resolve(
    step: Step,
    alert: Alert,
    catalog: Catalog,
    service: str | None,
    given: Mapping[str, object],
) -> dict[str, ParameterValue]:
    """The values of all parameters of a step.

    `given` are choices of a human or a model. A choice cannot leave what the parameter's source
    allows: an address must still be one that the alert names. Raises InvalidParameter.
    """
    stray = sorted(set(given) - set(step.parameters))
    if stray:
        raise InvalidParameter(f"'{stray[0]}' is not a parameter of '{step.title}'")
    values = {}
    for name, parameter in step.parameters.items():
        allowed = _allowed(name, parameter, step, alert, catalog, service)
        value = _chosen(name, parameter, allowed, given)
        values[name] = typed(name, parameter, value)
        if parameter.type is ParameterType.IP:
            refuse_protected(name, str(values[name]), catalog.policies.never_block)
    return values


def validate(step: Step, parameters: Mapping[str, object]) -> dict[str, ParameterValue]:
    """Check values that were stored: exactly the step's parameters, each of its type and bounds."""
    if set(parameters) != set(step.parameters):
        odd = sorted(set(parameters) ^ set(step.parameters))
        raise InvalidParameter(f"'{odd[0]}' is missing or not a parameter of '{step.title}'")
    return {name: typed(name, step.parameters[name], value) for name, value in parameters.items()}


def fill(
    value: ParameterValue,
    parameters: Mapping[str, ParameterValue],
    preview: Sequence[Mapping[str, str]] = (),
    result: Mapping[str, Any] | None = None,
) -> Any:  # noqa: ANN401 - a parameter, a column or what an apply gave back
    """Replace a value that is nothing but a reference; every other value stays as it is.

    `$preview.column` gives a list, one value for each row. Raises InvalidParameter when there is
    nothing of that name.
    """
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    space, name = match.groups()
    if space == "preview" and preview and all(name in row for row in preview):
        return [row[name] for row in preview]
    if space == "result" and result is not None and name in result:
        return result[name]
    if space is None and name in parameters:
        return parameters[name]
    raise InvalidParameter(f"nothing is known as '{value}'")


def names_for_sql(
    parameters: Mapping[str, Any],
    preview: Sequence[Mapping[str, str]] = (),
    result: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Everything that a statement or a condition may name, under the names that SQL uses.

    Previewed columns are lists called `preview_<column>`; what an apply gave is `result_<key>`.
    """
    columns = {f"preview_{name}": [row[name] for row in preview] for name in _columns(preview)}
    gave = {f"result_{name}": value for name, value in (result or {}).items()}
    return {**parameters, **columns, **gave}


def _columns(rows: Sequence[Mapping[str, str]]) -> list[str]:
    return [name for name in rows[0] if all(name in row for row in rows)] if rows else []


def _chosen(
    name: str,
    parameter: Parameter,
    allowed: tuple[ParameterValue, ...] | None,
    given: Mapping[str, object],
) -> object:
    if name in given:
        return _permitted(name, parameter, given[name], allowed)
    if allowed and len(allowed) > 1:
        raise InvalidParameter(
            f"'{name}' is ambiguous: the alert names {len(allowed)} ({parameter.source})"
        )
    if allowed:
        return allowed[0]
    if parameter.default is not None:
        return parameter.default
    missing = f"{parameter.source} gives none" if parameter.source else "somebody must give it"
    raise InvalidParameter(f"'{name}' has no value: {missing}")


def _permitted(
    name: str,
    parameter: Parameter,
    value: object,
    allowed: tuple[ParameterValue, ...] | None,
) -> ParameterValue:
    checked = typed(name, parameter, value)
    if allowed is None:
        return checked
    if any(type(checked) is type(other) and checked == other for other in allowed):
        return checked
    raise InvalidParameter(f"'{name}' must come from {parameter.source}, and this does not")


def _allowed(
    name: str,
    parameter: Parameter,
    step: Step,
    alert: Alert,
    catalog: Catalog,
    service: str | None,
) -> tuple[ParameterValue, ...] | None:
    """What the source can say; None when the parameter has no source."""
    source = parameter.source
    if source is None:
        return None
    if source in _FROM_ALERT:
        return _FROM_ALERT[source](alert)
    if source == "service":
        return (service,) if service in catalog.services else ()
    if source.startswith("target."):
        field = _field(step, catalog, service, source.removeprefix("target."))
        return () if field is None else (field,)
    raise InvalidParameter(f"'{name}' wants '{source}', which is not a source of parameters")


def _field(
    step: Step, catalog: Catalog, service: str | None, field: str
) -> str | int | float | None:
    role = getattr(step.action, "target", None)
    target = catalog.target_of(service, role) if service and role else None
    return catalog.targets[target].fields.get(field) if target else None
