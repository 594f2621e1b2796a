from pathlib import Path

import pytest

from incident_squad.adapters.runbook_files import RunbookFiles
from incident_squad.policy.triage import Triager

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="session")
def triager() -> Triager:
    files = RunbookFiles(ROOT / "runbooks")
    return Triager(files.catalog, files.runbooks)
