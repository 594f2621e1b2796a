"""The interpreter holds the machine of the synthesised template, made once for all tests."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.app import synthesise
from infra.golden import workflow
from tests.workflow.interpreter import Interpreter, function_arn, interpreting


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Interpreter]:
    folder: Path = tmp_path_factory.mktemp("assembly")
    template = json.loads(synthesise(folder, stage="dev").read_text())
    with interpreting(workflow(template, function_arn)) as interpreter:
        yield interpreter
