"""What every function finds under `/opt`."""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64
RUNBOOKS = "/opt/runbooks"


class Layers(Construct):
    """Dependencies change rarely, the package with every commit, runbooks when people write."""

    def __init__(self, scope: Construct, construct_id: str, *, dependencies: Path | None) -> None:
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
