"""All tools in one table: what each is called, takes and does, and what it says when it fails."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from incident_squad.contracts import Contract
from incident_squad.domain.errors import (
    InvalidAlert,
    InvalidParameter,
    PolicyViolation,
    SquadError,
    StepFailed,
    TargetUnavailable,
    UnknownIncident,
    UnknownRunbook,
)
from incident_squad.steps.tools.cleaning import Clean

_log = logging.getLogger(__name__)

_TELLABLE = (
    InvalidAlert,
    InvalidParameter,
    PolicyViolation,
    StepFailed,
    TargetUnavailable,
    UnknownIncident,
    UnknownRunbook,
)
"""Errors whose words are for the caller; the words of all others are about the inside."""

_PROBLEMS = 5
_LONGEST = 300


class UnknownTool(SquadError):
    """There is no tool of this name."""


class ToolFailed(SquadError):
    """The tool did not do what it was asked to; the message is for the caller."""


@dataclass(frozen=True)
class Tool:
    """A tool. `acts` may change what exists, `adds` only adds to it; the rest only reads.

    `outside` means that it reaches beyond the squad's own records: systems, sources, people.
    """

    name: str
    title: str
    description: str
    takes: type[Contract]
    run: Callable[[Any], Mapping[str, Any]]
    acts: bool = False
    adds: bool = False
    outside: bool = False


class Toolbox:
    """Calls tools by name; `clean` takes out of every answer what must not leave."""

    def __init__(self, tools: tuple[Tool, ...], clean: Clean) -> None:
        self.tools = tools
        self._clean = clean
        self._by_name = {tool.name: tool for tool in tools}

    def call(self, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The tool's answer; raises UnknownTool, and ToolFailed with words for the caller."""
        tool = self._by_name.get(name)
        if tool is None:
            raise UnknownTool("there is no tool of this name")
        try:
            answer = tool.run(tool.takes.model_validate(dict(arguments)))
        except ValidationError as error:
            raise ToolFailed(_wrong(error)) from error
        except _TELLABLE as error:
            raise ToolFailed(str(self._clean(str(error)))) from error
        except SquadError as error:
            _log.warning("a tool failed: %s: %s: %s", name, type(error).__name__, error)
            raise ToolFailed("it could not be done just now: try again in a moment") from error
        cleaned: Mapping[str, Any] = self._clean(answer)
        return cleaned


def _wrong(error: ValidationError) -> str:
    found = [
        f"{'.'.join(str(part) for part in item['loc'][:4])}: {item['msg']}"[:_LONGEST]
        for item in error.errors(include_url=False, include_context=False)
    ]
    more = len(found) - _PROBLEMS
    told = "; ".join(found[:_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")
    return f"check the arguments: {told}"
