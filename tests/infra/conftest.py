"""The template is synthesised once for the whole session: it takes seconds."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.app import synthesise
from infra.golden import workflow

Template = dict[str, Any]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    folder: Path = tmp_path_factory.mktemp("assembly")
    read: Template = json.loads(synthesise(folder, stage="prod").read_text())
    return read


@pytest.fixture(scope="session")
def machine(template: Template) -> dict[str, Any]:
    """The definition of the workflow, with functions by name."""
    return workflow(template)
