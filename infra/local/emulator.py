"""The embedded AWS as a process: `python -m infra.local.emulator`.

MiniStack on the loopback address with our edits, a snapshot every so often, and an end when its
parent ends. Everything else about it comes from the environment that `EmulatorProcess` builds.
"""
# ruff: noqa: SLF001 - MiniStack has no public way to save its state while it runs

import argparse
import asyncio
import importlib.metadata
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.core import lambda_runtime, persistence

from infra.local import emulator_patches

PARENT_POLL_SECONDS = 0.5


def main() -> None:
    """Serve until SIGTERM or until the parent is gone."""
    arguments = _arguments()
    _check_version()
    emulator_patches.apply()
    _in_background(_end_with_parent, arguments.parent)
    if arguments.snapshot_seconds:
        _in_background(_snapshot_forever, arguments.snapshot_seconds)
    sys.argv = sys.argv[:1]  # MiniStack reads the command line too
    try:
        app.main()
    finally:
        lambda_runtime.reset()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parent", type=int, required=True, help="end when this process is gone")
    parser.add_argument("--snapshot-seconds", type=float, default=0.0)
    return parser.parse_args()


def _check_version() -> None:
    found = importlib.metadata.version("ministack")
    if found != emulator_patches.VERSION:
        wanted = emulator_patches.VERSION
        sys.exit(f"The embedded stack needs ministack {wanted}, found {found}: run `make setup`.")


def _in_background(task: Callable[[Any], None], argument: object) -> None:
    threading.Thread(target=task, args=(argument,), daemon=True).start()


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _snapshot_forever(seconds: float) -> None:
    while True:
        time.sleep(seconds)
        if app._MAIN_LOOP is not None:
            asyncio.run_coroutine_threadsafe(_snapshot(), app._MAIN_LOOP).result()


async def _snapshot() -> None:
    # On the server's own loop, so that no request is half done while its effects are copied.
    persistence.save_all(app._build_persistence_save_dict())


if __name__ == "__main__":
    main()
