"""The interpreter holds the machine of the synthesised template, which is made once."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.app import synthesise
from infra.golden import workflow
from tests.workflow.interpreter import Interpreter, function_arn, interpreting


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder: Path = tmp_path_factory.mktemp("assembly")
    found: dict[str, object] = json.loads(synthesise(folder, stage="dev").read_text())
    return found


@pytest.fixture(scope="module")
def machine(template: dict[str, object]) -> Iterator[Interpreter]:
    """One interpreter for a file: it mocks AWS for the whole process while it lives."""
    with interpreting(workflow(template, function_arn)) as interpreter:
        yield interpreter
