"""Prompts that an MCP client offers its user: a post-mortem and a hand-over."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from incident_squad.domain.errors import InvalidParameter
from incident_squad.domain.values import Value
from incident_squad.steps.report import BuildReport
from incident_squad.steps.tools.inputs import IncidentInput

_FOLDER = Path(__file__).resolve().parents[2] / "agents" / "prompts"


class Prompt(Value):
    """A prompt about one incident; `file` holds its words."""

    name: str
    title: str
    description: str
    file: str


PROMPTS = (
    Prompt(
        name="post-mortem",
        title="Write a post-mortem",
        description="Turns the record of an incident into a blameless post-mortem",
        file="post_mortem.md",
    ),
    Prompt(
        name="hand-over",
        title="Hand an incident over",
        description="Tells the next person on call where an incident stands and what is next",
        file="hand_over.md",
    ),
)


@dataclass(frozen=True)
class Prompts:
    """Fills prompts with the report of an incident, fenced: it quotes text from outside."""

    build_report: BuildReport

    def fill(self, name: str, arguments: Mapping[str, str]) -> tuple[Prompt, str]:
        """The prompt and its text.

        Raises InvalidParameter for an unknown prompt or id, UnknownIncident, and PolicyViolation
        before triage.
        """
        prompt = next((one for one in PROMPTS if one.name == name), None)
        if prompt is None:
            raise InvalidParameter("there is no prompt of this name")
        try:
            asked = IncidentInput.model_validate(dict(arguments))
        except ValueError as error:
            raise InvalidParameter("it needs an incidentId, such as INC-20261122-7F3KQ") from error
        words = (_FOLDER / prompt.file).read_text("utf-8").strip()
        return prompt, f"{words}\n\n{_fenced(self.build_report(asked.incident_id).to_json())}\n"


def _fenced(report: Mapping[str, Any]) -> str:
    """The report between tags; it cannot hold the closing one, because no `<` is left in it."""
    said = json.dumps(report, ensure_ascii=False, indent=1).replace("<", "\\u003c")
    return f"<incident_record>\n{said}\n</incident_record>"
