"""Answers without secrets: who asks by MCP is mostly a model, and alerts quote what they please."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from incident_squad.policy.leak_gate import redact
from incident_squad.ports import Knowledge

Clean = Callable[[Any], Any]


def cleaner(knowledge: Knowledge) -> Clean:
    """Takes secrets and the operator's secret words out of every text of a JSON value.

    What the library says itself stays: "whether the secret is deployed" quotes no secret.
    """
    ours = cache(lambda: frozenset(_texts([r.model_dump() for r in knowledge.runbooks.values()])))

    def clean(value: Any) -> Any:  # noqa: ANN401 - JSON can be anything
        if isinstance(value, str):
            return value if value in ours() else redact(value, knowledge.catalog)
        if isinstance(value, Mapping):
            return {name: clean(part) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return [clean(part) for part in value]
        return value

    return clean


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for part in value.values() for text in _texts(part))
    elif isinstance(value, list | tuple):
        yield from (text for part in value for text in _texts(part))
