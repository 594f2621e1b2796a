"""What databases answer, in the forms that people, plans and comparisons take."""

from datetime import date, timedelta
from decimal import Decimal


def as_text(value: object, longest: int = 300) -> str:
    """A cell for people and for the plan; nothing (NULL) is the empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= longest else text[: longest - 1] + "\u2026"


def as_value(value: object) -> float | str | bool | None:
    """A cell for a comparison: durations are in seconds."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float | Decimal):
        return float(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    return as_text(value)


def sentence(error: Exception) -> str:
    """The first line of what a database says, bounded."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300]
