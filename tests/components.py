"""Real components of tests: there, or loudly missing."""

import pytest

from infra.environment import variable
from infra.local.components import COMPONENTS, missing


def need(package: str) -> str:
    """The program of a Debian package; without it the test is skipped, and in CI it fails."""
    if package not in missing():
        return next(iter(COMPONENTS[package]))
    sentence = f"{package} is not installed: `make real` installs it on Debian, as root"
    if variable("SQUAD_REQUIRE_REAL"):
        pytest.fail(sentence)
    pytest.skip(sentence)
