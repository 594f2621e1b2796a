"""The YAML files beside this module: what triage knows is data."""

from pathlib import Path
from typing import Any

import yaml

_HERE = Path(__file__).parent
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(name: str) -> Any:  # noqa: ANN401 - the shape is the file's own
    """A YAML file beside this module."""
    text = (_HERE / name).read_text(encoding="utf-8")
    return yaml.load(text, _LOADER)  # noqa: S506 - one of the two safe loaders
