"""Compare an observed value with what was expected, safely over types."""

import operator
from collections.abc import Callable
from typing import Any

from incident_squad.domain.runbook import Expect

_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def passes(expect: Expect, value: float | str | bool | None) -> bool:  # noqa: FBT001
    """Whether the value passes; a value that cannot be compared, or none at all, never does."""
    if value is None:
        return False
    wanted = expect.value
    if _numeric(wanted):
        number = _number(value)
        if number is None:
            return False
        return _compare(expect.op, number, float(wanted))
    if isinstance(wanted, bool):
        return _compare(expect.op, _truth(value), wanted)
    return _compare(expect.op, str(value), str(wanted))


def _compare(op: str, left: Any, right: Any) -> bool:  # noqa: ANN401 - both of one comparable type
    if op == "==":
        return bool(left == right)
    if op == "!=":
        return bool(left != right)
    return _ORDERINGS[op](left, right)


def _numeric(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: float | str | bool) -> float | None:  # noqa: FBT001
    try:
        return float(value)
    except ValueError:
        return None


def _truth(value: float | str | bool) -> bool | str:  # noqa: FBT001
    text = str(value).lower()
    return {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}.get(
        text, text
    )
