"""A program of the drill: a child on loopback with a folder of its own, gone when it is stopped."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.environment import minimal_environment
from infra.local.errors import LocalStackError
from infra.local.guard import Guard
from infra.local.postgres import HOST, free_port
from infra.local.postgres_binaries import Servant, servant

START_SECONDS = 20.0
STOP_SECONDS = 5.0


class ComponentUnusable(LocalStackError):
    """A component of the drill is missing or did not start; the message ends with its log."""


class Child(ABC):
    """Base of the drill's programs. `port` is where it listens; `folder` holds its files.

    A subclass writes its files in `prepare` and gives its command line. `program` is a name on
    the path; `package` is where it comes from.
    """

    program: str
    package: str
    as_servant = False
    ready_path: str | None = "/-/ready"

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"squad-{self.package}-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None

    def prepare(self) -> None:  # noqa: B027 - a program that reads no file has nothing to do
        """Write what the program reads."""

    @abstractmethod
    def arguments(self) -> Sequence[str]:
        """What follows the program on its command line."""

    def environment(self) -> Mapping[str, str]:
        """Variables for the program alone."""
        return {}

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        """Start it and wait until it answers; raises ComponentUnusable, with nothing left."""
        try:
            self.prepare()
            self._launch()
            self._wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it and remove its files."""
        self.stop()

    def stop(self) -> None:
        """End it and all that it started; safe to repeat."""
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
        if self._guard is not None:
            self._guard.dismiss()
            self._guard = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def _launch(self) -> None:
        who = servant() if self.as_servant else Servant()
        if who.uid is not None:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, who.uid, -1 if who.gid is None else who.gid)
        log = (self.folder / "log").open("wb")
        with log:
            self._process = subprocess.Popen(
                [program_of(self.program, self.package), *self.arguments()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,
                env=minimal_environment(self.environment(), temporary=self.folder),
                user=who.uid,
                group=who.gid,
                extra_groups=who.groups,
            )
        self._guard = Guard(self._process.pid, self.folder, gently=signal.SIGTERM)

    def _wait_ready(self) -> None:
        wait_until(
            self._answers, START_SECONDS, lambda: f"{self.program} did not start.{self._tail()}"
        )

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise ComponentUnusable(f"{self.program} ended at once.{self._tail()}")
        return self.ready_path is None or _ok(self.url + self.ready_path)

    def _tail(self) -> str:
        text = (self.folder / "log").read_text(errors="replace")[-800:]
        return f" Its log ends: {text}"


def program_of(name: str, package: str) -> str:
    """The program's path; raises ComponentUnusable with the package to install."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise ComponentUnusable(f"{name} is not installed (Debian: apt-get install {package})")
    return found


def wait_until(holds: Callable[[], bool], seconds: float, what: Callable[[], str]) -> None:
    """Return when it holds; raises ComponentUnusable, saying what did not come about."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return
        time.sleep(0.05)
    raise ComponentUnusable(what())


def fetch(address: str) -> str:
    """What a loopback address answers; raises OSError."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=5) as answer:
        text: str = answer.read().decode()
        return text


def _ok(address: str) -> bool:
    try:
        fetch(address)
    except (OSError, urllib.error.URLError):
        return False
    return True
