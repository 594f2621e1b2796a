"""Prompts that an MCP client offers its user: a post-mortem and a hand-over."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from incident_squad.agents.prompt_files import PromptFolder
from incident_squad.domain.errors import InvalidParameter
from incident_squad.domain.values import Value
from incident_squad.steps.report import BuildReport
from incident_squad.steps.tools.cleaning import Clean
from incident_squad.steps.tools.inputs import IncidentInput


class Prompt(Value):
    """A prompt about one incident; `file` is where its words stand."""

    name: str
    title: str
    description: str
    file: str


PROMPTS = (
    Prompt(
        name="post-mortem",
        title="Write a post-mortem",
        description="Turns the record of an incident into a blameless post-mortem",
        file="post_mortem",
    ),
    Prompt(
        name="hand-over",
        title="Hand an incident over",
        description="Tells the next person on call where an incident stands and what is next",
        file="hand_over",
    ),
)


@dataclass(frozen=True)
class Prompts:
    """Fills prompts with the report of an incident, fenced: it quotes text from outside."""

    build_report: BuildReport
    clean: Clean

    def fill(self, name: str, arguments: Mapping[str, str]) -> tuple[Prompt, str]:
        """The prompt and its text.

        Raises InvalidParameter for an unknown prompt or id, UnknownIncident, and PolicyViolation
        before triage.
        """
        offered = next((one for one in PROMPTS if one.name == name), None)
        if offered is None:
            raise InvalidParameter("there is no prompt of this name")
        try:
            asked = IncidentInput.model_validate(dict(arguments))
        except ValueError as error:
            raise InvalidParameter("it needs an incidentId, such as INC-20261122-7F3KQ") from error
        record = _fenced(self.clean(self.build_report(asked.incident_id).to_json()))
        return offered, f"{PromptFolder().plain(offered.file)}\n\n{record}\n"


def _fenced(report: Mapping[str, Any]) -> str:
    """The report between tags; it cannot hold the closing one, because no `<` is left in it."""
    said = json.dumps(report, ensure_ascii=False, indent=1).replace("<", "\\u003c")
    return f"<incident_record>\n{said}\n</incident_record>"
