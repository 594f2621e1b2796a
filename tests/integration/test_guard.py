"""What a squad started on this computer ends with it, also when nobody lets it end its work."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from infra.local.guard import Guard
from tests.stack.processes import alive

HOLD = """
import pathlib, subprocess, sys, time, signal
from infra.local.postgres import ThrowAwayPostgres
with ThrowAwayPostgres() as server:
    print(server.pid, server._home, flush=True)
    time.sleep(600)
"""


def until_gone(process: int, folder: Path) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if not alive(process) and not folder.exists():
            return True
        time.sleep(0.05)
    return False


def test_a_database_ends_with_a_process_that_is_killed() -> None:
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        server, home = holder.stdout.readline().split()
        assert alive(int(server))
        holder.send_signal(signal.SIGKILL)
    assert until_gone(int(server), Path(home))


def test_a_group_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    stubborn = "trap '' TERM; while :; do sleep 0.1; done"
    with subprocess.Popen(["/bin/sh", "-c", stubborn], start_new_session=True) as child:
        guard = Guard(child.pid, tmp_path / "its", gently=signal.SIGTERM)
        assert guard._watch.stdin is not None
        guard._watch.stdin.close()  # as the end of this process would
        assert child.wait(20) == -signal.SIGKILL
        guard._watch.wait(20)


def test_a_dismissed_guard_touches_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) as child:
        guard = Guard(child.pid, tmp_path, gently=signal.SIGTERM)
        guard.dismiss()
        assert child.poll() is None
        assert tmp_path.exists()
        child.kill()
