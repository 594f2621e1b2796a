"""Ends a child of ours when this process is gone, however it went: also after `kill -9`."""

import signal
import subprocess
import sys
from pathlib import Path

# Its input ends when whoever holds the other end of the pipe does, on every system.
_WATCH = """
import os, shutil, sys, time, signal
if sys.stdin.buffer.read() != b"done":
    group, number = int(sys.argv[1]), int(sys.argv[2])
    for number in (number, signal.SIGKILL):
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            break
        for _ in range(20):
            time.sleep(0.1)
            try:
                os.killpg(group, 0)
            except ProcessLookupError:
                break
    shutil.rmtree(sys.argv[3], ignore_errors=True)
"""
_SECONDS = 5.0


class Guard:
    """Watches over one process group and its folder, until it is dismissed."""

    def __init__(self, group: int, folder: Path, *, gently: signal.Signals) -> None:
        """Begin to watch; `gently` is the signal that the group is sent first."""
        self._watch = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _WATCH, str(group), str(int(gently)), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """The group has been ended as it should be: there is nothing to do any more."""
        try:
            self._watch.communicate(b"done", timeout=_SECONDS)
        except subprocess.TimeoutExpired:  # it has not even begun: then it must not begin
            self._watch.kill()
            self._watch.wait()
