"""What lies between a dry run that was planned and the one just before the act."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from incident_squad.domain.runbook import (
    Action,
    AwsAction,
    CommandAction,
    HttpAction,
    K8sAction,
    SqlAction,
    SsmAction,
)
from incident_squad.domain.values import Value

_SQL_COLUMN = re.compile(r"%\(preview_([A-Za-z][A-Za-z0-9_]*)\)")
_BODY_COLUMN = re.compile(r"\$preview\.([A-Za-z][A-Za-z0-9_-]*)")

_BY_WHOLE_ROWS = (AwsAction, SsmAction, K8sAction, CommandAction)
"""Each row of their previews says one change in full, from what to what."""


class Fit(StrEnum):
    """Whether the plan still fits what is there."""

    ACT = "act"
    NOTHING_LEFT = "nothing_left"
    CHANGED = "changed"


class Drift(Value):
    """`kept` are the planned rows that are still there: all that may be acted on.

    `gone` were planned and are no more; `appeared` are there and were not planned.
    """

    fit: Fit
    kept: tuple[dict[str, str], ...] = ()
    gone: int = 0
    appeared: int = 0

    def words(self) -> str:
        """The difference in a few words; empty when there is none."""
        parts = [f"{self.gone} no longer there"] if self.gone else []
        parts += [f"{self.appeared} not in the plan, left alone"] if self.appeared else []
        return ", ".join(parts)


def key_columns(action: Action) -> tuple[str, ...]:
    """The previewed columns that an action works with: they say which row is which."""
    if isinstance(action, SqlAction):
        return tuple(dict.fromkeys(_SQL_COLUMN.findall(action.apply)))
    if isinstance(action, HttpAction):
        references = map(_BODY_COLUMN.fullmatch, map(str, action.body.values()))
        return tuple(dict.fromkeys(found.group(1) for found in references if found))
    return ()


def drift(
    action: Action, planned: Sequence[Mapping[str, str]], fresh: Sequence[Mapping[str, str]]
) -> Drift:
    """Compare two dry runs by the columns that the action works with.

    An action that works with none cannot be narrowed, so it must not have grown. Where each row is
    a change of its own, rows are compared as a whole.
    """
    columns = key_columns(action)
    if isinstance(action, _BY_WHOLE_ROWS):
        columns = tuple(dict.fromkeys(name for row in (*planned, *fresh) for name in row))
    elif not columns:
        return _as_a_whole(planned, fresh)
    there = {_identity(row, columns) for row in fresh}
    kept = tuple(dict(row) for row in planned if _identity(row, columns) in there)
    known = {_identity(row, columns) for row in planned}
    changed = Fit.CHANGED if fresh else Fit.NOTHING_LEFT
    return Drift(
        fit=Fit.ACT if kept else changed,
        kept=kept,
        gone=len(planned) - len(kept),
        appeared=len(there - known),
    )


def _as_a_whole(planned: Sequence[Mapping[str, str]], fresh: Sequence[Mapping[str, str]]) -> Drift:
    appeared, gone = max(0, len(fresh) - len(planned)), max(0, len(planned) - len(fresh))
    if appeared:
        return Drift(fit=Fit.CHANGED, appeared=appeared)
    if planned and not fresh:
        return Drift(fit=Fit.NOTHING_LEFT, gone=gone)
    return Drift(fit=Fit.ACT, kept=tuple(dict(row) for row in planned), gone=gone)


def _identity(row: Mapping[str, str], columns: Sequence[str]) -> tuple[str | None, ...]:
    return tuple(row.get(column) for column in columns)
