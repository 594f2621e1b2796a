"""Walks a state machine's definition."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

State = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """A state, and the states that enclose it from the inside out, with their own levels."""

    name: str
    state: State
    level: Mapping[str, State]
    around: Sequence["Place"] = ()


def places(definition: State, around: Sequence[Place] = ()) -> Iterator[Place]:
    """Every state of a machine, those within Parallel and Map too."""
    for name, state in definition["States"].items():
        place = Place(name, state, definition["States"], around)
        yield place
        inside = [*state.get("Branches", ()), *filter(None, [state.get("ItemProcessor")])]
        for branch in inside:
            yield from places(branch, (place, *around))


def tasks(definition: State) -> list[Place]:
    """The states that call functions."""
    return [place for place in places(definition) if place.state["Type"] == "Task"]


def following(state: State) -> set[str]:
    """The states that may come next when nothing fails."""
    nexts = {state.get("Next"), state.get("Default")}
    nexts |= {choice["Next"] for choice in state.get("Choices", ())}
    return {name for name in nexts if name}


def catcher(place: Place) -> Place | None:
    """Where an error that nobody names goes: to the state that catches all, or None."""
    for level in (place, *place.around):
        for catch in level.state.get("Catch", ()):
            if catch["ErrorEquals"] == ["States.ALL"]:
                name = catch["Next"]
                return Place(name, level.level[name], level.level, level.around)
    return None


def errors(state: State) -> set[str]:
    """All error names that a state's Retry and Catch mention."""
    rules = (*state.get("Retry", ()), *state.get("Catch", ()))
    return {name for rule in rules for name in rule["ErrorEquals"]}


def expressions(value: object) -> Iterator[str]:
    """Every JSONata expression in a definition."""
    if isinstance(value, str) and value.startswith("{%"):
        yield value.removeprefix("{%").removesuffix("%}").strip()
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from expressions(part)
    elif isinstance(value, list):
        for part in value:
            yield from expressions(part)
