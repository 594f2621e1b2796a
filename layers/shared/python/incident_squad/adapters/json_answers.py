"""Picks values out of JSON answers, bounded."""

from typing import Any

LONGEST = 1000
"""Characters of a text that are kept."""


def select(content: Any, pointer: str) -> Any:  # noqa: ANN401 - any JSON
    """What a JSON pointer (RFC 6901) points at; None when there is nothing."""
    if pointer and not pointer.startswith("/"):
        return None
    here = content
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(here, dict):
            here = here.get(name)
        elif isinstance(here, list) and _is_index(name) and int(name) < len(here):
            here = here[int(name)]
        else:
            return None
    return here


def scalars(content: Any) -> dict[str, Any]:  # noqa: ANN401
    """The plain values of a JSON object, long texts cut; nested ones and nulls are left out."""
    if not isinstance(content, dict):
        return {}
    return {
        name: value[:LONGEST] if isinstance(value, str) else value
        for name, value in content.items()
        if is_scalar(value)
    }


def is_scalar(value: object) -> bool:
    """Whether it is a text, a number or a truth value."""
    return isinstance(value, str | int | float)


def as_row(content: Any) -> dict[str, str]:  # noqa: ANN401
    """The plain values of a JSON object as texts, as JSON writes them."""
    return {name: _text(value) for name, value in scalars(content).items()}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) < 9 and (name == "0" or name[0] != "0")  # noqa: PLR2004
