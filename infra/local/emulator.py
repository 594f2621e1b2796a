"""The embedded AWS as a process: `python -m infra.local.emulator`.

MiniStack on the loopback address with our edits, a snapshot every so often, and an end when its
parent ends. Everything else about it comes from the environment that `EmulatorProcess` builds.
"""

import argparse
import importlib.metadata
import os
import signal
import sys
import threading
import time
from pathlib import Path

from ministack import app
from ministack.core import lambda_runtime, persistence

from infra.local import emulator_layers, emulator_patches
from infra.local.emulator_state import Keeper
from infra.local.emulator_version import VERSION

PARENT_POLL_SECONDS = 0.5
SNAPSHOT_SECONDS = 1.0


def main() -> None:
    """Serve until SIGTERM or until the parent is gone."""
    arguments = _arguments()
    _check_version()
    emulator_patches.apply()
    watch = threading.Thread(target=_end_with_parent, args=(arguments.parent,), daemon=True)
    watch.start()
    if persistence.PERSIST_STATE:
        Keeper(Path(persistence.STATE_DIR)).run(SNAPSHOT_SECONDS)
    sys.argv = sys.argv[:1]  # MiniStack reads the command line too
    try:
        app.main()
    finally:
        lambda_runtime.reset()
        emulator_layers.remove()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parent", type=int, required=True, help="end when this process is gone")
    return parser.parse_args()


def _check_version() -> None:
    found = importlib.metadata.version("ministack")
    if found != VERSION:
        sys.exit(f"The embedded stack needs ministack {VERSION}, found {found}: run `make setup`.")


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
