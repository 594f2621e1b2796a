"""Starts, watches and stops the emulator's process."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from infra.environment import minimal_environment
from infra.local.errors import EmulatorDied

REGION = "us-east-1"
HOST = "127.0.0.1"
START_SECONDS = 60.0
# The emulator saves its state and ends its Lambdas in this time; then it is killed.
STOP_SECONDS = 15.0
LOG_LINES = 20
WARM_SECONDS = 120
REPOSITORY = Path(__file__).resolve().parents[2]


class EmulatorProcess:
    """One running emulator. `folder` gets its log, its temporary files and, if kept, its state."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        keep_state: bool,
        environment: Mapping[str, str],
        lock: int | None = None,
    ) -> None:
        """Start it; returns at once: call `wait_ready`. `lock` is a descriptor that it keeps."""
        self.port = port
        self.log = folder / "emulator.log"
        temporary = folder / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "infra.local.emulator", "--parent", str(os.getpid())],
                cwd=REPOSITORY,
                env=minimal_environment(
                    {**environment, **_settings(folder, port, keep_state=keep_state)},
                    temporary=temporary,
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=() if lock is None else (lock,),
                start_new_session=True,  # Ctrl-C is ours to handle; and the group is theirs
            )

    @property
    def endpoint_url(self) -> str:
        """Where every AWS client finds it."""
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """The process, which is also the id of its group."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def wait_ready(self) -> None:
        """Return when it answers; raises EmulatorDied with the end of its log."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self.check()
            if _answers(self.endpoint_url):
                return
            time.sleep(0.02)
        raise EmulatorDied(f"The emulator did not answer in {START_SECONDS:.0f} s.{self._tail()}")

    def check(self) -> None:
        """Raises EmulatorDied when it has ended."""
        if not self.alive:
            code = self._process.returncode
            raise EmulatorDied(f"The emulator ended with exit code {code}.{self._tail()}")

    def stop(self) -> None:
        """Let it save its state and end, then make sure that it and its Lambdas are gone."""
        if self.alive:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self.kill()

    def kill(self) -> None:
        """End the whole group at once, saving nothing."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def _tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        return "".join(f"\n  {line}" for line in (f"Its log ({self.log}) ends with:", *lines))


def free_port() -> int:
    """A port of the loopback address that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int) -> bool:
    """Whether a server could listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _settings(folder: Path, port: int, *, keep_state: bool) -> dict[str, str]:
    return {
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "DOCKER_HOST": "unix:///nowhere",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_WARM_TTL_SECONDS": str(WARM_SECONDS),
        "LOG_LEVEL": "WARNING",
        "PERSIST_STATE": "1" if keep_state else "0",
        "S3_PERSIST": "0",
        "STATE_DIR": str(folder / "state"),
    }


def _answers(endpoint_url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{endpoint_url}/_ministack/health", timeout=2) as answer:
            return bool(json.load(answer))
    except (OSError, ValueError):
        return False
