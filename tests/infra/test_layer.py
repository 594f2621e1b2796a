"""The dependencies layer holds what the project locks, for Lambda's platform."""

import re

import pytest

from infra import build_layer

PROJECT = (build_layer.ROOT / "pyproject.toml").read_text()
LOCK = (build_layer.ROOT / "requirements.lock").read_text()
LAYER = build_layer.REQUIREMENTS.read_text()


def test_the_layer_is_locked_to_what_the_project_locks() -> None:
    locked = build_layer.locked(PROJECT, LOCK)
    assert locked == LAYER, "python -m infra.build_layer --lock"


def test_every_package_has_a_version_and_hashes_and_no_address() -> None:
    packages = re.findall(r"^[a-z0-9_.-]+==\S+", LAYER, flags=re.MULTILINE)
    assert len(packages) == len(
        re.findall(r"^\w.*\\\n    --hash=sha256:", LAYER, flags=re.MULTILINE)
    )
    assert "://" not in LAYER


@pytest.mark.parametrize("name", ["aws-cdk-lib", "moto", "ministack", "pytest", "rich"])
def test_the_laptops_side_is_not_shipped(name: str) -> None:
    assert f"\n{name}==" not in LAYER


def test_a_package_that_the_lock_lacks_is_named() -> None:
    with pytest.raises(KeyError, match="pydantic"):
        build_layer.locked(PROJECT, LOCK.replace("pydantic-core==", "missing=="))
