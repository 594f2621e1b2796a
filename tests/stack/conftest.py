"""What runs for real: a bare emulator and a whole stack, one of each for the session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.clients import Clients
from infra.local.emulator_process import EmulatorProcess, free_port
from infra.local.stack import LocalStack


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """A running emulator with nothing in it."""
    folder: Path = tmp_path_factory.mktemp("emulator")
    process = EmulatorProcess(folder, port=free_port(), keep_state=False, environment={})
    try:
        process.wait_ready()
        yield process
    finally:
        process.stop()


@pytest.fixture(scope="session")
def aws(emulator: EmulatorProcess) -> Clients:
    """Clients of the bare emulator."""
    return Clients(emulator.endpoint_url)


@pytest.fixture(scope="session")
def local_stack() -> Iterator[LocalStack]:
    """The real template on an emulator, as `squad up` runs it, keeping nothing."""
    with LocalStack.start() as stack:
        yield stack
