"""Names that runbook SQL, bodies and arguments refer to, and what is wrong with them."""

import re
from collections.abc import Iterable, Iterator, Mapping

from incident_squad.domain.runbook import (
    Action,
    AwsAction,
    AwsProbe,
    CommandAction,
    CommandProbe,
    Condition,
    HttpAction,
    K8sAction,
    K8sProbe,
    ParameterValue,
    SqlAction,
    SqlProbe,
    SsmAction,
    Step,
)

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_STRAY = re.compile(r"%(?!\(\w+\)s|%)")
_BRACES = re.compile(r"\{\s*[A-Za-z_]|\$\{|\$[A-Za-z_]")
_REFERENCE = re.compile(r"\$((?:preview\.|result\.)?[A-Za-z][A-Za-z0-9_-]*)")
_TEXT = re.compile(r"'(?:[^']|'')*'")
_WRITES = re.compile(
    r"\b(?:insert|update|delete|merge|drop|truncate|alter|grant|revoke|create|vacuum|copy|lock"
    r"|call|do|set|reload|kill|pg_terminate_backend|pg_cancel_backend|pg_reload_conf|set_config"
    r"|pg_wal_replay_pause|pg_wal_replay_resume|pg_switch_wal"
    r"|pg_drop_replication_slot|pg_promote|nextval|setval|lo_\w+|dblink\w*"
    r"|pg_read_\w+|pg_advisory\w*)\b",
    re.IGNORECASE,
)
_READS = re.compile(r"\s*(?:select|show|with)\b", re.IGNORECASE)


def sql_problems(sql: str, *, read_only: bool) -> Iterator[str]:
    """What is wrong with a statement by itself."""
    code = _TEXT.sub("''", sql)
    if ";" in code:
        yield "holds a semicolon: write one statement"
    if _BRACES.search(code):
        yield "is put together with braces or $name: write parameters as %(name)s"
    if any(_PLACEHOLDER.search(text) for text in _TEXT.findall(sql)):
        yield "quotes a parameter: write %(name)s without quotes"
    if _STRAY.search(sql) and _PLACEHOLDER.search(sql):
        yield "has a stray %: write parameters as %(name)s and a percent sign as %%"
    if read_only and not _READS.match(sql):
        yield "is not read-only: begin with SELECT, SHOW or WITH"
    elif read_only and (write := _WRITES.search(code)):
        yield f"is not read-only: it says '{write[0]}'"


def reference_problems(step: Step) -> Iterator[str]:
    """References of a step that lead nowhere, and parameters that nothing refers to."""
    own = set(step.parameters)
    apply = _of_action(step.action)
    verify = _of_condition(step.verify)
    undo = _of_action(step.undo.action) if step.undo and step.undo.action else set()
    seen = (
        ("the preview", _of_preview(step.action), ("",)),
        ("the precheck", _of_condition(step.precheck), ("",)),
        ("the action", apply, ("", "preview")),
        ("the verify", verify, ("", "preview", "result")),
        ("the undo", undo, ("", "preview", "result")),
    )
    for part, names, spaces in seen:
        for name in sorted(names):
            yield from _unresolved(part, name, spaces, step)
    used = {name for _, names, _ in seen for name in names} | _shown(step)
    yield from (f"the parameter '{name}' is never used" for name in sorted(own - used))


def interpolations(action: Action) -> Iterator[str]:
    """Values that are neither a literal nor one whole reference."""
    for value in _values(action):
        if isinstance(value, str) and "$" in value and not _REFERENCE.fullmatch(value):
            yield f"'{value}' mixes text and a reference: a value is a literal or one '$name'"


def previewed(step: Step) -> frozenset[str]:
    """The preview columns that the apply works on."""
    names = (name.partition("preview_") for name in _of_action(step.action))
    return frozenset(column for before, found, column in names if found and not before)


def _unresolved(part: str, name: str, spaces: tuple[str, ...], step: Step) -> Iterator[str]:
    space, found, key = name.partition("_")
    if not found or space not in {"preview", "result"} or name in step.parameters:
        if name not in step.parameters:
            yield f"{part} refers to '{name}', which is not a parameter of the step"
    elif space not in spaces:
        yield f"{part} refers to '{name}', which is not known yet at that point"
    elif space == "preview" and not _has_column(step.action, key):
        yield f"{part} refers to the preview's column '{key}', which the preview does not give"


def _has_column(action: Action, column: str) -> bool:
    if isinstance(action, SqlAction):
        return bool(action.preview and re.search(rf"\b{re.escape(column)}\b", action.preview))
    return isinstance(action, HttpAction) and action.preview_operation is not None


def _of_action(action: Action) -> set[str]:
    if isinstance(action, SqlAction):
        return set(_PLACEHOLDER.findall(action.apply))
    return _named(_values(action))


def _named(values: Iterable[ParameterValue]) -> set[str]:
    matches = (_REFERENCE.fullmatch(value) for value in values if isinstance(value, str))
    return {match[1].replace(".", "_", 1) for match in matches if match}


def _of_preview(action: Action) -> set[str]:
    sql = action.preview if isinstance(action, SqlAction) else None
    return set(_PLACEHOLDER.findall(sql or ""))


def _of_condition(condition: Condition | None) -> set[str]:
    probe = condition.probe if condition else None
    if isinstance(probe, SqlProbe):
        return set(_PLACEHOLDER.findall(probe.sql))
    if isinstance(probe, AwsProbe | K8sProbe):
        return _named(probe.arguments.values())
    return _named(probe.argv) if isinstance(probe, CommandProbe) else set()


def _values(action: Action) -> tuple[ParameterValue, ...]:
    if isinstance(action, HttpAction):
        return tuple(action.body.values())
    if isinstance(action, AwsAction | SsmAction | K8sAction):
        arguments: Mapping[str, ParameterValue] = action.arguments
        return tuple(arguments.values())
    return action.argv if isinstance(action, CommandAction) else ()


def _shown(step: Step) -> set[str]:
    return set(re.findall(r"\$([a-z][a-z0-9_]*)", step.command))
