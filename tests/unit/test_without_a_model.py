"""Without a key there is no model: nothing of it is imported, built or asked."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from incident_squad.bootstrap.agents import model_of
from incident_squad.settings import Settings
from infra.local.config import LocalConfig
from infra.local.model_access import MODEL_KEY, model_access
from tests.fakes import MemorySecrets

HANDLERS = sorted(path.parent.name for path in Path("functions").glob("*/handler.py"))
HEAVY = ("anthropic", "httpx2", "incident_squad.agents.rails", "incident_squad.adapters.anthropic")


class Shell(dict[str, str]):
    """The variables of a shell."""

    def variable(self, name: str) -> str | None:
        return self.get(name)


LOADED = """
import importlib.util, json, sys
for name in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("handler_" + name, f"functions/{name}/handler.py")
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
from incident_squad import bootstrap
from incident_squad.domain.values import IncidentType
bootstrap.triage(), bootstrap.draft_update(), bootstrap.publish_update()
bootstrap.investigate(IncidentType.DATABASE)
print(json.dumps(sorted(sys.modules)))
"""


def test_no_function_imports_the_sdk_before_it_is_needed() -> None:
    environment = {
        "SQUAD_TABLE": "t",
        "SQUAD_RUNBOOKS": "runbooks",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PYTHONPATH": "layers/shared/python",
    }
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *HANDLERS],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert [name for name in loaded if name.startswith(HEAVY)] == []


def test_only_a_setting_makes_a_model() -> None:
    secrets = MemorySecrets({MODEL_KEY: "a key"})
    assert model_of(Settings(table="t"), secrets) is None
    assert model_of(Settings(table="t", model="anthropic"), secrets) is not None
    assert model_of(Settings(table="t", model="bedrock", model_region="eu-west-1"), secrets)


@pytest.mark.parametrize(
    ("config", "shell", "asked"),
    [
        ({}, {}, False),
        ({}, {"ANTHROPIC_API_KEY": "k"}, False),
        ({}, {"ANTHROPIC_API_KEY": "k", "SQUAD_MODEL": "anthropic"}, True),
        ({"secrets": {MODEL_KEY: "k"}}, {}, True),
        ({"environment": {"ANTHROPIC_API_KEY": "k"}}, {}, True),
        ({"environment": {"ANTHROPIC_API_KEY": "k", "SQUAD_MODEL": "off"}}, {}, False),
    ],
)
def test_a_laptop_asks_a_model_only_when_somebody_says_so(
    config: dict[str, object], shell: dict[str, str], *, asked: bool
) -> None:
    access = model_access(LocalConfig.model_validate(config), Shell(shell).variable)
    assert (access.environment.get("SQUAD_MODEL") == "anthropic") == asked
    assert (access.secrets == {MODEL_KEY: "k"}) == asked


def test_the_address_of_a_model_server_reaches_the_functions() -> None:
    config = LocalConfig.model_validate(
        {"environment": {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}}
    )
    access = model_access(config, lambda _: None)
    assert access.environment["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:9"
