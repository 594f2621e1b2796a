"""The workflow as a file that people review: `python -m infra.golden` writes it anew."""

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infra.app import synthesise
from infra.components.layers import ROOT

GOLDEN = ROOT / "tests" / "infra" / "golden" / "workflow.asl.json"

Template = Mapping[str, Any]


def lambda_functions(template: Template) -> dict[str, str]:
    """Logical ids of the template's functions, and the functions' names in the catalogue."""
    return {
        logical_id: resource["Properties"]["FunctionName"].rpartition("-")[2]
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Function"
    }


def workflow(template: Template, arn_of: Callable[[str], str] = str) -> dict[str, Any]:
    """The state machine's definition; `arn_of` gives what stands for a function's ARN."""
    names = lambda_functions(template)
    (machine,) = (
        resource
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
    )

    def text(part: str | dict[str, Any]) -> str:
        if isinstance(part, str):
            return part
        if part == {"Ref": "AWS::Partition"}:
            return "aws"
        logical_id, attribute = part["Fn::GetAtt"]
        if attribute != "Arn":
            raise ValueError(f"the definition uses {part}, which is not a function's ARN")
        return arn_of(names[logical_id])

    parts = machine["Properties"]["DefinitionString"]["Fn::Join"][1]
    definition: dict[str, Any] = json.loads("".join(text(part) for part in parts))
    return definition


def rendered(template: Template) -> str:
    """The file's text: functions by name, so that only the flow shows in a difference."""
    return json.dumps(workflow(template), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the golden file from the stack as it stands."""
    with tempfile.TemporaryDirectory() as folder:
        template = json.loads(synthesise(Path(folder), stage="dev").read_text())
    GOLDEN.parent.mkdir(parents=True, exist_ok=True)
    GOLDEN.write_text(rendered(template))


if __name__ == "__main__":
    main()
