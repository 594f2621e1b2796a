"""What every function finds under `/opt`."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import yaml
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64
RUNBOOKS = "/opt/runbooks"
OVERLAY = "/opt/catalog-overlay.yaml"
"""Where functions find an operator's own catalogue, when there is one."""


class Layers(Construct):
    """Dependencies change rarely, the package with every commit, runbooks when people write."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        dependencies: Path | None,
        overlay: Mapping[str, Any],
    ) -> None:
        super().__init__(scope, construct_id)
        code = {
            "Shared": lambda_.Code.from_asset(
                str(ROOT / "layers" / "shared"), exclude=["**/__pycache__"]
            ),
            # The folder's own name must stay: the layer is unpacked into /opt.
            "Runbooks": lambda_.Code.from_asset(
                str(ROOT), exclude=["/*", "!/runbooks"], ignore_mode=cdk.IgnoreMode.GIT
            ),
        }
        if overlay:
            code["Overlay"] = lambda_.Code.from_asset(str(_folder_of(overlay)))
        if dependencies:
            code["Dependencies"] = lambda_.Code.from_asset(str(dependencies))
        self.all = [self._layer(name, part) for name, part in code.items()]

    def _layer(self, name: str, code: lambda_.Code) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            name,
            code=code,
            description=f"Incident Squad: {name.lower()}",
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[ARCHITECTURE],
        )


def _folder_of(overlay: Mapping[str, Any]) -> Path:
    """A folder with nothing but the overlay; the asset's name comes from its content."""
    folder = Path(tempfile.mkdtemp(prefix="squad-overlay-"))
    (folder / Path(OVERLAY).name).write_text(yaml.safe_dump(dict(overlay), sort_keys=False))
    return folder
